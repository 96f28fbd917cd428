# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ways through a scene that keep clear of everything in it."""

from __future__ import annotations

import numpy as np
import torch

from xstreamvggt_ros.synthetic.distances import signed_distance
from xstreamvggt_ros.synthetic.scene import Scene

# The least distance, metres, between a camera and any surface.
CLEARANCE = 0.3
MARGIN = 0.38


class FreeSpace:
    """Answers where a camera may be; places are (N, 3): x, y and height above the ground."""

    def __init__(self, scene: Scene, heights: tuple[float, float], rng: np.random.Generator):
        self.scene, self.rng = scene, rng
        if scene.sky is None:
            heights = (heights[0], max(heights[0], min(heights[1], scene.bounds[1][2] - 0.4)))
        self.core = _volume(scene.core, heights)
        self.lower, self.upper = _volume(scene.bounds, heights)
        self.ground = [plane for plane in scene.planes if plane.normal[2] > 0.3]

    def world(self, places: np.ndarray) -> np.ndarray:
        """Add the ground's height to the places' own."""
        heights = [
            (plane.offset - places[..., :2] @ np.array(plane.normal[:2])) / plane.normal[2]
            for plane in self.ground
        ]
        result = places.copy()
        result[..., 2] += np.max(heights, axis=0)
        return result

    def clearance(self, places: np.ndarray) -> np.ndarray:
        """Return the distance to the nearest surface of each place."""
        points = torch.tensor(self.world(places), dtype=torch.float32, device=self.scene.device)
        return (
            signed_distance(self.scene.primitives, points.reshape(-1, 3))
            .cpu()
            .numpy()
            .reshape(places.shape[:-1])
        )

    def start(self) -> np.ndarray | None:
        """Choose a clear place, rather an open one; None if none was found."""
        places = self.rng.uniform(*self.core, (192, 3))
        room = self.clearance(places)
        clear = np.flatnonzero(room > MARGIN)[:4]
        return places[clear[room[clear].argmax()]] if len(clear) else None

    def walk(self, start: np.ndarray, length: float, hop: tuple[float, float]) -> np.ndarray:
        """
        Return waypoints (K, 3) joined by clear straight lines, about `length` metres in all.

        `hop` is the range of distances between waypoints. Some are visited again.
        """
        points, done = [start], 0.0
        while done < length:
            tries = (self._next(points, hop) for _ in range(4))
            following = next((place for place in tries if place is not None), None)
            if following is None:
                break
            done += float(np.linalg.norm(following - points[-1]))
            points.append(following)
        return np.array(points)

    def _next(self, points, hop):
        rng, here = self.rng, points[-1]
        away = rng.uniform(*hop, 24)
        angle = rng.uniform(0, 2 * np.pi, 24)
        ahead = here + np.stack((away * np.cos(angle), away * np.sin(angle), np.zeros(24)), 1)
        ahead[:, 2] = np.clip(
            here[2] + rng.normal(0, 0.25, 24) * away, self.lower[2], self.upper[2]
        )
        if len(points) > 2 and rng.random() < 0.25:
            ahead = np.concatenate((np.array(points[:-2]), ahead))
        ahead = ahead[((ahead > self.lower - 1e-6) & (ahead < self.upper + 1e-6)).all(1)]
        if not len(ahead):
            return None
        steps = np.linspace(0, 1, 24)[None, :, None]
        lines = here + steps * (ahead - here)[:, None]
        clear = ahead[self.clearance(lines).min(1) > MARGIN]
        if not len(clear):
            return None
        score = rng.uniform(0, 1.2, len(clear))
        if len(points) > 1:
            before = here - points[-2]
            after = clear - here
            score += (after @ before) / (
                np.linalg.norm(before) * np.linalg.norm(after, axis=1) + 1e-6
            )
        return clear[score.argmax()]


def _volume(corners, heights) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners of a volume with heights above the ground instead of z."""
    (x, y, _), (far_x, far_y, _) = corners
    return np.array([x, y, heights[0]]), np.array([far_x, far_y, heights[1]])


def resample(points: np.ndarray, step: float, smoothing: float) -> np.ndarray:
    """Return the polyline (K, 3) as points about `step` apart, rounded over `smoothing` metres."""
    lengths = np.concatenate(([0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))))
    at = np.arange(0, lengths[-1] + step, step)
    dense = np.stack([np.interp(at, lengths, points[:, axis]) for axis in range(3)], 1)
    reach = int(smoothing / step)
    if reach < 1 or len(dense) < 3:
        return dense
    kernel = np.hanning(2 * reach + 3)[1:-1]
    padded = np.pad(dense, ((reach, reach), (0, 0)), mode='edge')
    return np.stack(
        [np.convolve(padded[:, axis], kernel / kernel.sum(), 'valid') for axis in range(3)], 1
    )
