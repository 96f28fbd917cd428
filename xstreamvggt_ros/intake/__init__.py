# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames that wait, their order and the thread that takes them; no ROS."""
