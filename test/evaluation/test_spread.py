# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What of a difference the frames leave to chance, and which runs were made at one time."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from xstreamvggt_ros.evaluation.report.model import overlap
from xstreamvggt_ros.evaluation.report.spread import change_interval


def run(curve='abs_rel', values=(), started='2026-01-01T00:00:00+00:00', seconds=60.0, name='a'):
    info = {'curves': {curve: list(values)}, 'started': started, 'seconds': seconds}
    return SimpleNamespace(info=info, folder=Path(name))


def noise(seed, frames=200):
    return 0.1 + 0.02 * np.random.default_rng(seed).random(frames)


def test_the_same_noise_is_no_difference_and_a_real_one_is():
    reference = run(values=noise(0))
    low, high = change_interval(run(values=noise(1)), reference, 'depth_median_abs_rel')
    assert low < 0 < high
    low, high = change_interval(run(values=1.2 * noise(0)), reference, 'depth_median_abs_rel')
    assert low == pytest.approx(0.2) and high == pytest.approx(0.2)


def test_neighbours_that_err_alike_widen_it():
    single, blocks = noise(1, 20), np.repeat(noise(1, 20), 10)
    widths = [
        np.ptp(change_interval(run(values=each), run(values=noise(0)), 'depth_median_abs_rel'))
        for each in (np.tile(single, 10), blocks)
    ]
    assert widths[1] > 1.5 * widths[0]


def test_frames_without_a_value_in_either_count_in_neither():
    values = [None, *noise(1)[1:]]
    with_gap = change_interval(run(values=values), run(values=noise(0)), 'depth_median_abs_rel')
    without = change_interval(
        run(values=values[1:]), run(values=noise(0)[1:]), 'depth_median_abs_rel'
    )
    assert with_gap == without


@pytest.mark.parametrize('figure', ['ate_rotation', 'cache_mib', 'lost_at'])
def test_what_is_not_taken_frame_by_frame_has_no_interval(figure):
    assert change_interval(run(values=noise(1)), run(values=noise(0)), figure) is None


def test_too_few_frames_say_nothing():
    few = run(values=noise(1, 5))
    assert change_interval(few, run(values=noise(0, 5)), 'depth_median_abs_rel') is None


@pytest.mark.parametrize(
    ('started', 'name', 'beside'),
    [
        ('2026-01-01T00:00:30+00:00', 'b', True),
        ('2026-01-01T00:00:30+00:00', 'a', False),
        ('2026-01-01T00:01:00+00:00', 'b', False),
        ('2026-01-01T01:00:10+01:00', 'b', True),
    ],
)
def test_runs_are_beside_each_other_where_their_times_overlap(started, name, beside):
    assert overlap(run(), run(started=started, name=name)) == beside
