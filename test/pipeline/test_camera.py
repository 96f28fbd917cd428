# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several cameras in one stream."""

from networks import flat_frame, Scripted
import numpy as np
import pytest
import torch

from xstreamvggt_ros.images.camera_model import CameraModel
from xstreamvggt_ros.images.preprocessing import Preprocessing
from xstreamvggt_ros.pipeline import FrameError, PipelineConfig, ReconstructionPipeline
from xstreamvggt_ros.pipeline.camera import Camera
from xstreamvggt_ros.world.accumulation import Accumulation
from xstreamvggt_ros.world.clouds import select_cloud

SIZE = 56
WIDE, TALL, SQUARE = (42, 56), (56, 42), (56, 56)


class Seeing(Scripted):
    """Answers with a wall, and notes the sizes that it saw and which images it kept."""

    def __init__(self):
        super().__init__()
        self.sizes, self.kept = [], []

    def step(self, image, keep=True):
        self.sizes.append(tuple(image.shape[-2:]))
        self.kept.append(keep)
        return super().step(image, keep)


def pipeline(**config):
    network = Seeing()
    return ReconstructionPipeline(network, PipelineConfig(SIZE, **config)), network


def noise(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), np.uint8)


def test_all_are_brought_to_the_first_one_s_size_in_one_stream():
    several, network = pipeline()
    shapes = [WIDE, TALL, (84, 112), (100, 200)]
    frames = [several.process(noise(shape), None, index) for index, shape in enumerate(shapes)]

    assert network.sizes == [WIDE] * 4
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert len({frame.world for frame in frames}) == 1
    assert [frame.camera_index for frame in frames] == [0, 1, 2, 3]
    # Of the tall one the middle is left, and nothing is stretched.
    covered = Preprocessing.cover(*TALL, WIDE)
    np.testing.assert_array_equal(
        frames[1].picture, Preprocessing.picture(covered.apply(noise(TALL))).numpy()
    )


def test_each_has_its_own_calibration_and_its_depth_follows():
    several, _ = pipeline()
    models = [
        CameraModel(WIDE[1], WIDE[0], [50.0, 0, 28, 0, 50, 21, 0, 0, 1], (), 'none'),
        CameraModel(TALL[1], TALL[0], [30.0, 0, 21, 0, 30, 28, 0, 0, 1], (), 'none'),
    ]
    for _ in range(2):
        first = several.process(noise(WIDE), models[0], 0)
        second = several.process(noise(TALL), models[1], 1)

    assert first.intrinsics[0, 0] == pytest.approx(50)
    np.testing.assert_allclose(
        second.intrinsics,
        Preprocessing.cover(*TALL, WIDE).intrinsics(np.reshape(models[1].K, (3, 3))),
    )
    # The depth image is of the last one's camera.
    assert several.align_depth(np.ones(TALL, np.float32)).shape == WIDE
    with pytest.raises(ValueError, match='registered'):
        several.align_depth(np.ones(WIDE, np.float32))


def test_depth_before_any_image_is_refused():
    with pytest.raises(ValueError, match='before any'):
        pipeline()[0].align_depth(np.ones(WIDE, np.float32))


def test_until_the_first_has_come_another_decides():
    several, network = pipeline()
    before = several.process(noise(SQUARE), None, 1)
    also = several.process(noise(WIDE), None, 2)
    first = several.process(noise(WIDE), None, 0)
    after = several.process(noise(SQUARE), None, 1)

    assert network.sizes == [SQUARE, SQUARE, WIDE, WIDE]
    assert before.world == also.world != first.world == after.world
    assert [first.index, after.index] == [0, 1]


def test_another_size_of_one_begins_a_new_stream_once():
    several, network = pipeline()
    worlds = [
        several.process(noise(shape), None, index).world
        for index, shape in [(0, WIDE), (1, TALL), (1, SQUARE), (0, WIDE), (1, SQUARE)]
    ]

    assert worlds[0] == worlds[1] != worlds[2]
    assert len(set(worlds[2:])) == 1
    assert set(network.sizes) == {WIDE}


def test_a_size_that_nothing_sees_leaves_the_stream_as_it_is():
    several, network = pipeline()
    several.process(noise(WIDE), None, 0)
    with pytest.raises(FrameError, match='10 times'):
        several.process(noise((4, 100)), None, 1)

    assert several.process(noise(WIDE), None, 0).index == 1


def test_each_stands_still_by_itself():
    several, network = pipeline(keyframe_threshold=0.5)
    for _ in range(3):
        several.process(noise(WIDE, 0), None, 0)
        several.process(noise(WIDE, 1), None, 1)
    assert network.kept == [True, True, False, False, False, False]

    several.reset()
    several.process(noise(WIDE, 1), None, 1)
    assert network.kept[-1]


def test_each_camera_is_watched_apart():
    def two_walls(index, image):
        pose = torch.eye(4)[:3]
        pose[0, 3] = 50.0 * (index % 2)
        return flat_frame(*image.shape[-2:], camera_from_world=pose)

    several = ReconstructionPipeline(Scripted(two_walls), PipelineConfig(SIZE))
    for _ in range(8):
        # Far apart, which would be a jump of one camera that took both.
        reports = [several.process(noise(WIDE, index), None, index).report for index in (0, 2)]

    assert [report.level for report in reports] == ['ok', 'ok']
    assert several.process(noise(WIDE), None, 2).report.level == 'warn'


def test_the_map_is_of_all_and_the_path_of_the_first():
    several, _ = pipeline()
    world = Accumulation(voxel_size=0.5, max_points=1000, path_length=10)
    for stamp, index in enumerate([0, 1, 0, 1, 1]):
        frame = several.process(noise(WIDE), None, index)
        world.add(frame, select_cloud(frame, 0.0, 1), stamp)

    assert [pose.stamp_ns for pose in world.path] == [0, 2]
    assert world.frames == 5
    assert len(world.cloud().points)


def test_a_camera_makes_what_undistorts_once():
    camera = Camera(Preprocessing.plan(*WIDE, SIZE))
    model = CameraModel(
        WIDE[1], WIDE[0], [50.0, 0, 28, 0, 50, 21, 0, 0, 1], (0.1, 0, 0, 0), 'plumb_bob'
    )
    camera.look_through(model)
    first = camera.view
    camera.look_through(model)

    assert camera.view is first
    camera.look_through(None)
    assert camera.view is None
