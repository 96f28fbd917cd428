# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From an image to a reconstruction in the map frame."""

from dataclasses import replace
import math
from types import SimpleNamespace

import numpy as np
from oracles import black, film, Oracle
import pytest
import torch
from torch.nn.functional import avg_pool2d, interpolate

from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.geometry import unproject, world_from_camera_points
from xstreamvggt_ros.model import load_random_weights, ModelConfig, StreamVGGT
from xstreamvggt_ros.pipeline import FrameError, PipelineConfig, ReconstructionPipeline
from xstreamvggt_ros.stream import Frame, StreamingReconstructor

SIZE = 56
# Off the centre on purpose, and not square.
INTRINSICS = torch.tensor([[50.0, 0.0, 20.0], [0.0, 60.0, 30.0], [0.0, 0.0, 1.0]])


class Answering:
    """Answers with a given frame for whatever image, and remembers what it was asked."""

    def __init__(self, frame=None):
        self.frame = frame
        self.point_head = True
        self.images = []
        self.kept = []
        self.resets = 0

    def step(self, image, keep=True):
        self.images.append(image)
        self.kept.append(keep)
        return self.frame or answer(*image.shape[-2:])

    def reset(self):
        self.resets += 1

    def cache_stats(self):
        return 'stats'

    def state_dict(self):
        return {'image_size': torch.tensor([42, SIZE])}

    def load_state_dict(self, state):
        pass


def answer(height=42, width=SIZE, camera_from_world=None):
    generator = torch.Generator().manual_seed(3)
    depth = 1 + torch.rand(height, width, generator=generator)
    camera_from_world = torch.eye(4)[:3] if camera_from_world is None else camera_from_world
    return Frame(
        pose_encoding=torch.zeros(9),
        depth=depth,
        depth_confidence=1 + torch.rand(height, width, generator=generator),
        points=world_from_camera_points(unproject(depth, INTRINSICS), camera_from_world),
        points_confidence=1 + torch.rand(height, width, generator=generator),
        camera_from_world=camera_from_world,
        intrinsics=INTRINSICS,
    )


def moved_camera():
    """Turn a camera by 30 degrees about its y and put it at (1, 2, 3)."""
    turn = math.radians(30)
    rotation = torch.tensor(
        [
            [math.cos(turn), 0, math.sin(turn)],
            [0, 1, 0],
            [-math.sin(turn), 0, math.cos(turn)],
        ]
    )
    return torch.cat([rotation, -rotation @ torch.tensor([[1.0], [2.0], [3.0]])], dim=1)


def picture(seed=0, height=90, width=120):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_a_stream_without_an_image_goes_on_with_any_camera():
    network = Answering()
    network.cache_stats = lambda: SimpleNamespace(steps=0)
    pipeline = ReconstructionPipeline(network, PipelineConfig(image_size=SIZE))
    pipeline.load_state_dict({'image_size': torch.tensor([0, 0])})
    frame = pipeline.process(np.zeros((42, SIZE, 3), np.uint8), camera_index=1)
    assert frame.depth.shape == (42, SIZE)


@pytest.mark.parametrize('size', [[14000, 14000], [14, SIZE + 14], [SIZE + 14, 14]])
def test_a_stream_of_larger_images_than_there_are_is_refused_before_the_network_sees_it(size):
    network = Answering()
    network.load_state_dict = pytest.fail
    pipeline = ReconstructionPipeline(network, PipelineConfig(image_size=SIZE))
    with pytest.raises(ValueError, match=f'{size[1]}x{size[0]}.*model.image_size'):
        pipeline.load_state_dict({'image_size': torch.tensor(size)})


@pytest.mark.parametrize('size', [torch.zeros(3), torch.tensor([7, 14]), torch.tensor(14)])
def test_a_stream_that_does_not_say_its_size_is_refused(size):
    pipeline = ReconstructionPipeline(Answering(), PipelineConfig(image_size=SIZE))
    with pytest.raises(ValueError, match='image_size|multiples of 14'):
        pipeline.load_state_dict({'image_size': size})


