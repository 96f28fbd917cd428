# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""File formats, written whole or not at all: bags, point clouds, trajectories."""
