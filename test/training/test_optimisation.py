# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Muon for many matrices at once is Muon; gradients that are not finite change nothing."""

import pytest
from shapes import SMALLEST
import torch

from xstreamvggt_ros.model import StreamVGGT
from xstreamvggt_ros.training.config import Stage, TrainingConfig
from xstreamvggt_ros.training.guidance import ReadOuts
from xstreamvggt_ros.training.initialisation import initialise
from xstreamvggt_ros.training.optimisation import AlikeMuon, Optimisers

SHAPES = [(8, 12), (12, 8), (8, 12), (10, 10)]


def test_alike_muon_is_muon():
    generator = torch.Generator().manual_seed(0)
    ours = [torch.nn.Parameter(torch.randn(s, generator=generator)) for s in SHAPES]
    theirs = [torch.nn.Parameter(p.detach().clone()) for p in ours]
    mine = AlikeMuon(ours, lr=0.02, weight_decay=0.1)
    reference = torch.optim.Muon(theirs, lr=0.02, weight_decay=0.1, adjust_lr_fn='match_rms_adamw')
    for _ in range(4):
        for one, other in zip(ours, theirs, strict=True):
            one.grad = torch.randn(one.shape, generator=generator)
            other.grad = one.grad.clone()
        mine.step()
        reference.step()
    for one, other in zip(ours, theirs, strict=True):
        # A step is 0.02 x 0.2 x sqrt(12) at the most; both round to bf16 on their way.
        torch.testing.assert_close(one, other, rtol=0, atol=1e-3)
    # Files of the one serve the other.
    reference.load_state_dict(mine.state_dict())


def state_of(optimisers):
    return [
        {name: value.clone() for name, value in state.items()}
        for each in optimisers.each
        for state in each.state.values()
    ]


@pytest.mark.parametrize('bad', [float('nan'), float('inf')])
def test_gradients_that_are_not_finite_change_nothing(bad):
    model = StreamVGGT(SMALLEST)
    initialise(model, seed=0)
    read_outs = ReadOuts(SMALLEST)
    config = TrainingConfig((Stage(1.0, (42, 56), ((1, 2),)),), steps=10)
    optimisers = Optimisers(model, read_outs, config)
    good = [torch.full_like(p, 0.01) for p in optimisers.parameters]
    assert torch.isfinite(optimisers.step([g.clone() for g in good], 1e-3))
    before, state = [p.detach().clone() for p in optimisers.parameters], state_of(optimisers)
    lost = [g.clone() for g in good]
    lost[3].view(-1)[0] = bad
    assert not torch.isfinite(optimisers.step(lost, 1e-3))
    for old, new in zip(before, optimisers.parameters, strict=True):
        assert torch.equal(old, new)
    for old, new in zip(state, state_of(optimisers), strict=True):
        for name, value in old.items():
            assert torch.equal(value, new[name]), name
    assert torch.isfinite(optimisers.step(good, 1e-3))
    moved = [
        not torch.equal(old, new) for old, new in zip(before, optimisers.parameters, strict=True)
    ]
    assert all(moved)
