# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ATE and RPE: closed forms, what leaves them unchanged, and what evo says of the same files."""

import json
import os
from pathlib import Path
import shutil
import subprocess
import zipfile

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from xstreamvggt_ros.files.trajectories import read_tum, Trajectory, write_tum
from xstreamvggt_ros.geometry import rigid
from xstreamvggt_ros.geometry.similarity import Similarity
from xstreamvggt_ros.scores import absolute_error, matched, relative_error
from xstreamvggt_ros.scores.trajectory import align_poses, motion_pairs

FRAMES = 60
numbers = st.floats(-3, 3)
similarities = st.builds(
    lambda scale, turn, shift: Similarity(
        scale, Rotation.from_rotvec(turn).as_matrix(), np.array(shift)
    ),
    st.floats(0.1, 10),
    st.tuples(numbers, numbers, numbers),
    st.tuples(numbers, numbers, numbers),
)
seeds = st.integers(0, 2**32 - 1)


def walk(seed=0, frames=FRAMES):
    """Return poses (F, 4, 4) of a random walk."""
    rng = np.random.default_rng(seed)
    places = np.cumsum(rng.normal(size=(frames, 3)) * 0.05 + [0.03, 0, 0], axis=0)
    turns = Rotation.from_rotvec(np.cumsum(rng.normal(size=(frames, 3)) * 0.05, axis=0))
    return np.stack([rigid(turn, at) for turn, at in zip(turns.as_matrix(), places, strict=True)])


def shaken(poses, seed=1):
    """Return poses with noise of 2 cm and about 1 degree."""
    rng = np.random.default_rng(seed)
    noise = Rotation.from_rotvec(rng.normal(size=(len(poses), 3)) * 0.02).as_matrix()
    noisy = poses.copy()
    noisy[:, :3, 3] += rng.normal(size=(len(poses), 3)) * 0.02
    noisy[:, :3, :3] = noisy[:, :3, :3] @ noise
    return noisy


def line(places):
    """Return poses (F, 4, 4) that do not turn, at places (F, 3)."""
    return np.stack([rigid(np.eye(3), at) for at in np.asarray(places, dtype=float)])


@given(seeds, similarities)
@settings(max_examples=30, deadline=None)
def test_a_similarity_of_the_estimate_changes_nothing(seed, similarity):
    truth = walk(seed)
    estimate = shaken(truth, seed)
    moved = align_poses(estimate, similarity)
    first, second = (absolute_error(each, truth) for each in (estimate, moved))
    assert second.translation.rmse == pytest.approx(first.translation.rmse, rel=1e-6)
    assert second.rotation.rmse == pytest.approx(first.rotation.rmse, rel=1e-6)
    assert second.similarity.scale * similarity.scale == pytest.approx(first.similarity.scale)
    pairs = [relative_error(each, truth, 5) for each in (estimate, moved)]
    assert pairs[1].translation.rmse == pytest.approx(pairs[0].translation.rmse, rel=1e-6)
    assert pairs[1].rotation.rmse == pytest.approx(pairs[0].rotation.rmse, rel=1e-6)


@given(seeds, similarities)
@settings(max_examples=30, deadline=None)
def test_a_rigid_motion_changes_nothing_that_was_rigidly_aligned(seed, similarity):
    truth = walk(seed)
    estimate = shaken(truth, seed)
    motion = Similarity(1.0, similarity.rotation, similarity.translation)
    first, second = (
        absolute_error(each, truth, 'se3') for each in (estimate, align_poses(estimate, motion))
    )
    assert second.translation.rmse == pytest.approx(first.translation.rmse, rel=1e-6)
    assert first.similarity.scale == second.similarity.scale == 1


@given(seeds, similarities)
@settings(max_examples=30, deadline=None)
def test_more_freedom_never_fits_worse_and_the_truth_fits_perfectly(seed, similarity):
    truth = walk(seed)
    estimate = align_poses(shaken(truth, seed), similarity)
    errors = [
        absolute_error(estimate, truth, alignment).translation.rmse
        for alignment in ('sim3', 'se3', 'none')
    ]
    assert errors[0] <= errors[1] + 1e-12 <= errors[2] + 2e-12
    exact = absolute_error(align_poses(truth, similarity), truth)
    assert exact.translation.max == pytest.approx(0, abs=1e-9)
    assert exact.similarity.scale == pytest.approx(1 / similarity.scale)


def test_a_constant_offset_without_alignment_is_the_error():
    truth = walk()
    moved = truth.copy()
    moved[:, :3, 3] += [3.0, 0.0, 4.0]
    result = absolute_error(moved, truth, 'none')
    assert result.translation.rmse == pytest.approx(5)
    assert result.translation.std == pytest.approx(0, abs=1e-12)
    assert absolute_error(moved, truth, 'se3').translation.rmse == pytest.approx(0, abs=1e-12)


