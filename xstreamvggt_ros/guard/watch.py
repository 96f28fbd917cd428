# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tell when a stream has gone wrong, from what went into the network and what came out; no ROS."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, fields
import math
from statistics import median

import numpy as np
from torch import Tensor

from xstreamvggt_ros.guard.verdict import (
    finite_share,
    ImageFigures,
    Look,
    Outcome,
    Reason,
    Verdict,
)
from xstreamvggt_ros.stream import Frame

# Fewer values than this make no running median.
LEAST_HISTORY = 5
# After a gap the camera may be anywhere within this many median depths.
FARTHEST = 1.0


@dataclass(frozen=True)
class WatchConfig:
    """
    Say what is out of the ordinary; no value depends on the network's unit of length.

    window: frames that running medians look back on.
    step_ratio, step_depth: the camera's centre jumps where it moves both `step_ratio` times the
    running median step and `step_depth` times the median depth of the scene.
    turn_ratio, turn_view: it jumps where it turns both `turn_ratio` times the running median
    turn and `turn_view` times the horizontal field of view.
    scale_ratio: depth jumps where every one of five quantiles of it grows (or shrinks) this many
    times from one frame to the next; new things in view move some of them, a new scale all.
    confidence_share: confidence collapses where its median, less the 1 that stands for none,
    falls below this share of its running median.
    blank_contrast: an image is blank where the standard deviation of its luminance, averaged
    over 4x4 pixels so that sensor noise does not count, is below this; full scale is 1.
    blur_share, blur_fineness: an image is blurred where the variance of its Laplacian falls below
    `blur_share` of the running median, and what that variance is of the same image's at a quarter
    of the size below `blur_fineness` of its own; turning to a plain wall does only the first.
    finite_share: outputs count as not finite where less of the depth is finite, or any of the
    pose is not.
    Raises ValueError naming the field.
    """

    window: int = 30
    step_ratio: float = 6.0
    step_depth: float = 0.4
    turn_ratio: float = 6.0
    turn_view: float = 0.4
    scale_ratio: float = 1.5
    confidence_share: float = 0.1
    blank_contrast: float = 0.01
    blur_share: float = 0.2
    blur_fineness: float = 0.35
    finite_share: float = 0.5

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for field in fields(self):
            value = getattr(self, field.name)
            if not (value > 0 and math.isfinite(value)):
                raise ValueError(f'{field.name} is {value}; use a finite number above 0')
        if self.window < LEAST_HISTORY:
            raise ValueError(f'window is {self.window}; use {LEAST_HISTORY} or more')
        if self.scale_ratio <= 1:
            raise ValueError(f'scale_ratio is {self.scale_ratio}; use a number above 1')


