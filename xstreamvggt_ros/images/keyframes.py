# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tell frames that show something new from those that a camera at rest repeats; no ROS."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from xstreamvggt_ros.images.figures import grid, luminance

DEFAULT_THRESHOLD = 0.25
# Cells along the long side: large enough to average sensor noise away.
CELLS = 16
# The share of cells, the most changed ones, that decide: something small may have moved.
DECIDING = 0.1
# Below this contrast of the cells (full scale is 1) a picture's noise would pass for its content.
LEAST_CONTRAST = 0.05


class KeyframeGate:
    """
    Decide which frames of one camera are worth a place in the cache.

    The image's luminance is averaged over a grid and brought to mean 0 and deviation 1, so that
    exposure does not count. A frame is a keyframe where the most changed tenth of the cells
    differ from the last keyframe by more than `threshold` on average, in deviations of the
    picture. The comparison is with the last keyframe, not the last frame, so slow motion adds up.
    The first frame is one. There is no least rate: what a camera at rest sees for hours would
    crowd out what it saw before.

    Several cameras have a gate each. `reset` it with its stream.
    """

    def __init__(self, threshold: float = DEFAULT_THRESHOLD) -> None:
        """Start without a keyframe; ValueError: a threshold that is not positive and finite."""
        if not (threshold > 0 and math.isfinite(threshold)):
            raise ValueError(
                f'threshold is {threshold}; use a finite number above 0, such as 0.25'
            )
        self.threshold = threshold
        self._last: Tensor | None = None
        self._before: Tensor | None = None

    def keep(self, image: Tensor) -> bool:
        """Say whether the network's input (3, H, W) in [0, 1] is a keyframe, and note it if so."""
        cells = _normalised(image)
        if not torch.isfinite(cells).all():
            return False
        if self._last is not None and self._last.shape == cells.shape:
            if self._change(cells) <= self.threshold:
                return False
        self._before, self._last = self._last, cells
        return True

    def take_back(self) -> None:
        """Compare with the keyframe before again: the one just noted was not remembered."""
        self._last = self._before

    def reset(self) -> None:
        """Forget the last keyframe: the next frame is one."""
        self._last = None

    def _change(self, cells: Tensor) -> float:
        differences = (cells - self._last).abs().flatten()
        deciding = max(1, round(DECIDING * len(differences)))
        return float(differences.topk(deciding).values.mean())


def _normalised(image: Tensor) -> Tensor:
    cells = grid(luminance(image), CELLS)
    return (cells - cells.mean()) / cells.std(correction=0).clamp_min(LEAST_CONTRAST)