def test_a_trajectory_of_half_the_size_has_scale_two():
    truth = walk()
    half = truth.copy()
    half[:, :3, 3] /= 2
    assert absolute_error(half, truth).similarity.scale == pytest.approx(2)
    steps = np.linalg.norm(np.diff(truth[:, :3, 3], axis=0), axis=1)
    assert absolute_error(half, truth).path == pytest.approx(steps.sum())
    assert relative_error(half, truth, alignment='none').translation.max == pytest.approx(
        steps.max() / 2
    )


def test_a_turn_a_frame_is_the_relative_rotation_error():
    truth = line([[index, 0, 0] for index in range(10)])
    estimate = truth.copy()
    angles = np.radians(2.0) * np.arange(10)
    estimate[:, :3, :3] = Rotation.from_rotvec(angles[:, None] * [[0, 0, 1]]).as_matrix()
    assert relative_error(estimate, truth, 3).rotation.mean == pytest.approx(6)
    assert relative_error(estimate, truth, 3).rotation.std == pytest.approx(0, abs=1e-9)


def test_frames_without_a_pose_are_left_out_and_their_gap_is_no_motion():
    truth = walk()
    estimate = truth.copy()
    estimate[20] = np.nan
    result = absolute_error(estimate, truth)
    assert result.translation.count == FRAMES - 1
    assert np.flatnonzero(np.isnan(result.errors)).tolist() == [20]
    relative = relative_error(estimate, truth, 1)
    assert relative.translation.count == FRAMES - 3
    assert not np.isin(20, relative.pairs)


@pytest.mark.parametrize('delta', [1, 2, 3])
@pytest.mark.parametrize('all_pairs', [True, False])
def test_pairs_of_frames_are_those_whose_ends_both_have_poses(delta, all_pairs):
    truth = walk()
    estimate = shaken(truth)
    missing = [0, 20, 21, 33]
    estimate[missing[:3]] = np.nan
    truth[missing[3]] = np.nan

    starts = range(0, FRAMES - delta, 1 if all_pairs else delta)
    expected = [
        [start, start + delta] for start in starts if not {start, start + delta} & set(missing)
    ]
    found = relative_error(estimate, truth, delta, all_pairs=all_pairs)
    assert found.pairs.tolist() == expected
    assert found.translation.count == len(expected)
    assert np.isfinite(found.translation.max)


def test_the_error_over_a_gap_is_that_of_its_own_frames():
    truth = line([[index, 0, 0] for index in range(8)])
    estimate = truth.copy()
    estimate[3] = np.nan
    estimate[4:, 0, 3] += 0.5

    found = relative_error(estimate, truth, 2, alignment='none')

    assert found.pairs.tolist() == [[0, 2], [2, 4], [4, 6], [5, 7]]
    assert found.translation.max == pytest.approx(0.5)
    assert found.translation.mean == pytest.approx(0.125)


def test_no_pose_at_all_gives_no_figure():
    truth = walk()
    nothing = np.full_like(truth, np.nan)
    assert np.isnan(absolute_error(nothing, truth).translation.rmse)
    assert relative_error(nothing, truth).translation.count == 0


def test_an_estimate_that_does_not_move_has_the_spread_of_the_truth():
    truth = line([[0, 0, 0], [2, 0, 0]])
    still = line([[5, 5, 5], [5, 5, 5]])
    assert absolute_error(still, truth, 'sim3').translation.rmse == pytest.approx(1)


def test_pairs_in_metres_follow_the_path():
    places = np.array([[0, 0, 0], [0.4, 0, 0], [1.0, 0, 0], [1.0, 1.0, 0], [1.0, 1.05, 0]])
    every = motion_pairs(places, 1.0, 'metres', True)
    assert every.tolist() == [[0, 2], [2, 3]]
    # Of frames at one place, the first ends a motion, and each begins one.
    still = np.repeat(places, 3, axis=0)
    assert motion_pairs(still, 1.0, 'metres', True).tolist() == [
        [start, end] for starts, end in (((0, 1, 2), 6), ((6, 7, 8), 9)) for start in starts
    ]
    assert motion_pairs(places[[0, 1, 1, 1]] * 2.4, 1.0, 'metres', True).tolist() == [[0, 1]]
    following = motion_pairs(places, 1.0, 'metres', False)
    assert following.tolist() == [[0, 2], [2, 3]]
    assert motion_pairs(places, 9.0, 'metres', True).tolist() == []
    assert motion_pairs(places, 2, 'frames', False).tolist() == [[0, 2], [2, 4]]
    for delta, unit in ((0, 'frames'), (1.5, 'frames'), (-1, 'metres'), (1, 'miles')):
        with pytest.raises(ValueError, match='delta|unit'):
            motion_pairs(places, delta, unit, True)


