# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How well a stream that was begun anew joins the world of the one before."""