class Watch:
    """
    Compare each frame of one camera with those before it, in bounded memory.

    `examine` does all. Who needs to know whether an image is fit before the network sees it calls
    `look`, then `judge`, which change nothing, and `remember` with the verdict that stands.

    Poses and depth are compared with the frame before and with the last one that passed; agreeing
    with either is enough, so that one stray frame is one alarm. Frames with a bad image are never
    compared with, and widen what the next good frame may have moved. What bad frames measure
    counts in the running medians too: a lasting change is reported for half a window at most.
    """

    def __init__(self, config: WatchConfig | None = None) -> None:
        """Start without history."""
        self.config = config or WatchConfig()
        window = self.config.window
        self._sharpness: deque[float] = deque(maxlen=window)
        self._fineness: deque[float] = deque(maxlen=window)
        self._confidence: deque[float] = deque(maxlen=window)
        self._steps: deque[float] = deque(maxlen=window)
        self._turns: deque[float] = deque(maxlen=window)
        # What frames are compared with, and how many frames ago each was.
        self._previous: tuple[Outcome, int] | None = None
        self._passed: tuple[Outcome, int] | None = None

    def examine(self, image: Tensor, frame: Frame) -> Verdict:
        """Judge the network's input (3, H, W) in [0, 1] and its output, and remember both."""
        verdict = self.judge(self.look(image), frame)
        self.remember(verdict)
        return verdict

    def look(self, image: Tensor) -> Look:
        """Say whether an image (3, H, W) in [0, 1] is blank or blurred."""
        return self.weigh(ImageFigures.of(image))

    def weigh(self, figures: ImageFigures) -> Look:
        """Say whether an image is blank or blurred whose figures are known."""
        spread, detail, fine = figures.contrast, figures.sharpness, figures.fineness
        reasons = []
        # Written so that NaN in an image is a blank.
        if not spread >= self.config.blank_contrast:
            reasons.append(Reason('blank', spread, self.config.blank_contrast))
        elif len(self._sharpness) >= LEAST_HISTORY:
            limit = self.config.blur_share * median(self._sharpness)
            finest = self.config.blur_fineness * median(self._fineness)
            if detail < limit and fine < finest:
                reasons.append(Reason('blurred', detail, limit))
        return Look(spread, detail, fine, tuple(reasons))

    def judge(self, look: Look, frame: Frame) -> Verdict:
        """Say what is wrong with a frame that came of the image looked at."""
        share = finite_share(frame)
        if share < self.config.finite_share:
            wrong = Reason('not_finite', share, self.config.finite_share)
            return Verdict(look, (*look.reasons, wrong))
        outcome = Outcome.of(frame)
        reasons = list(look.reasons)
        if len(self._confidence) >= LEAST_HISTORY:
            limit = self.config.confidence_share * median(self._confidence)
            if outcome.confidence < limit:
                reasons.append(Reason('confidence', outcome.confidence, limit))
        step = turn = None
        comparisons = [
            self._compare(outcome, *neighbour)
            for neighbour in (self._previous, self._passed)
            if neighbour is not None
        ]
        if comparisons:
            jumps, step, turn = min(comparisons, key=lambda comparison: len(comparison[0]))
            reasons.extend(jumps)
        return Verdict(look, tuple(reasons), outcome, step, turn)

    def remember(self, verdict: Verdict) -> None:
        """Take a frame into the history."""
        self._previous = _older(self._previous)
        self._passed = _older(self._passed)
        look, outcome = verdict.look, verdict.outcome
        if look.contrast >= self.config.blank_contrast:
            self._sharpness.append(look.sharpness)
            self._fineness.append(look.fineness)
        if not look.ok or outcome is None:
            return
        self._confidence.append(outcome.confidence)
        self._previous = (outcome, 0)
        if verdict.ok:
            self._passed = (outcome, 0)
        if verdict.step is not None:
            # Those of jumps too, or a fast camera would never become the usual thing.
            self._steps.append(verdict.step)
            self._turns.append(verdict.turn)

    def forget_world(self) -> None:
        """Forget poses and depths, for a stream that begins a world of its own."""
        self._previous = self._passed = None
        self._steps.clear()
        self._turns.clear()

    def reset(self) -> None:
        """Forget everything."""
        self.forget_world()
        self._sharpness.clear()
        self._fineness.clear()
        self._confidence.clear()

    def _compare(self, new: Outcome, old: Outcome, gap: int) -> tuple[list[Reason], float, float]:
        """Return the jumps from `old`, `gap` frames lost in between, and the way per frame."""
        config, frames = self.config, 1 + gap
        step = float(np.linalg.norm(new.centre - old.centre))
        turn = _angle(new.rotation @ old.rotation.T)
        depth = math.exp(min(new.log_depths[2], old.log_depths[2]))
        far = min(config.step_depth * frames, max(FARTHEST, config.step_depth)) * depth
        far = max(far, frames * config.step_ratio * _usual(self._steps))
        wide = min(config.turn_view * frames, max(1.0, config.turn_view)) * new.view
        wide = max(wide, frames * config.turn_ratio * _usual(self._turns))
        growth = new.log_depths - old.log_depths
        same_way = bool((growth > 0).all() or (growth < 0).all())
        scale = math.exp(np.abs(growth).min()) if same_way else 1.0
        scale_limit = config.scale_ratio ** min(frames, 2)
        jumps = [
            Reason(kind, figure, limit)
            for kind, figure, limit in (
                ('translation_jump', step, far),
                ('rotation_jump', turn, wide),
                ('scale_jump', scale, scale_limit),
            )
            if figure > limit
        ]
        return jumps, step / frames, turn / frames


def _usual(values: deque[float]) -> float:
    return median(values) if len(values) >= LEAST_HISTORY else 0.0


def _older(neighbour: tuple[Outcome, int] | None) -> tuple[Outcome, int] | None:
    return neighbour and (neighbour[0], neighbour[1] + 1)


def _angle(rotation: np.ndarray) -> float:
    """Return the angle of a rotation (3, 3), radians."""
    return float(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1)))
