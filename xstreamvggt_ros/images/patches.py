# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The squares of an image that become one token each."""

# Pixels of a side.
PATCH_SIZE = 14


def patch_grid(height: int, width: int) -> tuple[int, int]:
    """Return rows and columns of patches of an image of that size in pixels."""
    return height // PATCH_SIZE, width // PATCH_SIZE
