# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the time and the memory of a frame go, against this device's own peaks."""
