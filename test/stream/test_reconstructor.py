# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
import copy
from dataclasses import replace

import golden
import numpy as np
import pytest
from safetensors.torch import load_file, save_file
from shapes import SMALLEST
import torch

from xstreamvggt_ros.cache import BudgetTooSmall, CacheConfig
from xstreamvggt_ros.geometry import unproject, world_from_camera_points
from xstreamvggt_ros.model import load_random_weights, ModelConfig, StreamVGGT
from xstreamvggt_ros.stream import StreamingReconstructor

PARITY = 2e-5


@pytest.fixture(scope='module')
def model() -> StreamVGGT:
    network = StreamVGGT(SMALLEST)
    load_random_weights(network)
    return network


def images(count: int, height: int = 42, width: int = 56, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    'name', ['full_conv4', 'full_vits4', 'pruned_conv4', 'pruned_long_conv4', 'pruned_vits4']
)
def test_reproduces_the_published_networks(name):
    file = golden.load(name)
    actual = golden.replay(file, file.cache_config())
    for array, expected in file.expected.items():
        error = np.abs(actual[array] - expected).max() / np.abs(expected).max()
        assert error <= PARITY, array


@pytest.mark.parametrize('name', ['conv4', 'vits4'])
def test_four_real_bits_are_nearer_to_the_pruned_cache_than_the_simulated_ones(name):
    file = golden.load(f'pruned_{name}')
    simulated = golden.load(f'simulated_int4_{name}').expected

    def error(arrays, array):
        difference = arrays[array][1:] - file.expected[array][1:]
        return np.linalg.norm(difference) / np.linalg.norm(file.expected[array][1:])

    paper = golden.replay(file, file.cache_config(bits=4, scheme='kcvt'))
    default = golden.replay(file, file.cache_config(bits=4))
    for array in ('depth', 'depth_conf', 'points', 'points_conf'):
        assert error(paper, array) <= 0.9 * error(simulated, array), array
        assert error(default, array) <= error(simulated, array), array


def test_a_stream_equals_the_whole_sequence_at_once(model):
    sequence = images(5)
    with torch.inference_mode():
        whole = model(sequence[None])
    reconstructor = StreamingReconstructor(model, CacheConfig(camera_cache='per_iteration'))
    for index, image in enumerate(sequence):
        frame = reconstructor.step(image)
        torch.testing.assert_close(frame.depth, whole.depth[0, index], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(
            frame.pose_encoding, whole.pose_encodings[-1][0, index], rtol=1e-4, atol=1e-5
        )


def test_without_the_point_head_points_follow_from_depth_and_pose(model):
    frame = StreamingReconstructor(model, point_head=False).step(images(1)[0])
    lifted = world_from_camera_points(
        unproject(frame.depth, frame.intrinsics), frame.camera_from_world
    )
    torch.testing.assert_close(frame.points, lifted)
    torch.testing.assert_close(frame.points_confidence, frame.depth_confidence)


@pytest.mark.parametrize('camera_cache', ['shared', 'per_iteration'])
@pytest.mark.parametrize('strict', [True, False])
@pytest.mark.parametrize('bits', [16, 4])
def test_a_frame_that_is_not_kept_leaves_no_trace(model, bits, strict, camera_cache):
    config = CacheConfig(
        budget_tokens=40,
        bits=bits,
        strict_budget=strict,
        camera_cache=camera_cache,
        camera_budget_frames=3,
    )
    looked, plain = (StreamingReconstructor(model, config) for _ in range(2))
    for index, image in enumerate(images(8)):
        looked.step(images(1, seed=100 + index)[0], keep=False)
        expected, actual = plain.step(image), looked.step(image)
        assert torch.equal(expected.depth, actual.depth)
        assert torch.equal(expected.pose_encoding, actual.pose_encoding)
    assert looked.cache_stats() == plain.cache_stats()


@pytest.mark.parametrize('camera_cache', ['shared', 'per_iteration'])
@pytest.mark.parametrize(('budget', 'strict'), [(40, True), (40, False), (6, False)])
def test_a_frame_that_is_not_kept_is_answered_like_one_that_is(
    model, budget, strict, camera_cache
):
    config = CacheConfig(
        budget_tokens=budget,
        strict_budget=strict,
        camera_budget_frames=3,
        camera_cache=camera_cache,
    )
    kept, looked = (StreamingReconstructor(model, config) for _ in range(2))
    for image in images(6):
        actual, expected = looked.step(image, keep=False), kept.step(image)
        assert torch.equal(actual.depth, expected.depth)
        assert torch.equal(actual.pose_encoding, expected.pose_encoding)
        looked.step(image)


def test_reset_starts_a_new_stream(model):
    reconstructor = StreamingReconstructor(model, CacheConfig(budget_tokens=40))
    sequence = images(4)
    before = [reconstructor.step(image).depth for image in sequence]
    reconstructor.reset()
    assert reconstructor.cache_stats().bytes == 0
    after = [reconstructor.step(image).depth for image in sequence]
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))


