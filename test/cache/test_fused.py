# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What CUDA runs, in Triton's interpreter where there is no GPU: it does what torch's steps do."""

from interpreted import rounded_casts  # noqa: F401
import pytest
import torch

from xstreamvggt_ros.cache import (
    AttentionShape,
    CacheConfig,
    FrameLayout,
    StreamCache,
    StreamLayout,
)
from xstreamvggt_ros.ops.dispatch import fused_everywhere

pytest.importorskip('triton', reason='Triton is not installed')

FRAME, HEADS, DIM = FrameLayout(5, 2, 4), 3, 16
# Twice as many as a frame's tokens keep the first frame whole; fewer do not.
WHOLE, PART = 36, 20


def stream(dtype=torch.float32, budget=WHOLE, heads=HEADS, dim=DIM, **config) -> StreamCache:
    shape = AttentionShape(2, heads, dim)
    layout = StreamLayout(FRAME, shape, AttentionShape(1, 2, 24), 4, dtype, torch.float32)
    config = {'bits': 4, 'camera_budget_frames': 3, 'pool_size': 6, **config}
    return StreamCache(CacheConfig(budget_tokens=budget, **config), layout, torch.device('cpu'))


def step(cache: StreamCache, seed: int, keep: bool = True) -> torch.Tensor:
    """Run one frame as a network does, and return all that was attended."""
    generator = torch.Generator().manual_seed(seed)
    shape, dtype = cache.layout.global_blocks, cache.layout.dtype
    attended = []
    with cache.frame(keep):
        for layer in range(2):
            # In memory tokens come before heads, as the kernel gives them.
            tokens = torch.randn(
                3, 1, FRAME.tokens, shape.heads, shape.head_dim, generator=generator
            )
            queries, keys, values = tokens.to(dtype).transpose(2, 3)
            # Channels that lie apart, as trained keys' do.
            keys = keys + torch.arange(shape.head_dim) % 3
            room = cache.global_room(layer, FRAME.tokens)
            if room is not None:
                for place, given in zip(room, (keys, values), strict=True):
                    place.copy_(given[0].transpose(0, 1))
                keys, values = (place.transpose(0, 1)[None] for place in room)
            attended.append(cache.attend_global(layer, queries, keys.to(dtype), values).flatten())
        for iteration in range(4):
            token = torch.randn(3, 1, 2, 1, 24, generator=generator)
            attended.append(cache.attend_camera(iteration, 0, *token).flatten())
    return torch.cat(attended).float()


def held(cache: StreamCache) -> dict[tuple, dict[str, torch.Tensor]]:
    """Return what is stored of each token, whatever slot it is in."""
    found = {}
    for index, layer in enumerate(cache.layers):
        tensors = {
            name: tensor
            for name, tensor in layer.tensors().items()
            if len(tensor.shape) and len(tensor) == layer.capacity
        }
        for slot in range(layer.held):
            token = index, int(tensors['slot.frame'][slot]), int(tensors['slot.grid'][slot])
            found[token] = {name: tensor[slot] for name, tensor in tensors.items()}
    return found


def assert_alike(ours: StreamCache, theirs: StreamCache) -> None:
    """Compare what both hold: the same tokens, and codes that differ by a rounding in few."""
    one, other = held(ours), held(theirs)
    assert one.keys() == other.keys()
    for name in next(iter(one.values())):
        mine, expected = (
            torch.stack([each[name] for each in side.values()])
            for side in (one, {key: other[key] for key in one})
        )
        if mine.dtype == torch.uint8:
            assert (mine != expected).float().mean() < 0.002, name
        else:
            torch.testing.assert_close(mine, expected, rtol=2e-3, atol=1e-5, msg=name)


def run_both(frames: int, **config) -> tuple[StreamCache, StreamCache]:
    """Run the same frames by torch's steps and by the kernels, and compare as they go."""
    plain = stream(**config)
    with torch.no_grad(), fused_everywhere():
        kernels = stream(**config)
    bound = 2e-2 if config.get('dtype') == torch.bfloat16 else 1e-4
    for seed in range(frames):
        expected = step(plain, seed)
        with torch.no_grad(), fused_everywhere():
            actual = step(kernels, seed)
        torch.testing.assert_close(actual, expected, rtol=bound, atol=bound)
    return kernels, plain


# With kernels of their own for the score, or, the last, for ranks.
@pytest.mark.parametrize(
    'policy', ['attention_coverage', 'attention_value', 'query_key', 'frame_diversity', 'tar_van']
)
def test_policies_keep_the_same_tokens(policy):
    assert_alike(*run_both(5, policy=policy))


@pytest.mark.parametrize(('bits', 'value_bits'), [(2, 8), (4, 16), (8, 2), (16, 4)])
def test_tokens_of_any_width_are_stored_alike(bits, value_bits):
    assert_alike(*run_both(3, bits=bits, value_bits=value_bits, budget=PART, policy='sink_recent'))


def test_the_paper_s_groups_are_stored_alike():
    assert_alike(*run_both(4, scheme='kcvt', policy='sink_recent'))


def test_in_bf16_the_same_tokens_are_kept():
    ours, theirs = run_both(4, dtype=torch.bfloat16, policy='query_key')
    assert held(ours).keys() == held(theirs).keys()


def test_heads_whose_width_is_no_power_of_two_take_torch_s_steps():
    assert_alike(*run_both(4, heads=2, dim=12, policy='attention_value'))


@pytest.mark.parametrize('shared', ['shared', 'per_iteration'])
def test_a_frame_that_is_not_kept_leaves_the_kernels_stream_as_it_was(shared):
    with torch.no_grad(), fused_everywhere():
        cache = stream(camera_cache=shared)
        for seed in range(3):
            step(cache, seed)
        before = cache.state_dict()
        step(cache, 9, keep=False)
        after = cache.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_stream_goes_on_by_kernels_where_torch_s_steps_left_it():
    plain = stream(policy='attention_value')
    for seed in range(4):
        step(plain, seed)
    with torch.no_grad(), fused_everywhere():
        kernels = stream(policy='attention_value')
        kernels.load_state_dict(plain.state_dict())
        step(kernels, 4)
    step(plain, 4)
    assert_alike(kernels, plain)


def test_a_cleared_stream_is_a_new_one():
    with torch.no_grad(), fused_everywhere():
        used, new = stream(), stream()
        for seed in range(3):
            step(used, 30 + seed)
        used.clear()
        for seed in range(2):
            assert torch.equal(step(used, seed), step(new, seed))
    assert_alike(used, new)


def test_values_that_are_not_packed_leave_the_keys_their_kernel():
    names = []
    with torch.no_grad(), fused_everywhere(lambda launch: names.append(launch.name)):
        ours = stream(value_bits=16)
        for seed in range(3):
            step(ours, seed)
    # One in each of two layers a frame.
    assert names.count('_unpack_both') == 6
    theirs = stream(value_bits=16)
    for seed in range(3):
        step(theirs, seed)
    assert_alike(ours, theirs)
