# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reading and writing of bags, image sequences, trajectories and clouds, without ROS."""
