# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Stamps as whole numbers of nanoseconds; no ROS."""

# Of a second.
NANOSECONDS = 1_000_000_000
