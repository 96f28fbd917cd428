# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Methods that shrink a cache, beside the one that ships and at its bytes; see `__main__`."""
