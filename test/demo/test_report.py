# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The contact sheet, made from made data."""

from dataclasses import replace

import numpy as np
from PIL import Image
import pytest

from xstreamvggt_ros.demo.accuracy import measure
from xstreamvggt_ros.demo.contact_sheet import Column, draw_contact_sheet, Sheet
from xstreamvggt_ros.demo.report import gather_sheet, RANDOM_WEIGHTS, write_results
from xstreamvggt_ros.demo.results import Check, Maps, Results
from xstreamvggt_ros.demo.run import DemoRun
from xstreamvggt_ros.demo.top_view import TopView
from xstreamvggt_ros.files.ply import PlyCloud
from xstreamvggt_ros.files.trajectories import Trajectory
from xstreamvggt_ros.inputs import FrameTruth, SequenceFrame

# The first view's turn in the map, (x, y, z, w).
AHEAD = (-0.5, 0.5, -0.5, 0.5)
STAMPS = [1_000_000_000, 1_500_000_000, 2_000_000_000]
TURN = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


def _column(**changes):
    image = np.zeros((30, 40, 3), np.uint8)
    depth = np.linspace(1, 3, 14 * 28, dtype=np.float32).reshape(14, 28)
    return replace(Column('image 1', image, depth, depth + 1, depth * 2), **changes)


def _sheet(*columns, warning='', views=None):
    cloud = PlyCloud(
        np.random.default_rng(1).normal(size=(500, 3)), np.full((500, 3), 200, np.uint8)
    )
    view = TopView('above', cloud, np.array([[0.0, 0.0, 1.0], [1.0, 0.5, 1.0]]), 'm')
    return Sheet('title', 'subtitle', warning, columns, views or [view], 'm')


def _drawn(tmp_path, sheet):
    draw_contact_sheet(tmp_path / 'sheet.png', sheet)
    with Image.open(tmp_path / 'sheet.png') as image:
        return np.array(image.convert('RGB')).astype(int)


def _reddish(picture):
    """Count pixels of the warning's red."""
    return int((np.abs(picture - [0xB3, 0x26, 0x1E]).sum(axis=-1) < 30).sum())


def test_more_columns_and_a_row_of_truth_make_it_larger(tmp_path):
    few = _drawn(tmp_path, _sheet(*[_column()] * 4))
    many = _drawn(tmp_path, _sheet(*[_column()] * 6))
    without_truth = _drawn(tmp_path, _sheet(*[_column(true_depth=None)] * 4))
    assert many.shape[1] > few.shape[1]
    assert without_truth.shape[0] < few.shape[0]
    assert few.min() < 30 and few.max() == 255


def test_what_the_network_does_not_see_is_dark(tmp_path):
    column = _column(image=np.full((40, 30, 3), 255, np.uint8))
    cut = replace(column, seen=(0.0, 10.0, 30.0, 20.0))
    bright, dark = (_drawn(tmp_path, _sheet(*[each] * 4)).mean() for each in (column, cut))
    assert dark < bright - 5


def test_confidence_is_shaded_from_none_at_all_and_never_as_noise(tmp_path):
    noise = np.random.default_rng(0).random((14, 28)).astype(np.float32)
    columns = [_column(confidence=1 + reach * noise, true_depth=None) for reach in (1e-3, 1.0)]
    drawn = [_drawn(tmp_path, _sheet(*[column] * 4)) for column in columns]
    # The bright end of the shades.
    unsure, sure = ((np.abs(each - [0xFD, 0xE7, 0x25]).sum(axis=-1) < 60).sum() for each in drawn)
    assert unsure < 0.5 * sure


