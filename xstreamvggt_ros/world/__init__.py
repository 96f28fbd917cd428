# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is kept of a stream: clouds, map, path, motion, and all of it on disk."""
