# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Streaming 3-D reconstruction from camera images, as a ROS 2 lifecycle node."""