def test_views_that_are_aligned_share_their_axes(tmp_path):
    cloud = PlyCloud(np.zeros((0, 3)), np.zeros((0, 3), np.uint8))
    views = [
        TopView(name, cloud, np.array([[0.0, 0.0, 1.0], [reach, reach, 1.0]]), 'm')
        for name, reach in (('estimate', 1.0), ('truth', 20.0))
    ]
    apart, shared = (
        _drawn(tmp_path, replace(_sheet(*[_column()] * 4, views=views), aligned=aligned))
        for aligned in (False, True)
    )
    # The small path fills its panel alone, and is a stroke beside the long one.
    pink = [
        (np.abs(each - [0xFF, 0x5F, 0xD2]).sum(axis=-1) < 60).sum() for each in (apart, shared)
    ]
    assert pink[1] < 0.7 * pink[0]


def test_the_warning_is_seen(tmp_path):
    quiet = _reddish(_drawn(tmp_path, _sheet(_column(true_depth=None))))
    loud = _reddish(_drawn(tmp_path, _sheet(_column(true_depth=None), warning='MEANS NOTHING')))
    assert loud > quiet + 100


@pytest.mark.parametrize(
    'changes',
    [
        {'image': None},
        {'depth': np.full((14, 28), np.nan, np.float32)},
        {'depth': np.ones((14, 28), np.float32)},
        {'true_depth': np.full((14, 28), np.nan, np.float32)},
    ],
)
def test_what_cannot_be_shown_leaves_the_rest(tmp_path, changes):
    assert _drawn(tmp_path, _sheet(_column(**changes), _column())).size


def test_an_empty_cloud_and_path_are_drawn_as_nothing(tmp_path):
    empty = TopView('above', PlyCloud(np.empty((0, 3)), np.empty((0, 3))), np.empty((0, 3)), 'm')
    assert _drawn(tmp_path, _sheet(_column(), views=[empty])).size


def _frame(index):
    depth = np.full((2, 2), 2.0, np.float32)
    depth[0, 0] = np.nan
    intrinsics = np.array([[2.0, 0, 1.0], [0, 2.0, 1.0], [0, 0, 1.0]])
    pose = np.eye(4)
    # A world turned and moved against the first camera.
    pose[:3, :3] = TURN
    pose[:3, 3] = TURN @ [index, 0.0, 0.0] + [5.0, 6.0, 7.0]
    return SequenceFrame(
        STAMPS[index],
        str(index),
        None,
        lambda: np.full((4, 4, 3), (255, 0, 0), np.uint8),
        lambda: FrameTruth(depth, pose, intrinsics),
    )


class Known:
    """Three frames of a wall, 2 m ahead, from a camera that moves 1 m to its right each time."""

    name = 'wall'
    frames = [_frame(index) for index in range(3)]


def _results(stamps):
    maps = {stamp: Maps(np.ones((14, 14)), np.full((14, 14), 2.0)) for stamp in stamps}
    cloud = PlyCloud(np.zeros((7, 3), np.float32), np.zeros((7, 3), np.uint8))
    poses = np.tile([0.0, 0.0, 0.0, *AHEAD], (len(STAMPS), 1))
    poses[:, 0] = np.arange(len(STAMPS))
    return Results(Check(), Trajectory(np.array(STAMPS), poses[:, :3], poses[:, 3:]), cloud, maps)


def _run(weights='trained tiny.safetensors', axes='rep103'):
    parameters = {'model.preset': 'tiny', 'output.world_axes': axes}
    diagnostics = {'weights': weights, 'cache_budget_tokens': '2048'}
    published = dict.fromkeys(STAMPS, 0)
    return DemoRun(
        published, {}, diagnostics, parameters, distorted=False, problem='', seconds=1.0
    )


def test_the_sheet_has_the_chosen_frames_with_their_truth():
    sheet = gather_sheet(Known(), _run(), _results([STAMPS[0], STAMPS[2]]))
    assert [column.caption for column in sheet.columns] == [
        'image 1 of 3, 0.00 s',
        'image 3 of 3, 1.00 s',
    ]
    assert sheet.warning == ''
    assert '2,048 tokens' in sheet.subtitle
    assert sheet.title.startswith('wall: 3 images')


