# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Inputs of every kind, damaged at random: a result or a sentence, and nothing whole is lost.

Warnings count as damage, too: what a library prints on the screen helps nobody.
"""

from pathlib import Path
import shutil

from bag_messages import (
    CAMERA_INFO,
    camera_info,
    IMAGE,
    image,
    POSE,
    pose,
    TF,
    transforms,
    write_bag,
)
from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st
from layouts import camera_pose, matrix_text, pixels, save_depth, save_image, save_text
import numpy as np
import pytest

from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.files.ply import PlyCloud, read_ply, write_ply
from xstreamvggt_ros.files.trajectories import read_tum, Trajectory, write_tum
from xstreamvggt_ros.geometry import quaternion_from_rotation
from xstreamvggt_ros.inputs import DamagedFrame, open_sequence

pytestmark = [
    pytest.mark.filterwarnings('error::RuntimeWarning'),
    pytest.mark.filterwarnings('error::UserWarning'),
]
START = 1_700_000_000_123_456_789
COUNT = 3
cases = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
places = st.floats(0, 1, exclude_max=True)
damages = st.one_of(
    st.tuples(st.just('cut'), places),
    st.tuples(st.just('flip'), st.lists(st.tuples(places, st.integers(0, 255)), min_size=1)),
    st.tuples(st.just('zero'), places, st.integers(1, 400)),
    st.tuples(st.just('insert'), places, st.binary(min_size=1, max_size=12)),
    st.tuples(st.just('repeat'), places, st.integers(1, 400)),
)
stamps = st.sampled_from(
    ['0', '-1', '-0.5', '1e400', 'nan', '1305031102175300000', '', '9' * 30, '1.7.1', '1e-9']
)


def damaged(data, damage):
    """Give the bytes as the damage leaves them."""
    kind, where, *how = damage
    if kind == 'flip':
        data = bytearray(data)
        for place, value in where if data else ():
            data[int(place * len(data))] = value
        return bytes(data)
    at = int(where * len(data))
    match kind:
        case 'cut':
            return data[:at]
        case 'zero':
            return data[:at] + bytes(len(data[at : at + how[0]])) + data[at + how[0] :]
        case 'insert':
            return data[:at] + how[0] + data[at:]
    return data[: at + how[0]] + data[at : at + how[0]] + data[at + how[0] :]


def read_all(path, **options):
    """Read everything that an input has; images by name, None where one is damaged."""
    try:
        sequence = open_sequence(path, **options)
    except InputError as error:
        assert str(error)
        return {}, [str(error)]
    found = {}
    for frame in sequence.frames:
        truth = frame.truth()
        assert truth.depth is None or truth.depth.dtype == np.float32
        known = frame.pose()
        assert known is None or np.isfinite(known).all()
        try:
            frame.payload()
            found[frame.stamp_ns] = frame.image()
        except DamagedFrame as error:
            found[frame.stamp_ns] = None
            assert str(error) in sequence.problems
    assert all(sequence.problems)
    return found, sequence.problems


def _messages():
    edge = transforms(START, ('map', 'optical', np.eye(4)))
    yield '/cam/camera_info', CAMERA_INFO, START, camera_info(START, 6, 8, 50.0)
    yield '/tf_static', TF, START, edge
    for index in range(COUNT):
        stamp = START + index * 10**8
        yield '/cam/image_raw', IMAGE, stamp, image(stamp, pixels(index), 'rgb8')
        depth = np.full((6, 8), 1500, np.uint16)
        yield '/cam/depth', IMAGE, stamp, image(stamp, depth, '16UC1')
        yield '/ground_truth/pose', POSE, stamp, pose(stamp, camera_pose(index))


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    """Make a small input of each kind."""
    folder = tmp_path_factory.mktemp('made')
    messages = list(_messages())
    write_bag(folder / 'mcap', messages)
    write_bag(folder / 'chunks', messages, 'mcap', 'chunk')
    write_bag(folder / 'sqlite', messages, 'sqlite3')
    for index in range(COUNT):
        stem = f'frame-{index:06d}'
        save_image(folder / '7scenes' / f'{stem}.color.png', index)
        save_depth(folder / '7scenes' / f'{stem}.depth.png', [0, 1500])
        save_text(folder / '7scenes' / f'{stem}.pose.txt', matrix_text(camera_pose(index)))
        save_image(folder / 'images' / f'{index}.png', index)
    save_text(folder / '7scenes' / 'camera-intrinsics.txt', '50 50 4 3')
    save_text(folder / 'images' / 'camera-intrinsics.txt', '50 50 4 3')
    _make_tum(folder / 'tum')
    return folder


def _make_tum(folder):
    lists = {'rgb': '', 'depth': '', 'groundtruth': '# timestamp tx ty tz qx qy qz qw\n'}
    for index in range(COUNT):
        stamp = f'{1305031102 + index}.1753'
        for kind, save in (('rgb', save_image), ('depth', save_depth)):
            save(folder / kind / f'{index}.png', index if kind == 'rgb' else [5000])
            lists[kind] += f'{stamp} {kind}/{index}.png\n'
        at = camera_pose(index)
        numbers = [*at[:3, 3], *quaternion_from_rotation(at[:3, :3])]
        lists['groundtruth'] += ' '.join([stamp, *map(repr, map(float, numbers))]) + '\n'
    for kind, text in lists.items():
        save_text(folder / f'{kind}.txt', text)


def _copied(made, kind, target):
    shutil.rmtree(target, ignore_errors=True)
    return Path(shutil.copytree(made / kind, target))


@pytest.mark.parametrize('kind', ['mcap', 'chunks', 'sqlite'])
@settings(cases, max_examples=250)
@given(damage=damages)
def test_a_damaged_bag_gives_what_is_whole_or_a_sentence(made, tmp_path, kind, damage):
    file = next(each for each in (made / kind).iterdir() if each.suffix in ('.mcap', '.db3'))
    target = tmp_path / file.name
    data = file.read_bytes()
    target.write_bytes(damaged(data, damage))
    found, problems = read_all(target)
    # What lies before a cut is there, where the file says itself where its messages begin.
    if damage[0] == 'cut' and kind == 'mcap':
        cut = int(damage[1] * len(data))
        whole = [pixels(index).tobytes() for index in range(COUNT)]
        whole = [data.index(each) + len(each) for each in whole]
        # The record ends a little behind the pixels.
        assert sum(end + 8 <= cut for end in whole) <= len(found)
        assert len(found) == COUNT or problems
    if damage[0] == 'cut' and kind != 'mcap' and len(found) < COUNT:
        assert problems


@settings(cases, max_examples=250)
@given(damage=damages)
def test_damaged_metadata_costs_no_message(made, tmp_path, damage):
    bag = tmp_path / 'bag'
    if not bag.exists():
        shutil.copytree(made / 'mcap', bag)
    text = (made / 'mcap' / 'metadata.yaml').read_bytes()
    (bag / 'metadata.yaml').write_bytes(damaged(text, damage))
    found, _ = read_all(bag)
    assert len(found) == COUNT


@pytest.mark.parametrize('kind', ['tum', '7scenes', 'images'])
@settings(cases, max_examples=200)
@given(damage=damages, which=st.integers(0, 100))
def test_a_damaged_file_of_a_folder_costs_itself(made, tmp_path, kind, damage, which):
    folder = tmp_path / 'folder'
    if not folder.exists():
        shutil.copytree(made / kind, folder)
    files = sorted(each for each in (made / kind).rglob('*') if each.is_file())
    file = files[which % len(files)]
    spoilt = folder / file.relative_to(made / kind)
    spoilt.write_bytes(damaged(file.read_bytes(), damage))
    try:
        found, problems = read_all(folder)
    finally:
        shutil.copy(file, spoilt)
    if file.name == 'rgb.txt':
        return
    whole = [image for image in found.values() if image is not None]
    # Stamps that are no seconds leave the whole input out, with a sentence.
    if file.suffix == '.txt' and not found:
        assert any('looks like' in problem or 'qw' in problem for problem in problems)
        return
    assert len(whole) >= COUNT - (file.suffix == '.png' and 'depth' not in str(spoilt))


@settings(cases, max_examples=100)
@given(
    odd=st.lists(st.tuples(st.integers(0, COUNT), stamps), min_size=1, max_size=3),
    name=st.sampled_from(['rgb.txt', 'depth.txt', 'groundtruth.txt']),
)
def test_odd_stamps_give_a_sentence(made, tmp_path, odd, name):
    folder = tmp_path / 'tum'
    if not folder.exists():
        shutil.copytree(made / 'tum', folder)
    lines = (made / 'tum' / name).read_text().splitlines()
    for index, stamp in odd:
        line = lines[index % len(lines)]
        lines[index % len(lines)] = ' '.join([stamp, *line.split()[1:]])
    (folder / name).write_text('\n'.join(lines))
    _, problems = read_all(folder)
    (folder / name).write_text((made / 'tum' / name).read_text())
    assert problems


@settings(cases, max_examples=150)
@given(damage=damages)
def test_a_damaged_trajectory_gives_poses_or_a_sentence(tmp_path, damage):
    file = tmp_path / 'a.tum'
    ones = np.ones((COUNT, 4))
    write_tum(file, Trajectory(START + np.arange(COUNT), ones[:, :3], ones))
    file.write_bytes(damaged(file.read_bytes(), damage))
    told = []
    try:
        trajectory = read_tum(file, told.append)
    except ValueError as error:
        assert 'a.tum' in str(error)
        return
    assert np.isfinite(trajectory.positions).all()


@settings(cases, max_examples=150)
@given(damage=damages)
def test_a_damaged_cloud_gives_points_or_a_sentence(tmp_path, damage):
    file = tmp_path / 'a.ply'
    write_ply(file, PlyCloud(np.ones((5, 3), np.float32), np.ones((5, 3), np.uint8)))
    file.write_bytes(damaged(file.read_bytes(), damage))
    try:
        cloud = read_ply(file)
    except ValueError as error:
        assert 'a.ply' in str(error)
        return
    assert cloud.points.shape == cloud.colours.shape
