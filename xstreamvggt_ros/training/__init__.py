# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training of the network on procedural scenes; torch only, no ROS."""
