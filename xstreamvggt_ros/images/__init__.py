# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What becomes of a picture before the network sees it, and what is measured on it."""
