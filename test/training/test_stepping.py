# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A step asks the device nothing, so that it can be captured; captured it does the same."""

import contextlib

from fake_cuda import FakeCuda
import numpy as np
import pytest
from shapes import SMALLEST
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from xstreamvggt_ros.model import StreamVGGT
from xstreamvggt_ros.synthetic.held_out import Sequence
from xstreamvggt_ros.training.config import Stage, TrainingConfig
from xstreamvggt_ros.training.draws import draw
from xstreamvggt_ros.training.guidance import ReadOuts
from xstreamvggt_ros.training.initialisation import initialise
from xstreamvggt_ros.training.objective import Objective
from xstreamvggt_ros.training.stepping import Captured, Stepping

STAGE = Stage(1.0, (42, 56), ((2, 3),))
CONFIG = TrainingConfig((STAGE,), steps=10)
SHAPE = (2, 3)


def a_stepping(device, fused=None):
    model = StreamVGGT(SMALLEST)
    initialise(model, seed=0)
    model, read_outs = model.to(device), ReadOuts(SMALLEST).to(device)
    intrinsics = torch.tensor([[40.0, 0, 32], [0, 40, 24], [0, 0, 1]])
    generator = torch.Generator().manual_seed(0)
    held = Sequence(
        torch.randint(0, 256, (4, 5, 48, 64, 3), generator=generator).byte(),
        torch.rand(4, 5, 48, 64, generator=generator).half() + 1,
        torch.eye(3, 4).repeat(4, 5, 1, 1),
        intrinsics.repeat(4, 5, 1, 1),
    )
    held = Sequence(*(part.to(device) for part in held.parts()))

    def gather(drawn):
        index = drawn.sequence.long()[:, None], drawn.frame.long()
        return Sequence(*(part[index] for part in held.parts()))

    parameters = [*model.parameters(), *read_outs.parameters()]
    return Stepping(Objective(model, read_outs, CONFIG, fused), parameters, gather)


def the_numbers():
    return draw(np.array([3, 1]), 5, SHAPE[1], (1, 1), np.random.default_rng(0)).flat()


class NothingOfTheHost(TorchDispatchMode):
    """Fail where an operator takes a tensor of the host, which a captured graph cannot."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        for value in tree_leaves((args, kwargs)):
            if isinstance(value, torch.Tensor):
                assert value.device.type == 'meta', f'{func} takes {value}'
        return func(*args, **(kwargs or {}))


def test_a_step_neither_asks_the_device_nor_takes_anything_from_the_host(monkeypatch):
    # Tensors without memory know no precision but their own.
    monkeypatch.setattr(torch, 'autocast', lambda *_, **__: contextlib.nullcontext())
    stepping = a_stepping('meta')
    flat = the_numbers().to('meta')
    # The first call makes tables that are kept.
    stepping(flat, SHAPE, STAGE)
    with NothingOfTheHost():
        outcome = stepping(flat, SHAPE, STAGE)
    assert {'camera', 'depth', 'points', 'poses', 'patches', 'matching', 'loss'} == set(
        outcome.losses
    )
    assert len(outcome.gradients) == len(stepping.parameters)


def test_attending_as_on_a_gpu_gives_the_losses_of_the_cpu():
    losses = []
    for fused in (False, True):
        stepping = a_stepping('cpu', fused)
        stepping.generator = torch.Generator().manual_seed(0)
        losses.append(stepping(the_numbers(), SHAPE, STAGE).losses['loss'].item())
    assert losses[1] == pytest.approx(losses[0], rel=0.02)


class _Numbers:
    """Numbers drawn for a batch, on the second of two devices."""

    device = torch.device('cuda', 1)

    def clone(self):
        return self

    def copy_(self, other):
        return self


@pytest.mark.parametrize('waits', [False, True])
def test_a_step_is_captured_on_its_own_device_or_runs_as_it_is(monkeypatch, caplog, waits):
    cuda, ran = FakeCuda().install(monkeypatch), []

    def step(flat, shape, stage):
        cuda.launch(1, lambda: ran.append(cuda.streams[1]))
        if waits:
            cuda.wait(1)
        return 'outcome'

    captured = Captured(step)
    for _ in range(2):
        assert captured(_Numbers(), SHAPE, STAGE) == 'outcome'

    # Three to warm up, and two steps.
    assert len(ran) == 5
    assert captured.graphs == (0 if waits else 1)
    assert ['kernel by kernel' in record.message for record in caplog.records] == [True] * waits
    assert (cuda.streams, cuda.underway, cuda.current) == (cuda.default, set(), 0)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
def test_a_captured_step_does_what_it_does_kernel_by_kernel():
    stepping = a_stepping('cuda')
    stage, flat = STAGE, the_numbers().cuda()
    # Noise differs from call to call.
    without_noise = torch.zeros_like(flat)
    without_noise.copy_(flat)
    without_noise[-SHAPE[0] * SHAPE[1] - SHAPE[0] : -SHAPE[0] * SHAPE[1]] = 0
    captured = Captured(stepping)
    captured(flat, SHAPE, stage)
    found = captured(without_noise, SHAPE, stage)
    expected = stepping(without_noise, SHAPE, stage)
    assert captured.graphs == 1
    for name, value in expected.losses.items():
        torch.testing.assert_close(found.losses[name], value, rtol=1e-3, atol=1e-3)
    for mine, theirs in zip(found.gradients, expected.gradients, strict=True):
        if theirs is not None:
            torch.testing.assert_close(mine, theirs, rtol=0.05, atol=1e-2)
