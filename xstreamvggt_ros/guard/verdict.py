# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a watch says of a frame, and the figures that it says it by."""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np
import torch
from torch import Tensor

from xstreamvggt_ros.images.figures import luminance, texture
from xstreamvggt_ros.stream import Frame

JUMP_KINDS = ('not_finite', 'translation_jump', 'rotation_jump', 'scale_jump')
# The network's confidences are 1 + exp(.): 1 is none at all.
LEAST_CONFIDENCE = 1.0
DEPTH_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
# Medians and quantiles over a few thousand pixels are as good as over all.
SAMPLES = 4096


@dataclass(frozen=True)
class Reason:
    """
    One thing that is wrong: its kind, the figure measured and the limit that it broke.

    Kinds: blank, blurred, not_finite, translation_jump, rotation_jump, scale_jump, confidence.
    """

    kind: str
    figure: float
    limit: float

    def __str__(self) -> str:
        """Return it as diagnostics show it."""
        return f'{self.kind} ({self.figure:.3g}, limit {self.limit:.3g})'


@dataclass(frozen=True)
class ImageFigures:
    """What is measured of an image, as `images.figures` has it."""

    contrast: float
    sharpness: float
    fineness: float

    @classmethod
    def of(cls, image: Tensor) -> ImageFigures:
        """Measure an image (3, H, W) in [0, 1]."""
        return cls(*texture(luminance(image)))


@dataclass(frozen=True, eq=False)
class Look:
    """What an image alone tells: its figures, and what is wrong with it."""

    contrast: float
    sharpness: float
    fineness: float
    reasons: tuple[Reason, ...]

    @property
    def ok(self) -> bool:
        """Whether the image is fit to be remembered."""
        return not self.reasons


@dataclass(frozen=True, eq=False)
class Outcome:
    """
    A frame's figures that neighbours are compared by.

    centre: (3,) camera centre in the world. rotation: (3, 3) camera from world. log_depths: of
    the quantiles. confidence: median above none. view: horizontal field of view, radians.
    """

    centre: np.ndarray
    rotation: np.ndarray
    log_depths: np.ndarray
    confidence: float
    view: float

    @classmethod
    def of(cls, frame: Frame) -> Outcome:
        """Gather the figures of a frame whose pose is finite."""
        pose = frame.camera_from_world.double().cpu().numpy()
        depth, confidence = frame.depth.flatten(), frame.depth_confidence.flatten()
        stride = max(1, len(depth) // SAMPLES)
        depth, confidence = depth[::stride].cpu(), confidence[::stride].cpu()
        depth = depth[torch.isfinite(depth) & (depth > 0)].double()
        depths = np.quantile(depth.numpy(), DEPTH_QUANTILES) if len(depth) else np.ones(5)
        focal, centre = float(frame.intrinsics[0, 0]), -pose[:, :3].T @ pose[:, 3]
        return cls(
            centre=centre,
            rotation=pose[:, :3],
            log_depths=np.log(depths),
            confidence=float(confidence.median()) - LEAST_CONFIDENCE,
            view=2 * math.atan(frame.depth.shape[-1] / 2 / focal),
        )


@dataclass(frozen=True, eq=False)
class Verdict:
    """
    What the watch says of one frame: `ok`, or the reasons why not.

    look: the image's figures. outcome: the frame's, None where they are not finite. step, turn:
    the way from its neighbour, per frame, in the stream's unit and radians; None without one.
    """

    look: Look
    reasons: tuple[Reason, ...] = ()
    outcome: Outcome | None = None
    step: float | None = None
    turn: float | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.reasons

    @property
    def jumped(self) -> bool:
        """Whether the stream itself broke, on an image that was fine."""
        return self.look.ok and any(reason.kind in JUMP_KINDS for reason in self.reasons)

    def __str__(self) -> str:
        """Return the reasons as diagnostics show them."""
        return ', '.join(str(reason) for reason in self.reasons) or 'ok'


def finite_share(frame: Frame) -> float:
    """Return the share of the depth that is finite, 0 where the pose is not."""
    for values in (frame.camera_from_world, frame.intrinsics):
        if not torch.isfinite(values).all():
            return 0.0
    return float(torch.isfinite(frame.depth).float().mean())
