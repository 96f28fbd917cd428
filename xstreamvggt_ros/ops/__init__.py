# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Attention and the kernels that the network and its cache share."""

from xstreamvggt_ros.ops.attention import (
    attend,
    by_products,
)
from xstreamvggt_ros.ops.precision import (
    exact_float32,
    exact_products,
)

__all__ = [
    'attend',
    'by_products',
    'exact_float32',
    'exact_products',
]
