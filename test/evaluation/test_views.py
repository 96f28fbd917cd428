# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Paths and clouds are beside the truth as far as it aligns them, and nowhere else."""

import base64
from dataclasses import replace
import json

from filmed import Filmed
import numpy as np
import pytest
from recorded import oracle_record

from xstreamvggt_ros.evaluation.export.shown_frames import shown_frames
from xstreamvggt_ros.evaluation.report.page import page_html
from xstreamvggt_ros.evaluation.report.views import aligned_paths, scene

SEQUENCE = Filmed(count=6)
POINTS = 2000


def unknown(values):
    return np.full_like(values, np.nan)


def still(poses):
    return np.broadcast_to(poses[:1], poses.shape)


def with_truth(poses=np.array, depth=True):
    """Let a truth say as much as this of a run."""

    def edited(collected):
        frames, of_depth, points = collected.frames, collected.depth, collected.points
        frames = replace(frames, true_poses=poses(frames.true_poses))
        if not depth:
            of_depth = replace(of_depth, truths=unknown(of_depth.truths))
            points = replace(points, truths=unknown(points.truths))
        return replace(collected, frames=frames, depth=of_depth, points=points)

    return edited


def cloud(view, layer):
    low, high = np.array(view['low']), np.array(view['high'])
    steps = np.frombuffer(base64.b64decode(layer['points']), '<u2').reshape(-1, 3)
    return low + steps / 65535 * (high - low)


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """Record a run whose truth says everything."""
    return oracle_record(tmp_path_factory.mktemp('whole') / 'a', sequence=SEQUENCE)


@pytest.mark.parametrize('poses', [unknown, still])
def test_a_truth_that_aligns_nothing_stands_beside_nothing(poses, tmp_path):
    edit = with_truth(poses, depth=False)
    record = oracle_record(tmp_path / 'a', sequence=SEQUENCE, edit=edit)

    assert aligned_paths([record]) is None
    view = scene([record], POINTS)
    (layer,) = view['layers']
    assert not view['aligned'] and layer['name'] == record.info['label']
    np.testing.assert_allclose(layer['path'], record.frames().poses[:, :3, 3], atol=1e-4)
    page = page_html([record], [], '')
    assert 'No trajectory was aligned' in page and 'Not aligned to a truth' in page
    for said in ('>Trajectories<', 'Aligned to the truth', 'first true camera', '>truth<'):
        assert said not in page


def test_where_everything_is_known_the_truth_is_beside_the_runs(whole):
    view = scene([whole], POINTS)

    assert view['aligned']
    truth, run = view['layers']
    assert (truth['name'], truth['run'], run['run']) == ('truth', None, 0)
    np.testing.assert_allclose(run['path'], truth['path'], atol=1e-3)
    page = page_html([whole], [], '')
    for said in ('>Trajectories<', 'Aligned to the truth', 'Axes of the first true camera'):
        assert said in page
    # The page reads what the view is of.
    (embedded,) = page.split('<script type="application/json">')[1:]
    assert json.loads(embedded.split('</script>')[0])['aligned']


def test_without_true_depth_the_cloud_goes_with_the_cameras(whole, tmp_path):
    edit = with_truth(depth=False)
    record = oracle_record(tmp_path / 'a', sequence=SEQUENCE, edit=edit)

    views = scene([whole], POINTS), scene([record], POINTS)

    # ICP, which the depth is for, was fitted to a part of the points.
    middles = [np.median(cloud(view, view['layers'][-1]), axis=0) for view in views]
    np.testing.assert_allclose(*middles, atol=0.05)
    depths = [next(shown_frames(each)) for each in (whole, record)]
    np.testing.assert_allclose(depths[1].depth, depths[0].depth, rtol=1e-3)
    np.testing.assert_allclose(
        np.median(depths[1].points, axis=0), np.median(depths[0].points, axis=0), atol=0.05
    )


def test_where_the_true_camera_stands_still_the_cameras_go_with_the_cloud(whole, tmp_path):
    record = oracle_record(tmp_path / 'a', sequence=SEQUENCE, edit=with_truth(still))

    assert aligned_paths([record]) is None
    view = scene([record], POINTS)
    assert view['aligned']
    paths = [each['layers'][-1]['path'] for each in (view, scene([whole], POINTS))]
    np.testing.assert_allclose(*paths, atol=0.05)


def test_a_run_that_was_not_aligned_leaves_the_others_their_colours(whole, tmp_path):
    def short(collected):
        poses = collected.frames.poses.copy()
        poses[2:] = np.nan
        without = with_truth(depth=False)(collected)
        return replace(without, frames=replace(without.frames, poses=poses))

    lost = oracle_record(tmp_path / 'a', sequence=SEQUENCE, edit=short)
    runs = [lost, whole]

    (first, nowhere), (second, path) = aligned_paths(runs).estimates

    assert (first, second) == tuple(run.info['label'] for run in runs)
    assert np.isnan(nowhere).all() and np.isfinite(path).all()
    assert [layer['run'] for layer in scene(runs, POINTS)['layers']] == [None, 1]
