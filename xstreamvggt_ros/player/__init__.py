# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Plays bags into ROS where there is no rosbag2, and what the demo plays with."""