def test_poses_of_other_frames_are_refused():
    with pytest.raises(ValueError, match=r'poses \(3, 4, 4\) and \(4, 4, 4\)'):
        absolute_error(walk(frames=3), walk(frames=4))
    with pytest.raises(ValueError, match="alignment is 'icp'"):
        absolute_error(walk(), walk(), 'icp')


def test_trajectories_are_matched_by_the_nearest_stamp():
    truth = Trajectory(np.array([0, 100, 200]) * 10**6, np.eye(3), np.tile([0, 0, 0, 1.0], (3, 1)))
    stamps = np.array([4, 96, 150, 209]) * 10**6
    places = np.arange(12.0).reshape(4, 3)
    estimate = Trajectory(stamps, places, np.tile([0, 0, 0, 1.0], (4, 1)))
    ours, theirs = matched(estimate, truth)
    np.testing.assert_array_equal(ours[:, :3, 3], places[[0, 1, 3]])
    np.testing.assert_array_equal(theirs[:, :3, 3], np.eye(3))


@pytest.fixture(scope='module')
def evo():
    """Return where evo's programs are, or skip; its licence keeps it a separate program."""
    folder = os.environ.get('EVO_BIN')
    found = shutil.which('evo_ape', path=folder)
    if found is None:
        pytest.skip('no evo: pip install it elsewhere and name its bin folder in EVO_BIN')
    return Path(found).parent


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """Write a truth that stands at times and an estimate in another unit, world and rate."""
    folder = tmp_path_factory.mktemp('tum')
    truth = walk(3, 150)[np.arange(150) // 3 * 3]
    turn = Rotation.from_rotvec([0.5, 1.0, -0.3]).as_matrix()
    estimate = align_poses(shaken(truth), Similarity(0.4, turn, np.array([1.0, 2.0, 3.0])))
    stamps = 1_700_000_000_000_000_000 + np.arange(150) * 33_333_333
    kept = np.arange(150) % 7 != 0
    for name, poses, times in (
        ('truth.tum', truth, stamps),
        ('estimate.tum', estimate[kept], stamps[kept] + 2_000_000),
    ):
        quaternions = Rotation.from_matrix(poses[:, :3, :3]).as_quat()
        write_tum(folder / name, Trajectory(times, poses[:, :3, 3], quaternions))
    return folder / 'truth.tum', folder / 'estimate.tum'


def run_evo(program, files, tmp_path, *options):
    """Return evo's own statistics."""
    tmp_path.mkdir(exist_ok=True)
    results = tmp_path / 'results.zip'
    command = [program, 'tum', *files, *options, '--save_results', results, '--silent']
    environment = {**os.environ, 'HOME': str(tmp_path), 'MPLBACKEND': 'Agg'}
    subprocess.run(
        [str(word) for word in command], check=True, env=environment, capture_output=True
    )
    with zipfile.ZipFile(results) as archive:
        return json.loads(archive.read('stats.json'))


def check(statistics, evo_says):
    for name in ('rmse', 'mean', 'median', 'std', 'min', 'max'):
        assert getattr(statistics, name) == pytest.approx(evo_says[name], abs=1e-6), name


@pytest.mark.parametrize('alignment, option', [('sim3', '-as'), ('se3', '-a'), ('none', None)])
def test_ate_agrees_with_evo(evo, files, tmp_path, alignment, option):
    ours, theirs = matched(*(read_tum(file) for file in reversed(files)))
    result = absolute_error(ours, theirs, alignment)
    options = [option] if option else []
    check(result.translation, run_evo(evo / 'evo_ape', files, tmp_path, *options))
    turned = run_evo(evo / 'evo_ape', files, tmp_path / 'turn', '-r', 'angle_deg', *options)
    check(result.rotation, turned)


@pytest.mark.parametrize('all_pairs', [True, False])
@pytest.mark.parametrize('delta, unit', [(1, 'frames'), (7, 'frames'), (1.0, 'metres')])
def test_rpe_agrees_with_evo(evo, files, tmp_path, delta, unit, all_pairs):
    ours, theirs = matched(*(read_tum(file) for file in reversed(files)))
    result = relative_error(ours, theirs, delta, unit, all_pairs, 'sim3')
    options = ['-as', '--delta', delta, '--delta_unit', unit[0], '--pairs_from_reference']
    options += ['--all_pairs'] * all_pairs
    relations = {'trans_part': result.translation, 'angle_deg': result.rotation}
    for relation, statistics in relations.items():
        found = run_evo(evo / 'evo_rpe', files, tmp_path / relation, '-r', relation, *options)
        check(statistics, found)
