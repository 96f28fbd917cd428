# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Figures of runs whose errors are known."""

from dataclasses import replace

from filmed import Filmed
import numpy as np
from oracles import Oracle
import pytest
from recorded import CONFIG, oracle_run, PROTOCOL, scores_of

from xstreamvggt_ros.evaluation.arrays import depth_stride
from xstreamvggt_ros.evaluation.collect import collect
from xstreamvggt_ros.evaluation.protocol import Protocol
from xstreamvggt_ros.evaluation.replay import replay
from xstreamvggt_ros.evaluation.scoring import worst_frames


def test_a_network_that_knows_the_truth_makes_no_errors():
    scores = scores_of(*oracle_run())

    metrics = scores.metrics
    assert (metrics['frames'], metrics['done'], metrics['answered']) == (8, 8, 1)
    assert metrics['ate_rmse'] < 1e-5
    assert metrics['rpe_rotation'] < 1e-2
    assert metrics['depth_median_abs_rel'] < 1e-5
    assert metrics['depth_median_delta'] == 1
    assert metrics['tracked'] == 1
    # The unit is the oracle's own, and found.
    assert metrics['ate_scale'] == pytest.approx(scores.curves['depth_scale'][0], rel=1e-3)
    assert metrics['depth_none_abs_rel'] > 0.01
    assert len(scores.curves['abs_rel']) == len(scores.curves['latency_ms']) == 8


def test_a_cloud_that_is_the_truth_s_is_on_it():
    protocol = replace(PROTOCOL, max_points=50_000)

    metrics = scores_of(*oracle_run(Filmed(count=3)), protocol).metrics

    assert metrics['points'] > 20_000
    assert metrics['accuracy_mean'] < 1e-4
    assert metrics['completeness_mean'] < 1e-4
    assert metrics['normal_consistency_mean'] > 0.99


def test_errors_are_found_where_there_are_any():
    good, bad = (scores_of(*oracle_run(noise=noise)).metrics for noise in (0.0, 0.1))

    for name in ('ate_rmse', 'rpe_translation', 'depth_median_abs_rel'):
        assert bad[name] > 10 * good[name]
    assert bad['accuracy_mean'] > 2 * good['accuracy_mean']
    assert bad['depth_median_abs_rel'] == pytest.approx(0.1 * (2 / np.pi) ** 0.5, rel=0.1)


def test_frames_that_gave_nothing_are_counted_and_not_scored():
    scores = scores_of(*oracle_run(Filmed(count=8, damaged=(3,))))

    assert scores.metrics['failed'] == 1
    assert scores.metrics['answered'] == 7 / 8
    assert scores.metrics['depth_median_abs_rel'] < 1e-5
    assert np.isnan(scores.curves['abs_rel'][3])
    assert np.isnan(scores.curves['position_error_m'][3])


def test_curves_hold_what_the_figures_are_of():
    sequence, collected = oracle_run(Filmed(count=8, damaged=(3,)), noise=0.1)
    # Of one that was refused it is known how long that took.
    latency = np.where(collected.frames.statuses == 'done', collected.frames.latency_s, 60.0)
    collected = replace(collected, frames=replace(collected.frames, latency_s=latency))

    scores = scores_of(sequence, collected)

    curves = {name: np.array(values) for name, values in scores.curves.items()}
    known = np.arange(8) != 3
    pixels = curves['depth_pixels']
    weighted = np.average(curves['abs_rel'][known], weights=pixels[known])
    assert (pixels[3], pixels.sum()) == (0, scores.metrics['depth_pixels'])
    assert scores.metrics['depth_median_abs_rel'] == pytest.approx(weighted)
    times = curves['latency_ms']
    np.testing.assert_array_equal(np.isfinite(times), known)
    assert scores.metrics['frames_per_second'] == pytest.approx(1e3 / times[known].mean())
    assert scores.metrics['latency_median_ms'] == pytest.approx(np.median(times[known]))


def test_poses_of_another_stream_are_left_out():
    class Restarting(Oracle):
        """Begins anew, and says so by a pose that is not finite, at the sixth frame."""

        def step(self, image, keep=True):
            frame = super().step(image, keep)
            if self.since == 6 and self.streams < 4:
                frame.camera_from_world[:] = float('nan')
            return frame

    sequence = Filmed(count=8)
    collected = collect(replay(sequence, CONFIG, Restarting(sequence.film)), 8, 256)
    scores = scores_of(sequence, collected)

    assert collected.frames.statuses.tolist() == ['done'] * 5 + ['failed'] + ['done'] * 2
    assert len(set(collected.frames.worlds.tolist())) == 3
    assert scores.metrics['ate_rmse'] < 1e-5
    assert np.isnan(scores.curves['position_error_m'][5:]).all()


def test_independent_frames_have_depth_alone_aligned_one_by_one():
    scores = scores_of(*oracle_run(Filmed(count=4, independent_frames=True)))

    assert scores.metrics['depth_median_abs_rel'] < 1e-5
    assert 'ate_rmse' not in scores.metrics
    assert scores.alignment == {}
    # Every stream has a unit of its own.
    assert len(set(scores.curves['depth_scale'])) == 4


def test_depth_beyond_the_protocol_s_does_not_count():
    sequence, collected = oracle_run()
    near = float(np.nanpercentile(collected.depth.truths, 30))

    every = scores_of(sequence, collected).metrics['depth_pixels']
    some = scores_of(sequence, collected, replace(PROTOCOL, max_depth=near)).metrics
    assert some['depth_pixels'] == pytest.approx(0.3 * every, rel=0.01)


@pytest.mark.parametrize('wrong', [{'points': 'luck'}, {'delta_m': 0.0}, {'per': 'pixel'}])
def test_a_protocol_that_means_nothing_is_refused(wrong):
    with pytest.raises(
        ValueError, match=next(iter(wrong.values())) if 'delta_m' not in wrong else 'delta_m'
    ):
        Protocol(**wrong)


def test_two_poses_make_no_trajectory():
    metrics = scores_of(*oracle_run(Filmed(count=2))).metrics

    assert np.isnan(metrics['ate_rmse'])
    assert metrics['depth_median_abs_rel'] < 1e-5


def test_worst_frames_are_apart():
    errors = [0.0] * 48
    errors[20], errors[21], errors[40] = 0.9, 0.8, 0.5

    assert worst_frames({'abs_rel': errors}, 2) == [20, 40]
    assert worst_frames({'abs_rel': [None, None], 'position_error_m': [1.0, 2.0]}, 1) == [1]
    assert worst_frames({}) == []


@pytest.mark.parametrize('frames', [1, 7, 400])
@pytest.mark.parametrize('mib', [0.01, 1, 256])
def test_what_depth_takes_is_bounded(frames, mib):
    stride = depth_stride(frames, 392, 518, mib * 2**20)

    def taken(stride):
        return 8 * frames * -(-392 // stride) * -(-518 // stride)

    assert taken(stride) <= mib * 2**20
    assert stride == 1 or taken(stride - 1) > mib * 2**20


def test_a_run_that_is_thinned_is_scored_nearly_alike():
    sequence, whole = oracle_run(noise=0.1)
    _, thinned = oracle_run(noise=0.1, config=replace(CONFIG, depth_mib=0.1))

    assert int(thinned.depth.stride) > 1
    assert thinned.depth.estimates.nbytes + thinned.depth.truths.nbytes <= 0.1 * 2**20
    few, all_of_them = (
        scores_of(sequence, each).metrics['depth_median_abs_rel'] for each in (thinned, whole)
    )
    assert few == pytest.approx(all_of_them, rel=0.1)