def test_reset_lets_another_image_size_in(model):
    reconstructor = StreamingReconstructor(model)
    reconstructor.step(images(1)[0])
    with pytest.raises(ValueError, match=r'56x28.*56x42.*reset'):
        reconstructor.step(images(1, 28, 56)[0])
    reconstructor.reset()
    assert reconstructor.step(images(1, 28, 56)[0]).depth.shape == (28, 56)


@pytest.mark.parametrize(
    ('image', 'message'),
    [
        (torch.rand(3, 40, 56), '56x40.*multiples of 14'),
        (torch.rand(1, 42, 56), r'\(1, 42, 56\)'),
        (torch.rand(1, 3, 42, 56), r'\(1, 3, 42, 56\)'),
        (torch.rand(3, 0, 56), '56x0'),
        (torch.zeros(3, 42, 56, dtype=torch.uint8), 'uint8'),
        (torch.full((3, 42, 56), float('nan')), 'not finite'),
    ],
)
def test_an_image_that_cannot_be_used_is_refused(model, image, message):
    reconstructor = StreamingReconstructor(model)
    with pytest.raises(ValueError, match=message):
        reconstructor.step(image)
    assert reconstructor.step(images(1)[0]).depth.isfinite().all()


def test_the_numbers_of_checked_images_on_a_device_are_not_waited_for():
    # Tensors without memory have none to ask for, as a device's are not there yet.
    with torch.device('meta'):
        network, image = StreamVGGT(SMALLEST), torch.empty(3, 42, 56)

    assert StreamingReconstructor(network, images_checked=True).step(image).depth.is_meta
    with pytest.raises(RuntimeError, match='meta'):
        StreamingReconstructor(network).step(image)


def test_images_of_the_host_are_looked_at_though_checked_ones_are_promised(model):
    with pytest.raises(ValueError, match='not finite'):
        StreamingReconstructor(model, images_checked=True).step(torch.full((3, 42, 56), torch.nan))


def test_an_array_is_refused_with_what_makes_a_tensor_of_it(model):
    array = np.zeros((42, 56, 3), np.uint8)
    reconstructor = StreamingReconstructor(model)

    with pytest.raises(ValueError, match=r'numpy\.ndarray; give a torch tensor .*from_numpy'):
        reconstructor.step(array)
    reconstructor.step(torch.from_numpy(array).permute(2, 0, 1) / 255)


def test_a_budget_too_small_names_the_least_that_would_do(model):
    reconstructor = StreamingReconstructor(model, CacheConfig(budget_tokens=21))
    with pytest.raises(BudgetTooSmall, match='budget_tokens 22'):
        reconstructor.step(images(1)[0])


def walk_tensors(thing: object, seen: set[int]) -> list[torch.Tensor]:
    """Return every tensor that can be reached from thing, each once."""
    if id(thing) in seen or isinstance(thing, (torch.nn.Module, type)):
        return []
    seen.add(id(thing))
    if isinstance(thing, torch.Tensor):
        return [thing]
    if isinstance(thing, dict):
        children = list(thing.values())
    elif isinstance(thing, (list, tuple, set)):
        children = list(thing)
    else:
        children = list(getattr(thing, '__dict__', {}).values())
    return [tensor for child in children for tensor in walk_tensors(child, seen)]


@pytest.mark.parametrize('keep_last', [True, False])
@pytest.mark.parametrize('scheme', ['channel_static', 'kcvt'])
@pytest.mark.parametrize('bits', [16, 4])
@pytest.mark.parametrize('strict', [True, False])
def test_the_bytes_reported_are_those_of_every_tensor_held(model, strict, bits, scheme, keep_last):
    config = CacheConfig(budget_tokens=50, bits=bits, scheme=scheme, strict_budget=strict)
    reconstructor = StreamingReconstructor(model, config)
    for image in images(4):
        reconstructor.step(image)
    reconstructor.step(images(1)[0], keep=keep_last)
    stats = reconstructor.cache_stats()
    found = sum(tensor.untyped_storage().nbytes() for tensor in walk_tensors(reconstructor, set()))
    assert found == stats.bytes + stats.scratch_bytes


