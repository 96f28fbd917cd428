# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The table to plan by follows from what is counted, and from the one device that was measured."""

from dataclasses import replace

import pytest

from benchmarks import planning
from benchmarks.planning import DEVICES, H200, Work, work_of
from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.model import ModelConfig

SIZE = (28, 42)


@pytest.fixture(scope='module')
def tiny():
    config = CacheConfig.recommended().with_budget(budget_tokens=64)
    return work_of(SIZE, config, 'tiny')


def test_the_device_that_was_measured_comes_out_as_it_was():
    work = Work(H200.operations, moved=0.0, kernels=H200.kernels)

    assert work.milliseconds(DEVICES[0]) == pytest.approx(H200.milliseconds)
    assert 0.2 < H200.efficiency < 0.5


def test_half_the_operations_or_half_the_kernels_take_less_and_bytes_bound_what_is_left():
    device = DEVICES[0]
    whole = Work(2e12, 1e9, 1000)

    assert replace(whole, operations=1e12).milliseconds(device) < whole.milliseconds(device)
    kernels = whole.milliseconds(device) - replace(whole, kernels=0).milliseconds(device)
    assert kernels == pytest.approx(1000 * H200.kernel)
    moved = replace(whole, moved=1e12, kernels=0)
    assert moved.milliseconds(device) == pytest.approx(1e3 * 1e12 / (1e9 * device.gigabytes))


def test_a_larger_cache_takes_attention_s_operations_and_bytes_and_no_more_kernels(tiny):
    larger = work_of(SIZE, CacheConfig.recommended().with_budget(budget_tokens=128), 'tiny')

    shape = ModelConfig.preset('tiny')
    tokens = shape.tokens_per_frame(*SIZE)
    assert larger.operations - tiny.operations == (4 * shape.depth * tokens * 64 * shape.embed_dim)
    assert larger.moved > tiny.moved
    assert larger.kernels == tiny.kernels > 100


def test_every_device_has_a_row_that_says_what_is_too_much(monkeypatch):
    monkeypatch.setattr(planning, 'SIZES', ((392, 518),))
    monkeypatch.setattr(planning, 'work_of', lambda size, config: Work(3e12, 2e10, 1000))
    config = CacheConfig.recommended().with_budget(budget_frames=200)

    rows = planning.planning_table(config).splitlines()[2:]

    assert [row.split('|')[1].strip() for row in rows] == [each.name for each in DEVICES]
    by_name = {row.split('|')[1].strip(): row for row in rows}
    assert 'too much' in by_name['RTX 4060']
    assert 'too much' not in by_name['Thor']


def test_the_notes_say_that_it_is_estimated_and_from_what(monkeypatch):
    monkeypatch.setattr(planning, 'work_of', lambda size, config: Work(3e12, 2e10, 1000))

    assert 'Estimated, not measured' in planning.notes()
    assert '8785636' in planning.notes() and '1,000 kernels' in planning.notes()
