# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Changes from one setting to another on the same scenes."""

import math

import numpy as np
import pytest

from benchmarks.paired import interval, relative_changes, table
from benchmarks.scenes import METRICS, OF_PATHS


def test_changes_are_of_the_same_scene_and_positive_where_worse():
    def row(seed, setting, value):
        return {'seed': seed, 'setting': setting, **dict.fromkeys(METRICS, value)}

    rows = [row(1, 'all', 0.5), row(2, 'all', 0.8), row(2, 'half', 0.6), row(1, 'half', 0.6)]
    changes = relative_changes(rows, 'all')

    assert changes['all']['AbsRel'].tolist() == [0, 0]
    assert changes['half']['AbsRel'] == pytest.approx([-25, 20])
    # More pixels within a factor of 1.25 are better.
    assert changes['half']['δ < 1.25'] == pytest.approx([25, -20])


def test_paths_are_left_out_where_the_camera_only_turns():
    def row(seed, setting, value, path):
        figures = {**dict.fromkeys(METRICS, value), **dict.fromkeys(OF_PATHS, path)}
        return {'seed': seed, 'setting': setting, **figures}

    rows = [row(1, 'all', 0.5, math.nan), row(2, 'all', 0.5, 0.5)]
    rows += [row(1, 'half', 0.6, math.nan), row(2, 'half', 0.6, 0.7)]
    changes = relative_changes(rows, 'all')['half']

    assert changes['AbsRel'] == pytest.approx([20, 20])
    assert changes['RPE m'] == pytest.approx([40])
    assert '2 scenes (1 of them with a path)' in table(rows, 'all')
    assert '| +20.0 [n = 2] | ' in table(rows, 'all')
    assert '| – | – |' in table([each for each in rows if each['seed'] == 1], 'all')


def test_scenes_without_an_error_to_begin_with_have_no_share_of_it():
    figures = {'flawless': (0.0, 0.0), 'spoilt': (0.0, 0.1), 'worse': (0.1, 0.2)}
    rows = [
        {'seed': seed, 'setting': setting, **dict.fromkeys(METRICS, value)}
        for seed, values in figures.items()
        for setting, value in zip(('all', 'half'), values, strict=True)
    ]

    assert relative_changes(rows, 'all')['half']['AbsRel'] == pytest.approx([0, 100])


@pytest.mark.parametrize('count', [0, 1, 5])
def test_few_scenes_have_no_interval(count):
    middle, low, high = interval(np.full(count, 11.5))
    assert math.isnan(low) and math.isnan(high)
    assert middle == 11.5 if count else math.isnan(middle)


def test_the_interval_of_six_scenes_holds_the_truth_nearly_always():
    draw = np.random.default_rng(0)
    held = [
        low <= 0 <= high for _, low, high in (interval(draw.normal(size=6)) for _ in range(400))
    ]
    assert np.mean(held) > 0.92


def test_the_interval_holds_the_median_and_narrows_with_more_scenes():
    values = np.random.default_rng(0).normal(3.0, 1.0, 400)
    (few, few_low, few_high), (many, many_low, many_high) = interval(values[:20]), interval(values)

    assert few_low < few < few_high
    assert many_low < many < many_high
    assert many_high - many_low < 0.5 * (few_high - few_low)
    assert many == pytest.approx(3.0, abs=0.2)


def test_columns_of_ones_own_stand_before_the_metrics():
    rows = [
        {'seed': seed, 'setting': name, 'kib': kib, **dict.fromkeys(METRICS, 1.0)}
        for name, kib in (('all', 9), ('half', 4))
        for seed in (1, 2)
    ]
    written = table(rows, 'all', {'KiB': lambda of: f'{sum(row["kib"] for row in of)}'})

    assert '| cache | KiB | AbsRel |' in written
    assert '| half | 8 | +0.0' in written
