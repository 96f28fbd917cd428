# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Maps of numbers as pictures for the page."""

from __future__ import annotations

import numpy as np

# The map "turbo" by seven of its colours, from far to near.
_COLOURS = np.array(
    [
        (48, 18, 59),
        (70, 117, 237),
        (27, 207, 213),
        (97, 252, 108),
        (209, 232, 52),
        (254, 155, 45),
        (122, 4, 3),
    ],
    dtype=np.float32,
)
# Of all pixels, those beyond these shares are drawn as the ends.
LOW, HIGH = 2.0, 98.0
# Who is sure of nothing says 1 everywhere, and less above it than this is no difference.
SURE = 1.5


def depth_picture(depth: np.ndarray) -> np.ndarray:
    """Colour depth (H, W), what is near in red; (H, W, 3) uint8, black where there is none."""
    with np.errstate(divide='ignore', invalid='ignore'):
        return _coloured(np.where(depth > 0, 1 / depth, np.nan))


def confidence_picture(confidence: np.ndarray) -> np.ndarray:
    """Colour confidence (H, W), 1 in blue and what is surest in red; (H, W, 3) uint8."""
    with np.errstate(invalid='ignore', divide='ignore'):
        return _coloured(np.log(confidence), low=0.0, least_span=np.log(SURE))


def thumbnail(picture: np.ndarray, longest: int) -> np.ndarray:
    """Leave out pixels of a picture (H, W, 3) until its longer side is at most `longest`."""
    step = -(-max(picture.shape[:2]) // longest)
    return np.ascontiguousarray(picture[::step, ::step])


def _coloured(
    values: np.ndarray, low: float | None = None, least_span: float = 1e-9
) -> np.ndarray:
    known = np.isfinite(values)
    if not known.any():
        return np.zeros((*values.shape, 3), np.uint8)
    least, high = np.percentile(values[known], (LOW, HIGH))
    low = least if low is None else low
    share = np.where(known, (values - low) / max(high - low, least_span), 0).clip(0, 1)
    place = share * (len(_COLOURS) - 1)
    below = np.minimum(place.astype(int), len(_COLOURS) - 2)
    part = (place - below)[..., None]
    mixed = _COLOURS[below] * (1 - part) + _COLOURS[below + 1] * part
    return (mixed * known[..., None]).round().astype(np.uint8)
