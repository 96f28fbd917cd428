# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for the network, put in its place through the pipeline's seam."""

import threading

import torch

from xstreamvggt_ros.cache import CacheStats
from xstreamvggt_ros.stream import Frame

DEADLINE = 20.0


class Scripted:
    """
    Answers with what `answer(index, image)` says: a Frame, or an exception to raise.

    index: how many frames of the stream were answered before. With `hold` set, frames wait in hand
    until `released` is.
    """

    def __init__(self, answer=None):
        self.answer = answer or (lambda index, image: flat_frame(*image.shape[-2:]))
        self.index = 0
        self.steps = 0
        self.resets = 0
        self.point_head = False
        self.hold = False
        self.in_hand = threading.Event()
        self.released = threading.Event()

    def step(self, image, keep=True):
        if keep and self.hold:
            self.in_hand.set()
            assert self.released.wait(DEADLINE)
        frame = self.answer(self.index, image)
        if isinstance(frame, Exception):
            raise frame
        self.index += keep
        self.steps += keep
        return frame

    def reset(self):
        self.index = 0
        self.resets += 1

    def cache_stats(self):
        return CacheStats((), 7, 3, 2**20, 0, 0, self.index)

    def state_dict(self):
        return {'index': torch.tensor(self.index), 'image_size': torch.tensor([42, 56])}

    def load_state_dict(self, state):
        self.index = int(state['index'])


def flat_frame(height, width, depth=2.0, camera_from_world=None, intrinsics=None):
    """Answer with a wall at `depth`, seen by a camera at the origin unless told otherwise."""
    depth = torch.full((height, width), float(depth))
    if intrinsics is None:
        intrinsics = torch.tensor(
            [[width, 0.0, width / 2], [0.0, width, height / 2], [0.0, 0.0, 1.0]]
        )
    return Frame(
        pose_encoding=torch.zeros(9),
        depth=depth,
        depth_confidence=torch.ones(height, width),
        points=torch.zeros(height, width, 3),
        points_confidence=torch.ones(height, width),
        camera_from_world=torch.eye(4)[:3] if camera_from_world is None else camera_from_world,
        intrinsics=intrinsics,
    )
