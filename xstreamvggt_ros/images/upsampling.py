# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Maps of the network's size at the size of the camera's picture, along its edges; no ROS."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from xstreamvggt_ros.images.preprocessing import Preprocessing

# Side of a window in the network's pixels. Of rendered rooms and streets the
# smallest window is nearest to the truth, with what the lines leave out put back.
WINDOW = 3
# Variance of the picture, in [0, 1], from which on its changes count: 3 %, above a camera's noise.
EPSILON = 1e-3
NEIGHBOURS = np.ones((3, 3), np.uint8)


def upsample(
    values: np.ndarray, seen: np.ndarray, picture: np.ndarray, plan: Preprocessing
) -> np.ndarray:
    """
    Bring values (h, w) of the network's pixels to those of the camera's picture (H, W), float32.

    seen: (h, w, 3) uint8, what the network saw of `picture`, (H, W, 3) uint8, by `plan`. It is the
    fast guided filter (He and Sun 2015, arXiv 1505.00996): by the least squares of a window the
    values are linear in the picture's brightness, and those lines, averaged over the windows, are
    upsampled rather than the values. What they leave out of the values is put back, bilinearly, so
    that nothing is smoothed: where the picture shows no edge it is bilinear interpolation. The
    result lies within the values of the nearest pixel and its eight neighbours. Pixels that are
    not finite count in no window; it is NaN where the nearest pixel is one, or lies in the plan's
    crop. It takes some 16 bytes for each pixel of `picture` meanwhile. ValueError: other sizes.
    """
    if values.shape != plan.size or seen.shape[:2] != plan.size:
        raise ValueError(
            f'values are {values.shape} and what was seen {seen.shape[:2]} (height, width) but '
            f'the plan is for {plan.size}; give those of one frame'
        )
    if picture.shape[:2] != plan.source_size:
        raise ValueError(
            f'a picture is {picture.shape[:2]} (height, width) but the plan is for '
            f'{plan.source_size}; give the one that the network saw'
        )
    known = np.isfinite(values)
    slope, offset = _lines(values, known, _grey(seen))
    found = _linear(slope, plan)
    found *= _grey(picture)
    found += _linear(offset, plan)
    # Neither maximum nor minimum lets a NaN go.
    np.maximum(found, _limit(cv2.erode, values, known, np.inf, plan), out=found)
    return np.minimum(found, _limit(cv2.dilate, values, known, -np.inf, plan), out=found)


def _limit(
    choose: Callable[[np.ndarray, np.ndarray], np.ndarray],
    values: np.ndarray,
    known: np.ndarray,
    nothing: float,
    plan: Preprocessing,
) -> np.ndarray:
    """Give the extreme of the nearest pixel's neighbourhood, NaN where that is not known."""
    extreme = choose(np.where(known, values, nothing).astype(np.float32), NEIGHBOURS)
    extreme[~known] = np.nan
    return _nearest(extreme, plan)


def _grey(picture: np.ndarray) -> np.ndarray:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    grey /= 255
    return grey


def _lines(
    values: np.ndarray, known: np.ndarray, grey: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give (h, w) slope and offset: values = slope * grey + offset, exactly where known."""
    grey = grey.astype(np.float64)
    values = np.where(known, values, 0.0)
    share = _box(known.astype(np.float64))
    # A window without anything known is of no use to any pixel that is.
    share[share < 0.5 / WINDOW**2] = 1

    def mean(numbers: np.ndarray) -> np.ndarray:
        return _box(np.where(known, numbers, 0.0)) / share

    brightness, value = mean(grey), mean(values)
    variance = mean(grey * grey) - brightness * brightness
    slope = (mean(grey * values) - brightness * value) / (variance + EPSILON)
    offset = mean(value - slope * brightness)
    slope = mean(slope)
    return slope, np.where(known, values - slope * grey, offset)


def _box(numbers: np.ndarray) -> np.ndarray:
    return cv2.boxFilter(numbers, -1, (WINDOW, WINDOW), borderType=cv2.BORDER_CONSTANT)


def _whole(values: np.ndarray, plan: Preprocessing, border: int) -> np.ndarray:
    """Lay the network's pixels where they were before the crop."""
    bottom = plan.resized_size[0] - plan.size[0] - plan.crop_top
    right = plan.resized_size[1] - plan.size[1] - plan.crop_left
    sides = plan.crop_top, bottom, plan.crop_left, right
    return cv2.copyMakeBorder(values.astype(np.float32), *sides, border, value=np.nan)


def _linear(values: np.ndarray, plan: Preprocessing) -> np.ndarray:
    height, width = plan.source_size
    whole = _whole(values, plan, cv2.BORDER_REPLICATE)
    return cv2.resize(whole, (width, height), interpolation=cv2.INTER_LINEAR)


def _nearest(values: np.ndarray, plan: Preprocessing) -> np.ndarray:
    """Take the nearest pixel's, by centres, which OpenCV's nearest neighbour does not."""
    rows, columns = (
        ((np.arange(source) + 0.5) * resized / source).astype(int)
        for source, resized in zip(plan.source_size, plan.resized_size, strict=True)
    )
    return _whole(values, plan, cv2.BORDER_CONSTANT)[np.ix_(rows, columns)]
