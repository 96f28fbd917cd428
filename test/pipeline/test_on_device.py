# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What a device makes of images and frames is what the host makes of them.

The same functions run on tensors of the CPU here; those marked gpu run them on CUDA, with streams.
"""

import dataclasses

from devices import DEVICES
from networks import flat_frame, Scripted
import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.images.camera_model import CameraModel
from xstreamvggt_ros.model import load_random_weights, ModelConfig, StreamVGGT
from xstreamvggt_ros.pipeline import (
    CloudChoice,
    FrameError,
    PipelineConfig,
    ReconstructionPipeline,
)
from xstreamvggt_ros.pipeline.packing import pack, unpack
from xstreamvggt_ros.pipeline.transfer import joined, parted, Transfer
from xstreamvggt_ros.stream import Frame, StreamingReconstructor
from xstreamvggt_ros.world.clouds import select_cloud

SIZE = 56
CPU = torch.device('cpu')
CAMERA = CameraModel(
    120, 90, (100.0, 0, 58.3, 0, 98, 47.1, 0, 0, 1), (0.1, 0.02, 0, 0, 0), 'plumb_bob'
)


def picture(seed=0, height=90, width=120):
    """Draw something smooth: what differs by a level then hardly moves the network."""
    coarse = np.random.default_rng(seed).random((1, 3, 5, 6))
    smooth = torch.nn.functional.interpolate(
        torch.from_numpy(coarse), (height, width), mode='bilinear'
    )
    return (255 * smooth[0].permute(1, 2, 0)).byte().numpy()


@pytest.fixture(scope='module')
def weights():
    torch.manual_seed(0)
    model = StreamVGGT(ModelConfig.preset('tiny'))
    load_random_weights(model)
    return model


def pipelines(weights, device='cpu', **options):
    """Give one whose host prepares and assembles, and one whose device does."""
    made = []
    for place in (None, torch.device(device)):
        model = StreamVGGT(ModelConfig.preset('tiny'))
        model.load_state_dict(weights.state_dict())
        network = StreamingReconstructor(model.to(place or CPU), CacheConfig(budget_tokens=60))
        made.append(ReconstructionPipeline(network, PipelineConfig(SIZE, **options), device=place))
    return made


def assert_alike(actual, expected, tolerance):
    """Compare reconstructions; the pictures may differ by a level."""
    assert np.abs(actual.picture.astype(int) - expected.picture).max() <= 1
    for field in dataclasses.fields(expected):
        one, other = getattr(actual, field.name), getattr(expected, field.name)
        if field.name in ('picture', 'report', 'cloud'):
            continue
        if isinstance(other, np.ndarray):
            assert (one.dtype, one.shape) == (other.dtype, other.shape)
            np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)
        else:
            assert one == other, field.name


class Answering(Scripted):
    """Answers with frames of random numbers, the same for every image, on a device."""

    def __init__(self, device):
        super().__init__(lambda index, image: self.frame(index, image, torch.device(device)))

    def frame(self, index, image, device):
        assert image.device.type == device.type
        generator = torch.Generator().manual_seed(index)
        size = image.shape[-2:]
        frame = flat_frame(*size)
        random = {
            'depth': 1 + torch.rand(*size, generator=generator),
            'depth_confidence': 1 + torch.rand(*size, generator=generator),
            'points': torch.randn(*size, 3, generator=generator),
            'points_confidence': 1 + torch.rand(*size, generator=generator),
        }
        random['depth'][3, 5] = torch.inf
        frame = dataclasses.replace(frame, **random)
        return Frame(**{name: value.to(device) for name, value in vars(frame).items()})


@pytest.mark.parametrize('device', DEVICES)
@pytest.mark.parametrize('camera', [None, CAMERA], ids=['as it is', 'undistorted'])
@pytest.mark.parametrize('source', ['depth', 'pointmap'])
def test_a_device_assembles_what_the_host_does(camera, source, device):
    config = PipelineConfig(SIZE, point_source=source, scale=2.5)
    host = ReconstructionPipeline(Answering('cpu'), config)
    other = ReconstructionPipeline(Answering(device), config, device=torch.device(device))

    for seed in range(3):
        image = picture(seed)
        expected, actual = host.process(image, camera), other.process(image, camera)
        assert_alike(actual, expected, tolerance=1e-5)
        assert actual.cloud is expected.cloud is None


@pytest.mark.parametrize('device', DEVICES)
def test_a_network_sees_on_a_device_what_it_sees_on_the_host(weights, device):
    host, other = pipelines(weights, device)

    for seed in range(3):
        assert_alike(other.process(picture(seed)), host.process(picture(seed)), tolerance=1e-2)


@pytest.mark.parametrize('device', DEVICES)
def test_the_next_image_may_be_prepared_before_this_one_is_finished(weights, device):
    """And this one's arrays may be fetched after the next has begun."""
    plain, overlapped = (pipelines(weights, device)[1] for _ in range(2))
    images = [picture(seed) for seed in range(4)]
    expected = [plain.process(image, CAMERA) for image in images]

    found, begun, pending = [], None, None
    for image in images:
        prepared = overlapped.prepare(image, CAMERA)
        if begun is not None:
            pending = overlapped.finish(begun)
        begun = overlapped.begin(prepared)
        if pending is not None:
            found.append(pending.result())
    found.append(overlapped.finish(begun).result())

    for actual, each in zip(found, expected, strict=True):
        np.testing.assert_array_equal(actual.picture, each.picture)
        assert_alike(actual, each, tolerance=1e-5)


