# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scores by whole frames, alone and beside attention: kernels give what torch's steps give."""

from dataclasses import replace

from interpreted import rounded_casts  # noqa: F401
import pytest
import torch

from xstreamvggt_ros.cache import FrameLayout
from xstreamvggt_ros.cache.policies import EvictionContext, POLICIES
from xstreamvggt_ros.ops.dispatch import fused_everywhere, Launch

pytest.importorskip('triton', reason='Triton is not installed')

FRAME, HEADS, DIM = FrameLayout(5, 4, 5), 3, 32
N = FRAME.tokens
WHOLE = [(frame, grid) for frame in range(7) for grid in range(N)]
# More frames than are told apart, each but the first of one token.
MANY = [(0, grid) for grid in range(N)] + [(2 * frame, frame % N) for frame in range(1, 40)]


def context(tokens: list[tuple[int, int]], layer: int, seed: int = 0) -> EvictionContext:
    """Make a layer that holds two thirds of those tokens, in no order."""
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(tokens), generator=generator)[: 2 * len(tokens) // 3]
    places = torch.tensor([tokens[index] for index in chosen.tolist()]).int()
    frames, grids = places.T.contiguous()
    held = len(chosen)
    keys, values = torch.randn(2, held + N, HEADS, DIM, generator=generator)
    return EvictionContext(
        queries=torch.randn(HEADS, N, DIM, generator=generator),
        keys=keys + 0.5,
        values=values,
        state={'value_size': values[:held].abs().sum(dim=-1)},
        frames=frames,
        grids=grids,
        kept=held - 15,
        newest=torch.tensor(100),
        layer=layer,
        layers=4,
        frame=FRAME,
    )


def both(policy: str, case: EvictionContext) -> tuple[torch.Tensor, torch.Tensor, list[Launch]]:
    """Score by kernels and by torch's steps; with what was launched."""
    launches: list[Launch] = []
    expected = POLICIES[policy](6).score(case)
    with torch.no_grad(), fused_everywhere(launches.append):
        actual = POLICIES[policy](6).score(case)
    return actual, expected, launches


@pytest.mark.parametrize('tokens', [WHOLE, MANY], ids=['whole frames', 'more than told apart'])
@pytest.mark.parametrize(
    ('policy', 'layer', 'kernels'),
    [
        ('frame_diversity', 1, 2),
        ('attention_coverage', 0, 2),
        ('attention_coverage', 1, 2),
        # The two of attention, and one more beside that of the distances.
        ('attention_coverage', 2, 5),
        ('attention_coverage', 3, 2),
    ],
)
def test_kernels_score_whole_frames_as_torch_s_steps_do(policy, layer, kernels, tokens):
    actual, expected, launches = both(policy, context(tokens, layer))
    assert len(launches) == kernels
    torch.testing.assert_close(actual, expected, rtol=1e-6, atol=0)


def test_of_more_frames_than_fit_a_block_of_distances_one_kernel_chooses():
    # A frame's tokens are few beside those held, so that very many frames may be.
    case = replace(context(WHOLE, 1), frame=FrameLayout(0, 1, 1))
    actual, expected, launches = both('frame_diversity', case)
    assert [each.name for each in launches] == ['_frame_worth']
    torch.testing.assert_close(actual, expected)
