# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A network that knows the truth of synthetic sequences, and whose stream can be spoilt."""

from functools import lru_cache

import numpy as np
import torch

from xstreamvggt_ros.cache import CacheStats
from xstreamvggt_ros.geometry import unproject, world_from_camera_points
from xstreamvggt_ros.stream import Frame
from xstreamvggt_ros.synthetic import render_sequence, SequenceConfig

SKY = 200.0


class Oracle:
    """
    Answer as the network does, with exact geometry, for the images of one sequence.

    A stream's world is its first remembered camera, its unit drawn anew. `noise` is the deviation
    of places, as a share of the median depth, and of depth. Other images give nonsense, and, once
    remembered, spoil scale and pose of everything after, more with every frame.
    """

    def __init__(self, sequence, noise=0.0, seed=0):
        self.sequence = sequence
        self.images = inputs(sequence)
        self.noise = noise
        self.point_head = False
        self.rng = np.random.default_rng(seed)
        self.kept = []
        self.streams = 0
        self._index_of = {image.numpy().tobytes(): at for at, image in enumerate(self.images)}
        self.reset()

    def reset(self):
        self.unit = float(np.exp(self.rng.uniform(-1.5, 1.5)))
        self.origin = None
        self.spoilt = 0
        self.since = 0
        self.streams += 1

    def step(self, image, keep=True):
        index = self._index_of.get(image.numpy().tobytes())
        if keep:
            self.kept.append(index)
            self.since += 1
            self.spoilt += index is None
        if index is None:
            return self._nonsense(*image.shape[-2:])
        origin = index if self.origin is None else self.origin
        if keep:
            self.origin = origin
        return self._truth(index, origin)

    def cache_stats(self):
        return CacheStats((), self.since, 0, 0, 0, 0, self.since)

    def state_dict(self):
        return {'unit': torch.tensor(self.unit), 'origin': torch.tensor(self.origin)}

    def load_state_dict(self, state):
        self.unit, self.origin = float(state['unit']), int(state['origin'])

    def _truth(self, index, origin):
        sequence, spoilt = self.sequence, self.spoilt
        depth = sequence.depth[index].clone()
        depth[depth == 0] = SKY
        middle = float(depth.median())
        pose = square(sequence.camera_from_world[index]) @ np.linalg.inv(
            square(sequence.camera_from_world[origin])
        )
        pose[:3, 3] += self.noise * middle * self.rng.normal(size=3)
        if index == origin:
            pose = np.eye(4)
        depth = depth * (1 + self.noise * torch.randn(depth.shape))
        pose[:3, 3] += 0.02 * spoilt * self.since * middle
        depth = depth * (1 + 0.1 * spoilt)
        return self._frame(pose, depth, 3.0, sequence.intrinsics[index])

    def _nonsense(self, height, width):
        pose = np.eye(4)
        pose[:3, 3] = self.rng.normal(size=3)
        focal = torch.tensor([[width, 0, width / 2], [0, width, height / 2], [0, 0, 1.0]])
        return self._frame(pose, 5 * torch.rand(height, width) + 0.1, 1.01, focal)

    def _frame(self, pose, depth, confidence, intrinsics):
        pose[:3, 3] /= self.unit
        depth = (depth / self.unit).float()
        pose = torch.tensor(pose[:3], dtype=torch.float32)
        confidence = torch.full(depth.shape, confidence)
        points = world_from_camera_points(unproject(depth, intrinsics), pose)
        return Frame(torch.zeros(9), depth, confidence, points, confidence, pose, intrinsics)


def square(pose):
    """Make (4, 4) float64 of a pose (3, 4)."""
    return np.vstack((pose.double().numpy(), (0, 0, 0, 1)))


def inputs(sequence):
    """Give the network's input images of a sequence."""
    return [image.permute(2, 0, 1).float() / 255 for image in sequence.images]


def black(index, height=84, width=112):
    """Give an image taken with the lens covered: sensor noise, never twice the same."""
    noise = torch.randn(3, height, width, generator=torch.Generator().manual_seed(index))
    return (0.01 * noise).clamp(0, 1)


@lru_cache(maxsize=32)
def film(scene, motion, seed, speed=1.0, frames=32):
    """Render a small sequence once per run."""
    return render_sequence(
        SequenceConfig(
            seed=seed,
            frames=frames,
            height=84,
            width=112,
            scene=scene,
            motion=motion,
            speed=speed,
        )
    )