def test_a_scale_that_settles_holds_for_no_other_stream():
    pipeline = ReconstructionPipeline(Answering(), PipelineConfig(image_size=SIZE))
    image = np.zeros((42, SIZE, 3), np.uint8)
    before = pipeline.process(image)
    # As where the next image began while this one was being published.
    pipeline.reset()
    pipeline.settle(3.0, before.world)
    after = pipeline.process(image)
    assert after.scale == 1
    pipeline.settle(3.0, after.world)
    assert pipeline.process(image).scale == 3


def test_points_are_depth_lifted_by_off_centre_intrinsics_and_moved_by_the_pose():
    frame = answer(camera_from_world=moved_camera())
    pipeline = ReconstructionPipeline(Answering(frame), PipelineConfig(SIZE, world_axes='optical'))

    reconstruction = pipeline.process(picture())

    v, u = 30, 7
    depth = float(frame.depth[v, u])
    in_camera = np.array([(u - 20) / 50 * depth, (v - 30) / 60 * depth, depth])
    rotation, translation = np.split(frame.camera_from_world.double().numpy(), [3], axis=1)
    in_world = rotation.T @ (in_camera - translation[:, 0])
    np.testing.assert_allclose(reconstruction.points[v, u], in_world, atol=1e-5)
    np.testing.assert_allclose(reconstruction.map_from_camera[:3, 3], [1, 2, 3], atol=1e-5)
    np.testing.assert_array_equal(reconstruction.depth, frame.depth.numpy())
    np.testing.assert_array_equal(reconstruction.intrinsics, INTRINSICS.numpy())


def test_the_first_view_looks_along_x_with_z_up_in_rep103():
    pipeline = ReconstructionPipeline(Answering(), PipelineConfig(SIZE))

    reconstruction = pipeline.process(picture())

    # Columns are where the camera's right, down and forward point.
    np.testing.assert_allclose(
        reconstruction.map_from_camera[:3, :3], [[0, 0, 1], [-1, 0, 0], [0, -1, 0]]
    )
    np.testing.assert_allclose(reconstruction.points[..., 0], reconstruction.depth, rtol=1e-6)
    # Above the principal point is up.
    assert reconstruction.points[0, 20, 2] > 0 > reconstruction.points[41, 20, 2]


@pytest.mark.parametrize('source', ['depth', 'pointmap'])
def test_scale_multiplies_depth_points_and_translation_but_turns_nothing(source):
    frame = answer(camera_from_world=moved_camera())
    config = PipelineConfig(SIZE, point_source=source)
    plain = ReconstructionPipeline(Answering(frame), config).process(picture())
    scaled = ReconstructionPipeline(Answering(frame), replace(config, scale=2.5)).process(
        picture()
    )

    np.testing.assert_allclose(scaled.depth, 2.5 * plain.depth, rtol=1e-6)
    np.testing.assert_allclose(scaled.points, 2.5 * plain.points, atol=1e-4)
    np.testing.assert_allclose(
        scaled.map_from_camera[:3, 3], 2.5 * plain.map_from_camera[:3, 3], rtol=1e-6
    )
    np.testing.assert_array_equal(scaled.map_from_camera[:3, :3], plain.map_from_camera[:3, :3])


def test_points_of_the_point_head_are_turned_into_the_map():
    frame = replace(answer(camera_from_world=moved_camera()), points=torch.zeros(42, SIZE, 3))
    frame.points[...] = torch.tensor([1.0, 2.0, 3.0])
    pipeline = ReconstructionPipeline(
        Answering(frame), PipelineConfig(SIZE, point_source='pointmap')
    )

    reconstruction = pipeline.process(picture())

    np.testing.assert_allclose(reconstruction.points[5, 5], [3, -1, -2], rtol=1e-6)
    np.testing.assert_array_equal(
        reconstruction.points_confidence, frame.points_confidence.numpy()
    )
    np.testing.assert_array_equal(reconstruction.confidence, frame.depth_confidence.numpy())


