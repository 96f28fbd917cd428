# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A page in the browser that follows a node through its topics, or a recorded run."""
