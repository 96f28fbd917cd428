# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How hand-held, driving, flying and turning cameras run along a path and where they look."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STEP = 0.02


@dataclass(frozen=True)
class Style:
    """
    How a kind of camera moves.

    `heights` above the ground, metres; `pace` metres a frame indoors and outdoors; `turn` the
    fastest turn, degrees a frame; `pitch` range, `roll`, `tremor` and `wander` (of the gaze)
    deviations, degrees; `sway` metres; `forward` the share of time that it looks where it goes.
    """

    heights: tuple[float, float]
    pace: tuple[float, float]
    turn: float
    pitch: tuple[float, float]
    roll: float
    tremor: float
    wander: float
    sway: float
    forward: float


STYLES = {
    'handheld': Style((1.2, 1.8), (0.055, 0.08), 3.5, (-28.0, 10.0), 2.5, 0.12, 14, 0.012, 0.3),
    'driving': Style((0.4, 1.6), (0.06, 0.22), 3.0, (-12.0, 6.0), 0.3, 0.06, 2, 0.002, 1.0),
    'drone': Style((0.5, 4.0), (0.06, 0.14), 3.0, (-32.0, 10.0), 4.0, 0.08, 10, 0.006, 0.4),
    'rotation': Style((0.5, 1.8), (0.0, 0.0), 4.0, (-25.0, 12.0), 1.5, 0.10, 6, 0.003, 0.0),
}


def wander(frames: int, period: float, rng: np.random.Generator) -> np.ndarray:
    """Return smooth noise (F,) of deviation about 1 that changes over `period` frames."""
    t = np.arange(frames)
    waves = [
        np.sin(2 * np.pi * (t / (period * scale) + rng.uniform()))
        for scale in (0.6, 1.0, 1.7, 3.1)
    ]
    return np.sum(waves, axis=0) / np.sqrt(2.0)


class Gaze:
    """Turns a camera towards what it wants to see, no faster than its style allows."""

    def __init__(self, style: Style, frames: int, speed: float, rng: np.random.Generator):
        period = 30 / speed
        self.style, self.turn = style, np.radians(style.turn) * speed
        self.low, self.high = np.radians(style.pitch)
        self.mount = rng.triangular(self.low, np.radians(-5), self.high)
        turns = wander(frames, 3 * period, rng) + rng.choice([-1.2, 1.2])
        self.sweep = np.cumsum(turns) * self.turn * 0.35 + rng.uniform(0, 2 * np.pi)
        self.drift = np.radians(style.wander) * wander(frames, 1.2 * period, rng)
        self.yaw, self.pitch, self.rate = None, self.mount, 0.0

    def follow(self, frame: int, place, tangent, aim) -> float:
        """Turn for one frame; return how far the yaw is off what it wants to be."""
        want, want_pitch = self._wish(frame, place, tangent, aim)
        if self.yaw is None:
            self.yaw = want
        error = (want + self.drift[frame] - self.yaw + np.pi) % (2 * np.pi) - np.pi
        self.rate += 0.3 * (np.clip(0.25 * error, -self.turn, self.turn) - self.rate)
        self.yaw += self.rate
        tilt = 0.12 * (np.clip(want_pitch, self.low, self.high) - self.pitch)
        self.pitch += np.clip(tilt, -self.turn, self.turn)
        return error

    def _wish(self, frame, place, tangent, aim):
        if self.style.pace == (0.0, 0.0):
            return self.sweep[frame], self.mount + 0.1 * np.sin(self.sweep[frame])
        if aim is None:
            return np.arctan2(tangent[1], tangent[0] + 1e-9), self.mount
        offset = aim - place
        return np.arctan2(offset[1], offset[0]), np.arctan2(offset[2], np.hypot(*offset[:2]))


def run_along(path, style: Style, aims, pace: float, speed: float, rng: np.random.Generator):
    """
    Run along `path` (K, 3), whose points are STEP apart, at about `pace` metres a frame.

    `aims` has for every frame a place to look at or None. Returns places (F, 3) and yaw, pitch,
    roll (F, 3), radians.
    """
    frames, period = len(aims), 30 / speed
    rate = np.clip(1 + 0.6 * wander(frames, 2 * period, rng), 0.1, 2)
    if style.forward < 1 and rng.random() < 0.3:
        rate = rate * np.tanh(2 + 3 * wander(frames, 5 * period, rng))  # now and then back
    if rng.random() < 0.5:
        rate = rate * np.clip(1.5 + 1.5 * wander(frames, 3 * period, rng), 0, 1)  # pauses
    gaze = Gaze(style, frames, speed, rng)
    last, arc, way = max(len(path) - 1, 1) * STEP, 0.0, 1.0
    places, angles = np.zeros((frames, 3)), np.zeros((frames, 3))
    for frame in range(frames):
        place = _along(path, arc)
        tangent = _along(path, min(arc + 0.4, last)) - _along(path, max(arc - 0.1, 0))
        error = gaze.follow(frame, place, tangent, aims[frame])
        places[frame], angles[frame] = place, (gaze.yaw, gaze.pitch, 0)
        # Wheels turn on the spot before they drive on; others come back the way they went.
        slow = max(0.0, np.cos(error)) ** 2 if style.forward == 1 else 1.0
        arc += way * pace * rate[frame] * slow
        if not 0 <= arc <= last:
            arc, way = float(np.clip(arc, 0, last)), -way
    angles += np.radians(style.tremor) * rng.normal(0, 1, angles.shape)
    angles[:, 2] += np.radians(style.roll) * wander(frames, 1.5 * period, rng) * 0.6
    sway = np.stack([wander(frames, 0.7 * period, rng) for _ in range(3)], 1)
    return places + style.sway * sway, angles


def _along(path, arc):
    at = arc / STEP
    index = min(int(at), len(path) - 1)
    following = min(index + 1, len(path) - 1)
    return path[index] + (at - index) * (path[following] - path[index])