SNAPSHOT_CONFIGS = [
    CacheConfig(),
    CacheConfig(bits=4, scheme='kcvt'),
    CacheConfig(budget_tokens=40, bits=4, policy='random', camera_budget_frames=3),
    CacheConfig(budget_tokens=40, bits=2, scheme='kcvt', policy='snapkv'),
    CacheConfig(budget_tokens=40, strict_budget=False, camera_cache='per_iteration'),
]


@pytest.mark.parametrize('config', SNAPSHOT_CONFIGS)
@pytest.mark.parametrize('frames', [0, 1, 9])
def test_a_saved_stream_goes_on_to_the_bit(tmp_path, model, config, frames):
    sequence = images(13)
    one = StreamingReconstructor(model, config)
    for image in sequence[:frames]:
        one.step(image)
    save_file(one.state_dict(), tmp_path / 'stream.safetensors')
    other = StreamingReconstructor(model, config)
    other.step(images(1, seed=5)[0])
    other.load_state_dict(load_file(tmp_path / 'stream.safetensors'))
    held, expected = other.cache_stats(), one.cache_stats()
    # A growing cache has no scratch for its present size until the next step.
    assert replace(held, scratch_bytes=0) == replace(expected, scratch_bytes=0)
    for image in sequence[frames:]:
        expected, actual = one.step(image), other.step(image)
        assert torch.equal(actual.depth, expected.depth)
        assert torch.equal(actual.pose_encoding, expected.pose_encoding)
    before, after = one.state_dict(), other.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def damaged(state: dict, name: str, change) -> dict:
    return {**state, name: change(state[name].clone())}


@pytest.mark.parametrize(
    ('damage', 'message'),
    [
        (lambda s: {'image_size': s['image_size']}, 'lacks fingerprint'),
        (lambda s: damaged(s, 'fingerprint', lambda t: t.add_(1)), 'another model'),
        (
            lambda s: {k: v for k, v in s.items() if k != 'cache.layers.1.key.codes'},
            r'layers\.1.*key\.codes is missing',
        ),
        (lambda s: damaged(s, 'cache.layers.0.key.codes', lambda t: t[1:]), r'key\.codes'),
        (lambda s: damaged(s, 'cache.layers.0.counters', lambda t: t.fill_(999)), 'contradict'),
        (lambda s: damaged(s, 'cache.layers.0.slot.grid', lambda t: t.fill_(99)), 'contradict'),
        (lambda s: damaged(s, 'cache.layers.0.slot.grid', lambda t: t.fill_(0)), 'contradict'),
        (lambda s: damaged(s, 'cache.layers.0.key.group', lambda t: t.add_(1000)), 'table'),
        (lambda s: damaged(s, 'cache.layers.0.key.codes', lambda t: t.float()), r'key\.codes'),
        (lambda s: damaged(s, 'cache.steps', lambda t: t.zero_()), 'contradicts itself'),
        (lambda s: damaged(s, 'image_size', lambda t: t.add_(1)), 'multiples of 14'),
        (lambda s: {k: v for k, v in s.items() if k != 'cache.steps'}, 'steps'),
    ],
)
def test_a_saved_stream_that_does_not_fit_is_refused_and_nothing_is_lost(model, damage, message):
    config = CacheConfig(budget_tokens=40, bits=4, scheme='kcvt')
    one, other = (StreamingReconstructor(model, config) for _ in range(2))
    for image in images(4):
        one.step(image)
        other.step(image)
    with pytest.raises(ValueError, match=message):
        other.load_state_dict(damage(one.state_dict()))
    last = images(1, seed=9)[0]
    assert torch.equal(other.step(last).depth, one.step(last).depth)


def test_a_saved_stream_of_another_configuration_is_refused(model):
    state = StreamingReconstructor(model, CacheConfig(budget_tokens=40)).state_dict()
    with pytest.raises(ValueError, match='cache configuration'):
        StreamingReconstructor(model, CacheConfig(budget_tokens=41)).load_state_dict(state)


def test_a_saved_stream_of_other_weights_is_refused(model):
    state = StreamingReconstructor(model).state_dict()
    other = copy.deepcopy(model)
    with torch.no_grad():
        other.aggregator.global_blocks[1].attn.qkv.weight[3, 5] += 0.5
    with pytest.raises(ValueError, match='another model'):
        StreamingReconstructor(other).load_state_dict(state)


def test_a_model_that_has_streamed_can_still_be_trained():
    network = StreamVGGT(SMALLEST)
    load_random_weights(network)
    image = images(1)[0]
    StreamingReconstructor(network).step(image)
    network(image[None, None]).depth.sum().backward()
    assert network.aggregator.camera_token.grad.isfinite().all()