def test_of_nothing_no_files_are_written(tmp_path):
    results = _results([])
    nothing = Trajectory(np.empty(0, np.int64), np.empty((0, 3)), np.empty((0, 4)))
    empty = PlyCloud(np.empty((0, 3)), np.empty((0, 3)))
    write_results(replace(results, trajectory=nothing, cloud=empty), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ('stride', 'words'),
    [(1, 'wall: 3 images, spanning 1.0 s,'), (3, 'images, every 3rd of the input')],
)
def test_the_title_says_stride_and_length(stride, words):
    sheet = gather_sheet(Known(), replace(_run(), stride=stride), _results(STAMPS))
    assert words in sheet.title


def test_random_weights_are_said_as_the_node_says_them():
    assert gather_sheet(Known(), _run('random'), _results(STAMPS)).warning == RANDOM_WEIGHTS


@pytest.mark.parametrize(
    'axes, path_end, wall',
    [('rep103', [0.0, -2.0, 0.0], (0, 2.0)), ('optical', [2.0, 0.0, 0.0], (2, 2.0))],
)
def test_the_truth_lies_in_the_map_with_the_first_camera_at_its_origin(axes, path_end, wall):
    results = _results(STAMPS)
    accuracy = measure(Known(), results, axes)
    sheet = gather_sheet(Known(), _run(axes=axes), results, accuracy)
    _, truth = sheet.top_views
    np.testing.assert_allclose(truth.true_path[0], 0.0, atol=1e-12)
    np.testing.assert_allclose(truth.true_path[-1], path_end, atol=1e-12)
    assert truth.unit == 'm'
    # Of four pixels one is not known; the wall is straight ahead.
    assert len(truth.cloud) == 3 * 3
    axis, distance = wall
    np.testing.assert_allclose(truth.cloud.points[:, axis], distance, atol=1e-9)
    assert (truth.cloud.colours == (255, 0, 0)).all()


def test_the_estimate_is_laid_over_the_truth():
    # In the map the camera moves to its right, along -y; an estimate at half the scale.
    poses = np.tile([0.0, 0.0, 0.0, *AHEAD], (3, 1))
    poses[:, 1] = [0.0, -0.5, -1.0]
    positions = poses[:, :3] + [3.0, 4.0, 5.0]
    results = replace(
        _results(STAMPS), trajectory=Trajectory(np.array(STAMPS), positions, poses[:, 3:])
    )
    accuracy = measure(Known(), results, 'rep103')
    estimate, truth = gather_sheet(Known(), _run(), results, accuracy).top_views
    np.testing.assert_allclose(estimate.path, truth.true_path, atol=1e-9)
    np.testing.assert_allclose(estimate.true_path, truth.true_path)
    assert estimate.unit == 'm'


def test_depth_is_shown_at_the_scale_at_which_its_error_is_measured():
    results = _results(STAMPS)
    sheet = gather_sheet(Known(), _run(), results, measure(Known(), results, 'rep103'))
    # The wall is 2 m away and was estimated at 1.
    np.testing.assert_allclose(sheet.columns[0].depth, 2.0)
    assert sheet.depth_unit == 'm' and 'depth off by 0.0 % (AbsRel)' in sheet.subtitle

    alone = gather_sheet(Known(), _run(), results)
    np.testing.assert_allclose(alone.columns[0].depth, 1.0)
    assert alone.depth_unit == 'm, up to scale' and 'truth' not in alone.subtitle


def test_the_same_metres_have_the_same_colour_as_the_true_ones(tmp_path):
    near = np.full((14, 28), 1.0, np.float32)
    near[0] = 2.0
    columns = [_column(depth=near, true_depth=4 * near)] * 4
    sheet = _sheet(*columns)
    alike, apart = (
        _drawn(tmp_path, replace(sheet, depth_unit=unit)) for unit in ('m', 'm, up to scale')
    )
    # The far end of the shades: half of the pixels without a common scale, else the true ones.
    far = [(np.abs(each - [0x7A, 0x04, 0x03]).sum(axis=-1) < 30).sum() for each in (alike, apart)]
    assert far[0] < 0.7 * far[1]