def test_depth_that_is_not_finite_is_nan_and_so_is_its_point():
    frame = answer()
    frame.depth[3, 4] = math.inf

    reconstruction = ReconstructionPipeline(Answering(frame), PipelineConfig(SIZE)).process(
        picture()
    )

    assert np.isnan(reconstruction.depth[3, 4])
    assert np.isnan(reconstruction.points[3, 4]).all()
    assert np.isfinite(np.delete(reconstruction.depth, 3, axis=0)).all()


def test_a_pose_that_is_not_finite_is_refused_and_begins_a_new_stream():
    network, shown = Answering(answer(camera_from_world=torch.full((3, 4), math.nan))), []

    def abandoned(failed):
        shown.append((failed, failed.resets))

    pipeline = ReconstructionPipeline(network, PipelineConfig(SIZE), abandoned)

    with pytest.raises(FrameError, match='not finite') as caught:
        pipeline.process(picture())

    # Before it is dropped, as others that fail.
    assert shown == [(network, 1)]

    assert caught.value.reason == 'not_finite'
    assert network.resets == 2  # the stream's beginning, and its end


@pytest.mark.parametrize('good', [0, 1, 3])
def test_an_outage_while_a_stream_is_chained_begins_a_new_world(good):
    sequence = film('room', 'handheld', 1)
    oracle = Oracle(sequence)
    # So high that of a known camera only the first image of a stream is a keyframe.
    config = PipelineConfig(112, on_failure='reanchor', keyframe_threshold=1e6)
    pipeline = ReconstructionPipeline(oracle, replace(config, keyframe_threshold=None))
    images = list(sequence.images.numpy())
    for at in range(15, 20):
        images[at] = (255 * black(at).permute(1, 2, 0)).round().byte().numpy()
    pipeline.process(images[0], camera_index=1)
    before = [pipeline.process(image) for image in images[:21]][-1]
    network, calls = oracle.step, []

    def fails(image, keep=True):
        # The present frame comes first; then those of the stream to be chained.
        if len(calls) > good:
            raise RuntimeError('out of memory')
        calls.append(image)
        return network(image, keep)

    oracle.step = fails
    with pytest.raises(RuntimeError, match='out of memory'):
        pipeline.process(images[21])
    oracle.step = network
    pipeline.config = config
    after = pipeline.process(images[22], camera_index=1)

    assert after.world != before.world and after.index == 0
    assert after.kept and oracle.kept[-1] == 22
    assert after.report.action == 'lost'
    np.testing.assert_allclose(after.map_from_camera[:3, 3], 0, atol=1e-6)


def test_a_change_of_size_begins_a_new_stream_and_the_same_size_does_not():
    network = Answering()
    pipeline = ReconstructionPipeline(network, PipelineConfig(SIZE))

    indices = [pipeline.process(picture(height=height)).index for height in (90, 90, 90, 60, 60)]

    assert indices == [0, 1, 2, 0, 1]
    assert network.resets == 2
    assert [tuple(image.shape) for image in network.images[2:4]] == [(3, 42, 56), (3, 28, 56)]


def test_reset_begins_a_new_stream():
    network = Answering()
    pipeline = ReconstructionPipeline(network, PipelineConfig(SIZE))
    pipeline.process(picture())

    pipeline.reset()

    assert network.resets == 2
    assert pipeline.process(picture()).index == 0


def test_a_picture_too_long_for_any_network_is_refused_with_a_reason():
    pipeline = ReconstructionPipeline(Answering(), PipelineConfig(SIZE))

    with pytest.raises(FrameError, match='1200x10') as caught:
        pipeline.process(picture(height=10, width=1200))

    assert caught.value.reason == 'bad_size'
    # And again: what was refused may not pass for planned.
    with pytest.raises(FrameError):
        pipeline.process(picture(height=10, width=1200))
    assert pipeline.process(picture()).index == 0


