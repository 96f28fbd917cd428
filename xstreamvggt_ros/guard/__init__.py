# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tell when a stream has gone wrong, and go on after it."""
