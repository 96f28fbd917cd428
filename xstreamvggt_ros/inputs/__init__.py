# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every source of frames: bags, folders, video, rendered scenes; truth is optional."""
