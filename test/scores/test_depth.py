# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Depth figures: cases worked out by hand, and what each alignment forgives."""

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from xstreamvggt_ros.scores import DepthProtocol, mean_score, score_depth

seeds = st.integers(0, 2**32 - 1)


def maps(seed=0, frames=3):
    """Return true depth maps of 1 to 5 metres, and estimates 10 % off."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(1, 5, (frames, 6, 8)).astype(np.float32)
    return truth * rng.uniform(0.9, 1.1, truth.shape).astype(np.float32), truth


def test_figures_without_alignment_are_those_worked_out_by_hand():
    truth = np.array([[[1.0, 2.0, 4.0, np.nan]], [[0.0, 10.0, np.nan, np.inf]]])
    prediction = np.array([[[1.5, 2.0, 3.6, 9.0]], [[9.0, 12.0, 9.0, 9.0]]])
    result = score_depth(prediction, truth, DepthProtocol('none'))
    assert result.sequence.pixels == 4
    assert result.sequence.abs_rel == pytest.approx((0.5 + 0 + 0.1 + 0.2) / 4)
    assert result.sequence.rmse == pytest.approx(np.sqrt((0.25 + 0 + 0.16 + 4) / 4))
    assert result.sequence.delta == pytest.approx(3 / 4)
    assert [frame.pixels for frame in result.frames] == [3, 1]
    assert result.frames[1].abs_rel == pytest.approx(0.2)
    assert result.scale.tolist() == [1, 1]


def test_the_factor_of_a_quarter_is_outside():
    truth = np.array([[[1.0, 1.0, 1.0, 1.25]]])
    prediction = np.array([[[1.25, 1.249, 0.8, 1.001]]])
    assert score_depth(prediction, truth, DepthProtocol('none')).sequence.delta == 0.5


@given(seeds, st.floats(0.01, 100))
@settings(max_examples=30, deadline=None)
def test_a_scale_of_the_estimate_changes_nothing_after_median_alignment(seed, scale):
    prediction, truth = maps(seed)
    first = score_depth(prediction, truth)
    second = score_depth(prediction.astype(np.float64) * scale, truth)
    assert second.sequence.abs_rel == pytest.approx(first.sequence.abs_rel, rel=1e-6)
    assert second.sequence.rmse == pytest.approx(first.sequence.rmse, rel=1e-6)
    assert second.scale[0] * scale == pytest.approx(first.scale[0], rel=1e-6)


@given(seeds, st.floats(0.1, 10), st.floats(-2, 2))
@settings(max_examples=30, deadline=None)
def test_scale_and_shift_are_found_again(seed, scale, shift):
    _, truth = maps(seed)
    result = score_depth((truth - shift) / scale, truth, DepthProtocol('scale_shift'))
    assert result.scale[0] == pytest.approx(scale, rel=1e-4)
    assert result.shift[0] == pytest.approx(shift, abs=1e-3)
    assert result.sequence.abs_rel == pytest.approx(0, abs=1e-4)
    assert result.sequence.delta == 1


@given(seeds)
@settings(max_examples=20, deadline=None)
def test_least_squares_never_has_the_larger_rmse(seed):
    prediction, truth = maps(seed)
    errors = [
        score_depth(prediction, truth, DepthProtocol(alignment)).sequence.rmse
        for alignment in ('scale_shift', 'median', 'none')
    ]
    assert errors[0] <= min(errors) + 1e-9


def test_frames_of_their_own_scale_need_an_alignment_each():
    _, truth = maps()
    prediction = truth * np.array([1.0, 2.0, 4.0], np.float32)[:, None, None]
    each = score_depth(prediction, truth, DepthProtocol('median', 'frame'))
    assert each.sequence.abs_rel == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(each.scale, [1, 0.5, 0.25], rtol=1e-6)
    together = score_depth(prediction, truth, DepthProtocol('median', 'sequence'))
    assert together.sequence.abs_rel > 0.2
    assert len(set(together.scale.tolist())) == 1


def test_only_depths_of_the_range_count():
    truth = np.array([[[0.5, 10.0, 80.0, 81.0]]])
    prediction = np.array([[[5.0, 10.0, 80.0, 1.0]]])
    result = score_depth(prediction, truth, DepthProtocol('none', min_depth=1, max_depth=80))
    assert (result.sequence.pixels, result.sequence.abs_rel) == (2, 0)


def test_what_was_not_predicted_counts_as_wrong_and_fits_nothing():
    truth = np.full((1, 2, 2), 2.0)
    prediction = np.array([[[4.0, 4.0], [np.nan, np.inf]]])
    result = score_depth(prediction, truth)
    assert result.scale[0] == 0.5
    assert result.sequence.abs_rel == 0.5
    assert result.sequence.delta == 0.5


def test_frames_without_truth_have_no_figures():
    prediction, truth = maps(frames=2)
    result = score_depth(prediction, [None, truth[1]])
    assert result.frames[0].pixels == 0
    assert np.isnan(result.frames[0].abs_rel)
    assert result.sequence.pixels == 48
    nothing = score_depth(prediction, [None, None])
    assert np.isnan(nothing.sequence.rmse)
    assert np.isnan(score_depth([], []).sequence.abs_rel)


def test_sequences_are_averaged_by_their_pixels_or_one_like_the_other():
    scores = []
    for frames, factor in ((1, 1.1), (3, 1.3)):
        truth = np.ones((frames, 2, 2))
        scores.append(score_depth(truth * factor, truth, DepthProtocol('none')).sequence)
    assert mean_score(scores).abs_rel == pytest.approx((0.1 + 3 * 0.3) / 4)
    assert mean_score(scores).pixels == 16
    assert mean_score(scores, weighted=False).abs_rel == pytest.approx(0.2)
    assert mean_score(scores).delta == pytest.approx(0.25)
    assert np.isnan(mean_score([]).abs_rel)


@pytest.mark.parametrize(
    'options, message',
    [
        ({'alignment': 'mean'}, "alignment is 'mean'; use one of: median"),
        ({'per': 'pixel'}, "per is 'pixel'; use one of: sequence, frame"),
        ({'max_depth': 0}, 'max_depth 0'),
    ],
)
def test_an_unknown_protocol_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        DepthProtocol(**options)


def test_maps_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r'\(2, 2\) .* \(3, 2\)'):
        score_depth(np.ones((1, 2, 2)), np.ones((1, 3, 2)))
