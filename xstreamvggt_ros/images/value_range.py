# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The range of values that images of 16 bits really use: infrared and thermal cameras use few."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

FULL = 'full'
AUTO = 'auto'
VALUE_RANGES = (AUTO, FULL, '10', '12', '14')
# An image whose values span less of the 16 bits than this is taken to use fewer.
LITTLE = 1 / 8
LOW, HIGH = 0.5, 99.5
# Every n-th pixel of every n-th row tells as much.
STRIDE = 4
# Share by which the newest image moves the range: what jumps from image to image is no colour.
FOLLOW = 0.1
BITS_16 = 65_535.0
# Two values apart is noise.
LEAST = 16 / BITS_16


class ValueRange:
    """
    Spread the values that a camera uses over [0, 1].

    `tell` takes a line, once, when it is found that the values use little of their 16 bits.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        """Know of no image yet."""
        self._tell = tell
        self._range: np.ndarray | None = None

    def apply(self, image: np.ndarray, wanted: str) -> np.ndarray:
        """
        Spread an image (H, W, 3) float32 of value / 65,535, as input.value_range wants it.

        auto: where values span less than an eighth, from their percentiles 0.5 to 99.5, followed
        slowly; what is out of them is clipped. Bits: as many are the whole range. full: as it is.
        """
        if wanted == FULL:
            return image
        if wanted != AUTO:
            return np.minimum(image * np.float32(BITS_16 / (2 ** int(wanted) - 1)), np.float32(1))
        found = np.percentile(image[::STRIDE, ::STRIDE], [LOW, HIGH])
        if self._range is None:
            if found[1] - found[0] >= LITTLE:
                return image
            low, high = (BITS_16 * found).round().astype(int)
            self._tell(
                f'the values of the 16-bit images lie between {low} and {high} of 65535 and are '
                'spread; set input.value_range to the bits that the camera has, or to full'
            )
            self._range = found
        self._range = (1 - FOLLOW) * self._range + FOLLOW * found
        low, high = self._range
        spread = (image - np.float32(low)) / np.float32(max(high - low, LEAST))
        return np.clip(spread, 0, 1, out=spread)