def test_an_unknown_attention_is_refused_at_once(model):
    with pytest.raises(ValueError, match="attention is 'fast'.*sdpa"):
        StreamingReconstructor(model, attention='fast')


def test_a_frame_that_fails_half_way_does_not_end_the_stream(model, monkeypatch):
    reconstructor = StreamingReconstructor(model, CacheConfig(budget_tokens=40, bits=4))
    sequence = images(6)
    reconstructor.step(sequence[0])

    def fail(*_):
        raise torch.cuda.OutOfMemoryError('out of memory')

    with monkeypatch.context() as patch, pytest.raises(torch.cuda.OutOfMemoryError):
        patch.setattr(model.aggregator.global_blocks[1], 'forward', fail)
        reconstructor.step(sequence[1])
    for image in sequence[2:]:
        assert reconstructor.step(image).depth.isfinite().all()
    assert all(layer.tokens == 40 for layer in reconstructor.cache_stats().layers)
    StreamingReconstructor(model, reconstructor.config).load_state_dict(reconstructor.state_dict())


def test_nothing_of_the_size_of_the_cache_is_made_in_a_step(model):
    # Many more slots than a frame has tokens, so that a copy of a layer would stand out.
    # (The one head of this model makes query_key's note of a token as large as its key.)
    config = CacheConfig(budget_tokens=6000, bits=4, policy='sink_recent')
    reconstructor = StreamingReconstructor(model, config)
    for image in images(4):
        reconstructor.step(image)
    while reconstructor.cache_stats().layers[0].tokens < 6000:
        reconstructor.step(images(1)[0])
    with torch.profiler.profile(profile_memory=True) as profile:
        reconstructor.step(images(1, seed=3)[0])
    largest = max(event.self_cpu_memory_usage for event in profile.events())
    float_copy_of_a_layer = 6000 * SMALLEST.embed_dim * 4
    assert 0 < largest < float_copy_of_a_layer / 2


def test_bf16_stays_near_fp32():
    exact, rounded = StreamVGGT(SMALLEST), StreamVGGT(SMALLEST)
    for network in (exact, rounded):
        load_random_weights(network)
    rounded.set_precision(torch.bfloat16)
    config = CacheConfig(budget_tokens=60, bits=4)
    one, other = StreamingReconstructor(exact, config), StreamingReconstructor(rounded, config)
    for image in images(6):
        expected, actual = one.step(image).depth, other.step(image).depth
        assert actual.dtype == torch.float32
        assert ((actual - expected).norm() / expected.norm()) < 0.05


@pytest.mark.parametrize(('dtype', 'exact'), [(torch.float32, True), (torch.bfloat16, False)])
def test_a_step_in_fp32_rounds_nothing_to_tf32_and_leaves_the_process_s_settings(dtype, exact):
    before, during = torch.backends.cudnn.allow_tf32, []
    model = StreamVGGT(ModelConfig.preset('tiny')).set_precision(dtype)
    stream = StreamingReconstructor(model, point_head=False)
    for part in (model.aggregator.patch_embed, model.depth_head):
        part.register_forward_hook(lambda *_: during.append(torch.backends.cudnn.allow_tf32))

    stream.step(torch.rand(3, 28, 42))

    assert during == 2 * [before and not exact]
    assert torch.backends.cudnn.allow_tf32 == before


@pytest.mark.parametrize('image', [255 * torch.rand(3, 28, 42), torch.randn(3, 28, 42) * 2])
def test_images_of_another_scale_are_refused_with_the_remedy(image):
    stream = StreamingReconstructor(StreamVGGT(SMALLEST))

    with pytest.raises(ValueError, match=r'divide what goes to 255 by 255'):
        stream.step(image)
    # Filters overshoot a little.
    stream.step(torch.rand(3, 28, 42) * 1.1 - 0.05)


def test_a_frame_says_where_its_camera_is():
    stream = StreamingReconstructor(StreamVGGT(SMALLEST))
    frame = stream.step(torch.rand(3, 28, 42))
    turned = torch.linalg.qr(torch.randn(3, 3))[0]
    frame = replace(
        frame, camera_from_world=torch.cat([turned, torch.tensor([[1.0], [2.0], [3.0]])], dim=1)
    )

    there = frame.camera_from_world[:, :3] @ frame.camera_centre + frame.camera_from_world[:, 3]
    torch.testing.assert_close(there, torch.zeros(3), rtol=0, atol=1e-5)
    last = torch.tensor([[0.0, 0.0, 0.0, 1.0]])
    both = torch.cat([frame.world_from_camera, last]) @ torch.cat([frame.camera_from_world, last])
    torch.testing.assert_close(both, torch.eye(4), rtol=0, atol=1e-5)
