# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A rendered sequence as evaluation sees one, with frames that can be spoilt."""

from dataclasses import dataclass, field
import hashlib

import numpy as np
from oracles import film

from xstreamvggt_ros.geometry import invert_rigid
from xstreamvggt_ros.images.camera_model import CameraModel
from xstreamvggt_ros.inputs import DamagedFrame, FrameTruth, SequenceFrame, TOPIC

PERIOD_NS = 100_000_001
START_NS = 1_700_000_000_123_456_789


@dataclass
class Filmed:
    """Some frames of a rendered room; those in `damaged` cannot be read."""

    count: int = 6
    seed: int = 2**30
    calibrated: bool = True
    distortion: tuple = ()
    damaged: tuple = ()
    name: str = 'room'
    dataset: str = 'synthetic'
    independent_frames: bool = False
    topic: str = TOPIC
    transport: str = 'raw'
    problems: tuple = ()
    frames: list = field(init=False)

    def __post_init__(self):
        self.film = film('room', 'drone', self.seed, frames=max(self.count, 2))
        self.frames = [self._frame(index) for index in range(self.count)]

    def fingerprint(self):
        text = repr((self.count, self.seed, self.calibrated, self.distortion, self.damaged))
        return hashlib.sha256(text.encode()).hexdigest()

    def _frame(self, index):
        film = self.film
        height, width = film.images.shape[1:3]
        camera = None
        if self.calibrated:
            model = 'plumb_bob' if self.distortion else 'none'
            camera = CameraModel(
                width, height, film.intrinsics[index].numpy(), self.distortion, model
            )

        def image():
            if index in self.damaged:
                raise DamagedFrame(f'frame {index} is damaged')
            return film.images[index].numpy()

        def truth():
            depth = film.depth[index].numpy().astype(np.float32)
            return FrameTruth(
                np.where(depth > 0, depth, np.nan),
                invert_rigid(film.camera_from_world[index].double().numpy()),
                film.intrinsics[index].double().numpy(),
            )

        stamp = START_NS + PERIOD_NS * index
        return SequenceFrame(stamp, f'{index:06d}', camera, image, truth)