def test_warming_up_leaves_no_trace():
    network = Answering()

    ReconstructionPipeline(network, PipelineConfig(SIZE)).warm_up()

    assert network.kept == [False]
    assert tuple(network.images[0].shape) == (3, 42, 56)
    assert network.resets == 1


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
@pytest.mark.parametrize(
    ('source', 'field'),
    [
        ('depth', 'pose_encoding'),
        ('depth', 'depth'),
        ('depth', 'depth_confidence'),
        ('pointmap', 'points'),
        ('pointmap', 'points_confidence'),
    ],
)
def test_a_network_that_answers_no_numbers_does_not_pass_the_warm_up(source, field, value):
    frame = answer()
    getattr(frame, field).view(-1)[-1] = value
    pipeline = ReconstructionPipeline(Answering(frame), PipelineConfig(SIZE, point_source=source))

    with pytest.raises(FrameError, match='black image.*not finite') as caught:
        pipeline.warm_up()

    assert caught.value.reason == 'not_finite'


def smooth(seed, blurred=False):
    """Draw large patches of grey with fine grain, which a blur takes away."""
    generator = torch.Generator().manual_seed(seed)
    patches = torch.rand(1, 1, 6, 8, generator=generator)
    grain = 0.2 * (torch.rand(1, 1, 42, SIZE, generator=generator) - 0.5)
    drawn = (0.2 + 0.6 * interpolate(patches, (42, SIZE), mode='bilinear') + grain).clamp(0, 1)
    if blurred:
        # Three boxes are as good as a Gaussian.
        for _ in range(3):
            drawn = avg_pool2d(drawn, 3, stride=1, padding=1, count_include_pad=False)
    return (255 * drawn[0, 0]).byte().numpy()[..., None].repeat(3, axis=2)


@pytest.mark.parametrize('on_failure', ['reset', 'reanchor'])
def test_an_image_that_the_watch_did_not_keep_is_no_keyframe_to_compare_with(on_failure):
    network = Answering()
    pipeline = ReconstructionPipeline(
        network, PipelineConfig(SIZE, keyframe_threshold=0.25, on_failure=on_failure)
    )
    for seed in range(6):
        assert pipeline.process(smooth(seed)).kept

    blurred = pipeline.process(smooth(9, blurred=True))
    sharp = pipeline.process(smooth(9))

    assert blurred.report.action == 'not_kept'
    assert network.kept[-2:] == [False, True]
    assert [blurred.kept, sharp.kept] == [False, True]


def test_an_image_that_was_not_kept_leaves_the_keyframe_before_it():
    network = Answering()
    pipeline = ReconstructionPipeline(
        network, PipelineConfig(SIZE, keyframe_threshold=0.25, on_failure='reset')
    )
    for seed in range(6):
        pipeline.process(smooth(seed))
    pipeline.process(smooth(9, blurred=True))

    # Nothing new since the last that was kept.
    assert not pipeline.process(smooth(5)).kept


def test_a_point_head_is_run_only_where_its_points_are_wanted():
    network = Answering()
    pipeline = ReconstructionPipeline(network, PipelineConfig(SIZE))

    pipeline.process(picture())
    assert network.point_head is False

    pipeline.config = replace(pipeline.config, point_source='pointmap')
    pipeline.process(picture())
    assert network.point_head is True


@pytest.mark.parametrize(
    'wrong',
    [
        {'world_axes': 'enu'},
        {'scale': 0.0},
        {'scale': math.nan},
        {'point_source': 'x'},
        {'on_failure': 'x'},
    ],
)
def test_wrong_configuration_is_refused_by_name(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        PipelineConfig(SIZE, **wrong)


def test_it_gives_what_the_network_gives():
    torch.manual_seed(0)
    model = StreamVGGT(ModelConfig.preset('tiny'))
    load_random_weights(model)
    pipeline = ReconstructionPipeline(
        StreamingReconstructor(model, CacheConfig()), PipelineConfig(SIZE, world_axes='optical')
    )
    alone = StreamingReconstructor(model, CacheConfig(), point_head=False)

    for seed in range(3):
        # At the network's own size, so that nothing is resized.
        image = picture(seed, 42, SIZE)
        frame = alone.step(torch.from_numpy(image).permute(2, 0, 1) / 255)
        reconstruction = pipeline.process(image)
        np.testing.assert_allclose(reconstruction.depth, frame.depth, rtol=1e-6)
        np.testing.assert_allclose(
            reconstruction.points, frame.points, atol=1e-5 * float(frame.points.abs().max())
        )
        np.testing.assert_array_equal(reconstruction.picture, image)
