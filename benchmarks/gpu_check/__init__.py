# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What only a GPU can tell: correctness, speed and memory there, against what is asked."""
