# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What of a difference the frames leave to chance, and which runs were made at one time."""

from pathlib import Path
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from xstreamvggt_ros.evaluation.report.model import Timetable
from xstreamvggt_ros.evaluation.report.spread import change_interval


def run(
    curve='abs_rel',
    values=(),
    pixels=None,
    metrics=None,
    started='2026-01-01T00:00:00+00:00',
    seconds=60.0,
    name='a',
):
    curves = {curve: list(values), 'depth_pixels': pixels or [1] * len(values)}
    info = {'curves': curves, 'started': started, 'seconds': seconds, 'metrics': metrics or {}}
    return SimpleNamespace(info=info, metrics=info['metrics'], folder=Path(name))


def noise(seed, frames=200):
    return 0.1 + 0.02 * np.random.default_rng(seed).random(frames)


def of_depth(ours, theirs):
    return change_interval([(run(values=ours), run(values=theirs))], 'depth_median_abs_rel')


def test_the_same_noise_is_no_difference_and_a_real_one_is():
    low, high = of_depth(noise(1), noise(0))
    assert low < 0 < high
    low, high = of_depth(1.2 * noise(0), noise(0))
    assert low == pytest.approx(0.2) and high == pytest.approx(0.2)


def test_neighbours_that_err_alike_widen_it():
    single, blocks = noise(1, 20), np.repeat(noise(1, 20), 10)
    widths = [np.ptp(of_depth(each, noise(0))) for each in (np.tile(single, 10), blocks)]
    assert widths[1] > 1.5 * widths[0]


def test_frames_without_a_value_are_left_out_of_the_figure_of_that_run_alone():
    low, high = of_depth([None] * 60 + [0.1] * 120, [0.2] * 60 + [0.1] * 120)
    # From 4/30 to 0.1.
    assert low < -0.25 < high <= 0


# Of half of the frames a tenth of the pixels is known, and they are the ones that got worse.
@pytest.mark.parametrize(
    ('pixels', 'change'), [([100] * 100 + [10] * 100, 1 / 11), ([7] * 200, 0.5)]
)
def test_frames_weigh_what_they_weigh_in_the_figure(pixels, change):
    ours = run(values=[0.1] * 100 + [0.2] * 100, pixels=pixels)
    theirs = run(values=[0.1] * 200, pixels=pixels)

    low, high = change_interval([(ours, theirs)], 'depth_median_abs_rel')

    assert low < change < high
    assert (low + high) / 2 == pytest.approx(change, abs=0.1)


def test_a_record_that_does_not_say_what_frames_weigh_has_no_interval():
    old = run(values=noise(1))
    del old.info['curves']['depth_pixels']
    assert change_interval([(old, run(values=noise(0)))], 'depth_median_abs_rel') is None


@pytest.mark.parametrize('figure', ['latency_median_ms', 'frames_per_second'])
def test_latencies_are_summarised_as_the_figure_is(figure):
    ours, theirs = (run('latency_ms', [*values, None]) for values in ([80, 20] * 50, [40] * 100))
    low, high = change_interval([(ours, theirs)], figure)
    middle = {'latency_median_ms': 0.25, 'frames_per_second': -0.2}[figure]
    assert low <= middle <= high


@pytest.mark.parametrize('figure', ['ate_rotation', 'cache_mib', 'lost_at'])
def test_what_is_not_taken_frame_by_frame_has_no_interval_on_one_sequence(figure):
    pair = run(values=noise(1), metrics={figure: 2}), run(values=noise(0), metrics={figure: 1})
    assert change_interval([pair], figure) is None


def test_too_few_frames_say_nothing():
    assert of_depth(noise(1, 5), noise(0, 5)) is None


def test_two_sequences_that_disagree_are_no_difference():
    pairs = [(run(values=factor * noise(0)), run(values=noise(0))) for factor in (1.5, 0.9)]
    low, high = change_interval(pairs, 'depth_median_abs_rel')
    assert low == pytest.approx(-0.1, abs=0.02) and high == pytest.approx(0.5, abs=0.02)


def test_figures_alone_need_sequences():
    def pairs(changes):
        return [(run(metrics={'x': 2 * each}), run(metrics={'x': 2})) for each in changes]

    assert change_interval(pairs([1.1] * 5), 'x') is None
    low, high = change_interval(pairs([1.1, 1.2, 1.1, 1.3, 1.2, 1.1]), 'x')
    assert 0.05 < low < high < 0.3
    low, high = change_interval(pairs([1.1, 0.9, 1.1, 0.8, 1.2, 0.9]), 'x')
    assert low < 0 < high
    assert change_interval([], 'x') is None


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
    times = Timetable([run(), run(started=started, name=name)])
    assert times.crowded(run()) == times.crowded(run(started=started, name=name)) == beside


@given(
    st.lists(st.tuples(st.integers(0, 20), st.sampled_from([0, 0.5, 1, 1.5, 2, 5, 30]))),
    st.integers(0, 20),
    st.sampled_from([0, 1, 2, 5]),
)
def test_a_run_is_crowded_where_any_other_has_more_than_a_second_of_it(spans, begun, seconds):
    def made(name, begun, seconds):
        return run(started=f'2026-01-01T00:00:{begun:02}+00:00', seconds=seconds, name=name)

    others = [made(str(index), *span) for index, span in enumerate(spans)]
    times = Timetable([*others, made('asked', begun, seconds)])
    assert times.crowded(made('asked', begun, seconds)) == any(
        other_begun + 1 < begun + seconds and begun + 1 < other_begun + other_seconds
        for other_begun, other_seconds in spans
    )