def test_an_image_prepared_for_another_size_or_camera_is_prepared_anew(weights):
    pipeline = pipelines(weights)[1]
    pipeline.process(picture())

    larger = pipeline.prepare(picture(height=60))
    assert larger.pixels is None
    pipeline.process(picture(height=60))
    old = pipeline.prepare(picture(height=60))
    assert old.pixels is not None
    pipeline.process(picture(height=90))

    again = pipeline.finish(pipeline.begin(old)).result()
    assert again.index == 0 and again.depth.shape == (28, SIZE)


def test_an_image_that_cannot_be_used_is_refused_where_it_begins(weights):
    pipeline = pipelines(weights)[1]
    pipeline.process(picture())

    with pytest.raises(FrameError, match='camera_info'):
        pipeline.begin(pipeline.prepare(picture(), CameraModel(640, 480, CAMERA.K)))
    with pytest.raises(FrameError, match='10 times'):
        pipeline.begin(pipeline.prepare(picture(height=10, width=1200)))
    assert pipeline.process(picture()).index == 1


@pytest.mark.parametrize('device', DEVICES)
@pytest.mark.parametrize('choice', [(0.0, 1), (0.0, 3), (20.0, 1), (35.0, 2), (100.0, 1)])
def test_the_cloud_is_packed_byte_by_byte_as_the_host_packs_it(weights, choice, device):
    # The rest of this file needs no ROS, so that it runs on a bare machine with a GPU.
    messages = pytest.importorskip('xstreamvggt_ros.messages', reason='ROS is not installed')
    choice = CloudChoice(*choice)
    pipeline = pipelines(weights, device, cloud=choice)[1]

    frame = pipeline.process(picture(), CAMERA)

    selected = select_cloud(dataclasses.replace(frame, cloud=None), *choice)
    header = messages.header_with(messages.time_from_ns(0), 'map')
    expected = messages.point_cloud(selected.points, selected.colours, selected.confidence, header)
    packed = frame.cloud
    actual = messages.packed_cloud(packed.rows, packed.shape, packed.dense, header)
    assert actual == expected
    # The map takes the same rows.
    taken = select_cloud(frame, *choice)
    assert taken.packed is packed
    for name in ('points', 'colours', 'confidence'):
        np.testing.assert_array_equal(getattr(taken, name), getattr(selected, name))
    # Another choice than it was packed by is made by the host.
    assert select_cloud(frame, 50.0, 5).packed is None


@pytest.mark.parametrize('device', DEVICES)
def test_a_cloud_without_a_finite_point_is_empty_and_ties_all_stay(device):
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(4, 6, 3, generator=generator)
    colours = torch.randint(0, 256, (4, 6, 3), generator=generator, dtype=torch.uint8)

    def packed(points, confidence, percentile):
        choice = CloudChoice(percentile, 1)
        tensors = pack(*(each.to(device) for each in (points, colours, confidence)), choice)
        arrays = {name: tensor.cpu().numpy() for name, tensor in tensors.items()}
        return unpack(arrays, choice, (4, 6))

    assert len(packed(torch.full_like(points, torch.nan), torch.ones(4, 6), 20.0).rows) == 0
    assert len(packed(points, torch.ones(4, 6), 90.0).rows) == 24
    spoilt = torch.ones(4, 6)
    spoilt[1, 2] = torch.inf
    assert len(packed(points, spoilt, 0.1).rows) == 23


class NoQuestions(TorchDispatchMode):
    """Fail where the host asks a device for a number, and so waits for it."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert func.overloadpacket.__name__ not in ('item', '_local_scalar_dense')
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize('percentile', [0.0, 40.0])
def test_to_pack_a_cloud_asks_the_device_nothing(percentile):
    points, colours = torch.rand(4, 6, 3), torch.zeros(4, 6, 3, dtype=torch.uint8)
    with NoQuestions(), torch.inference_mode():
        tensors = pack(points, colours, torch.rand(4, 6), CloudChoice(percentile, 1))
    assert tensors['cloud'].shape == (24, 5)


def test_what_is_joined_for_one_download_is_parted_to_the_bit():
    tensors = {
        'bytes': torch.arange(7, dtype=torch.uint8),
        'numbers': torch.randn(3, 5),
        'count': torch.tensor([1, 2]),
        'empty': torch.empty(0, 5),
        'turned': torch.randn(4, 3).T,
    }

    block, places = joined(tensors)

    assert block.dtype == torch.uint8
    for name, tensor in parted(block, places).items():
        assert torch.equal(tensor, tensors[name])


@pytest.mark.parametrize('device', DEVICES)
@pytest.mark.parametrize('reverse', [1, -1])
def test_arrays_go_to_the_device_and_back(device, reverse):
    transfer = Transfer(torch.device(device))
    # As OpenCV's BGR is made RGB.
    array = picture()[..., ::reverse]
    array.setflags(write=False)

    with transfer.ahead():
        uploaded = transfer.upload(array)
    transfer.take_over(uploaded)
    first = transfer.download({'array': uploaded, 'half': uploaded[:45]})
    second = transfer.download({'array': uploaded + 1})

    np.testing.assert_array_equal(first.arrays()['half'], array[:45])
    np.testing.assert_array_equal(second.arrays()['array'], array + 1)
    np.testing.assert_array_equal(first.arrays()['array'], array)


@pytest.mark.parametrize('number', [np.nan, np.inf, 255.0])
def test_floats_that_are_no_colours_do_not_get_to_a_device(number):
    pipeline = ReconstructionPipeline(Scripted(), PipelineConfig(SIZE), device=CPU)
    image = picture().astype(np.float32) / 255
    pipeline.process(image)
    image[3, 4, 1] = number

    with pytest.raises(ValueError, match=r'not finite|give RGB in \[0, 1\]'):
        pipeline.process(image)
