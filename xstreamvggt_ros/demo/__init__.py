# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What `make demo` runs: an input played into the node over DDS, its outputs made into files."""
