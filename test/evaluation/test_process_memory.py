# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a run takes, in a process that made others before."""

from collections import Counter
import math
import subprocess
import sys

from filmed import Filmed
import numpy as np
from oracles import Oracle
import pytest
from recorded import CONFIG
import torch

from xstreamvggt_ros.evaluation import process_memory
from xstreamvggt_ros.evaluation.replay import replay
from xstreamvggt_ros.evaluation.run_config import RunConfig

MIB = 2**20
FIRST, SECOND = torch.device('cuda:0'), torch.device('cuda:1')


class Greedy(Oracle):
    """Take 256 MiB while the third frame is worked on."""

    def step(self, image, keep=True):
        if self.since == 2:
            np.ones(32 * MIB)
        return super().step(image, keep)


def resident(network, sequence):
    return [each.cost.resident_bytes for each in replay(sequence, CONFIG, network)]


def test_a_frame_is_charged_with_the_most_that_it_took_and_no_other_is():
    sequence = Filmed(count=6)

    greedy = resident(Greedy(sequence.film), sequence)
    modest = resident(Oracle(sequence.film), sequence)

    assert greedy[2] - max(greedy[:2]) > 240 * MIB
    assert greedy[2] - max(greedy[3:]) > 240 * MIB
    # In the same process, and after.
    assert greedy[2] - max(modest) > 240 * MIB


def test_another_process_is_looked_at_from_look_to_look():
    program = "data = b'1' * (1 << 28); del data; print(flush=True); input()"
    pipes = {'stdin': subprocess.PIPE, 'stdout': subprocess.PIPE}
    with subprocess.Popen([sys.executable, '-c', program], **pipes) as child:
        child.stdout.readline()
        first, second = (process_memory.take_peak_resident_bytes(str(child.pid)) for _ in '12')
        child.communicate(b'\n')

    assert first - second > 240 * MIB
    assert second > MIB
    assert math.isnan(process_memory.take_peak_resident_bytes(str(child.pid)))


class Allocator:
    """Stands in for torch's on two devices: peaks, and no statistics before a context."""

    def __init__(self, monkeypatch):
        self.peaks = Counter()
        self.ready = False
        for name in ('init', 'empty_cache', 'reset_peak_memory_stats', 'max_memory_allocated'):
            monkeypatch.setattr(f'torch.cuda.{name}', getattr(self, name))

    def init(self):
        self.ready = True

    def empty_cache(self):
        assert self.ready

    def reset_peak_memory_stats(self, device):
        assert self.ready
        self.peaks[device] = 0

    def max_memory_allocated(self, device):
        return self.peaks[device]


def test_what_another_run_allocated_and_what_another_device_holds_is_not_counted(monkeypatch):
    allocator = Allocator(monkeypatch)
    allocator.peaks.update({FIRST: 70, SECOND: 900})

    process_memory.forget_earlier_runs(SECOND)
    allocator.peaks[SECOND] = 30

    assert process_memory.peak_allocated_bytes(SECOND) == 30
    assert process_memory.peak_allocated_bytes(FIRST) == 70
    assert math.isnan(process_memory.peak_allocated_bytes(torch.device('cpu')))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
def test_a_bounded_run_after_an_unbounded_one_has_figures_of_its_own():
    base = RunConfig(image_size=112, device='cuda:0', checkpoint='random').as_reference()
    sequence = Filmed(count=24)

    def most(config):
        return max(each.cost.device_bytes for each in replay(sequence, config))

    alone = most(base.varied(budget='2f', bits=4))
    unbounded = most(base)

    assert most(base.varied(budget='2f', bits=4)) == pytest.approx(alone, rel=0.02)
    assert unbounded > 1.05 * alone
