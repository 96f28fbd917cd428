# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scores that only methods have, each beside a plain account of it."""

from dataclasses import replace

from arrivals import names, ROOM, streamed
import pytest
import torch

from benchmarks.methods.accumulated import Accumulated, SUM
from benchmarks.methods.coverage import HalfAttention, MixedEverywhere, Spaced
from benchmarks.methods.shipped import Shipped
from benchmarks.methods.subspace import Subspace
from xstreamvggt_ros.cache.policies.attention import AttentionValue
from xstreamvggt_ros.cache.policies.mixed import AttentionCoverage


@pytest.fixture
def told():
    *_, (told, _) = streamed(Shipped(ROOM), 6)
    return told


def test_subspace_ranks_by_what_the_new_keys_do_not_span(told):
    policy = Subspace()
    policy.rank = 3
    ranks = torch.zeros(len(told.held))
    for head in range(2):
        new = told.new_keys[:, head].double()
        # The directions are the first ones of the keys' second moments.
        directions = torch.linalg.eigh(new.T @ new).eigenvectors[:, -3:]
        keys = told.held.keys[:, head].double()
        apart = [key - directions @ (directions.T @ key) for key in keys]
        lengths = torch.stack([each.norm() for each in apart])
        ranks += torch.tensor([int((lengths < length).sum()) for length in lengths]) / 2

    assert torch.allclose(policy.score(told.context(7)), ranks)


def test_frames_by_time_are_powers_of_two_apart():
    *_, (_, held) = streamed(Shipped(ROOM, Spaced), 14)
    assert set(held.frames.tolist()) == {0, 8, 12, 13}


@pytest.mark.parametrize(('decay', 'alone'), [(0.8, False), (1.0, True)])
def test_scores_add_up_over_frames(decay, alone):
    method = Accumulated(ROOM, decay, alone)
    sums = {}
    for told, held in streamed(method, 8):
        if len(told.held):
            newest = AttentionValue().score(told.context(0))
            for name, score in zip(names(told.held), newest.tolist(), strict=True):
                sums[name] = decay * sums.get(name, 0) + score
        for name, noted in zip(names(held), held.notes[SUM].tolist(), strict=True):
            assert noted == pytest.approx(sums.get(name, 0), rel=0.01, abs=1e-3)


def test_alone_the_largest_sums_stay():
    method = Accumulated(ROOM, 1.0, alone=True)
    for told, held in streamed(method, 8):
        gone = set(names(told.held)) - set(names(held))
        if gone:
            newest = AttentionValue().score(told.context(0)) + told.held.notes[SUM].float()
            worth = dict(zip(names(told.held), newest.half().tolist(), strict=True))
            stayed = [name for name in worth if name not in gone and name[0]]
            assert max(worth[name] for name in gone) <= min(worth[name] for name in stayed)
    assert gone


@pytest.mark.parametrize(('layer', 'alike'), [(0, 0), (1, 2), (2, 2), (3, 2)])
def test_mixed_everywhere_is_the_third_quarter_s_mix_in_all_blocks_but_the_first(
    told, layer, alike
):
    context = replace(told.context(7), layer=layer)
    mix = AttentionCoverage()
    mix.share = 0.75
    expected = mix.score(replace(context, layer=alike))
    assert torch.equal(MixedEverywhere().score(context), expected)


def test_by_half_attention_both_orders_are_walked_alike(told):
    context = replace(told.context(7), layer=2)
    mix = AttentionCoverage()
    mix.share = 0.5
    assert torch.equal(HalfAttention().score(context), mix.score(context))
    assert not torch.equal(mix.score(context), AttentionCoverage().score(context))
