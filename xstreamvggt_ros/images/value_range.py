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
# So many images in a row that span more are of a camera that uses its bits: one may be damaged.
ENOUGH = 3
BITS_16 = 65_535.0
# Two values apart is noise.
LEAST = 16 / BITS_16


class ValueRange:
    """
    Spread the values that a camera uses over [0, 1].

    `tell` takes a line when it is found that the values use little of their 16 bits, and another
    if that comes of dark images alone.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        """Know of no image yet."""
        self._tell = tell
        self._range: np.ndarray | None = None
        # Images in a row that used much; from ENOUGH on it stays.
        self._wide = 0

    def apply(self, image: np.ndarray, wanted: str) -> np.ndarray:
        """
        Spread an image (H, W, 3) float32 of value / 65,535, as input.value_range wants it.

        auto: where values span less than an eighth, from their percentiles 0.5 to 99.5, followed
        slowly; what is out of them is clipped. From three images in a row on that span more,
        nothing is spread any more. Bits: as many are the whole range. full: as it is.
        """
        if wanted == FULL:
            return image
        if wanted != AUTO:
            return np.minimum(image * np.float32(BITS_16 / (2 ** int(wanted) - 1)), np.float32(1))
        if self._wide >= ENOUGH:
            return image
        found = np.percentile(image[::STRIDE, ::STRIDE], [LOW, HIGH])
        wide = found[1] - found[0] >= LITTLE
        if self._uses_much(wide):
            return image
        if self._range is None:
            if wide:
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

    def _uses_much(self, wide: bool) -> bool:
        """Whether the camera has been seen to use its 16 bits."""
        self._wide = self._wide + 1 if wide else 0
        if self._wide < ENOUGH:
            return False
        if self._range is not None:
            self._tell(
                'the values of the 16-bit images use their range after all, and are not spread '
                'any more; where they are to be, set input.value_range to the bits of the camera'
            )
            self._range = None
        return True
