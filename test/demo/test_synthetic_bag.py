# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A rendered sequence survives the bag bit for bit."""

import numpy as np
import torch

from xstreamvggt_ros.demo.synthetic_bag import write_sequence_bag
from xstreamvggt_ros.inputs import open_sequence
from xstreamvggt_ros.synthetic import SyntheticSequence

FRAMES, HEIGHT, WIDTH = 3, 6, 8


def test_images_depth_poses_and_intrinsics_come_back(tmp_path):
    generator = torch.Generator().manual_seed(5)
    depth = 1 + torch.rand(FRAMES, HEIGHT, WIDTH, generator=generator)
    depth[:, 0, 0] = 0.0  # the sky
    angle = torch.tensor(0.3)
    turn = torch.tensor(
        [[angle.cos(), -angle.sin(), 0], [angle.sin(), angle.cos(), 0], [0, 0, 1.0]]
    )
    camera_from_world = torch.cat([turn, torch.tensor([[1.0], [2.0], [3.0]])], 1)
    sequence = SyntheticSequence(
        torch.randint(0, 256, (FRAMES, HEIGHT, WIDTH, 3), generator=generator, dtype=torch.uint8),
        depth,
        camera_from_world.expand(FRAMES, 3, 4),
        torch.tensor([[7.0, 0, 4], [0, 7.5, 3], [0, 0, 1]]).expand(FRAMES, 3, 3),
    )
    write_sequence_bag(tmp_path / 'made.mcap', sequence, 30.0)

    frames = open_sequence(tmp_path / 'made.mcap').frames
    stamps = [frame.stamp_ns for frame in frames]
    assert len(set(stamps)) == FRAMES and all(stamp % 10 for stamp in stamps[:2])
    for index, frame in enumerate(frames):
        assert frame.payload().data == sequence.images[index].numpy().tobytes()
        np.testing.assert_array_equal(frame.image(), sequence.images[index])
        sample = frame.truth()
        assert np.isnan(sample.depth[0, 0])
        np.testing.assert_array_equal(sample.depth[1:], depth[index, 1:])
        np.testing.assert_array_equal(sample.intrinsics, sequence.intrinsics[index])
        back = sample.world_from_camera @ np.vstack([camera_from_world, [0, 0, 0, 1]])
        np.testing.assert_allclose(back, np.eye(4), atol=1e-6)
    np.testing.assert_allclose(frames[0].calibration.k, sequence.intrinsics[0].ravel())
