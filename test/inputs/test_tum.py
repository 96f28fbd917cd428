# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""TUM RGB-D and Bonn: what belongs together in time, the scale of depth, the cameras."""

from layouts import camera_pose, pixels, save_depth, save_image, save_text
import numpy as np
import pytest

from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.geometry import quaternion_from_rotation
from xstreamvggt_ros.inputs import open_sequence
from xstreamvggt_ros.inputs.tum import BONN_MARKERS_FROM_SENSOR, BONN_ROS

# Seconds of the images, and by how much depth and pose of each are later.
IMAGES = (1305031102.1753, 1305031102.2112, 1305031102.2753, 1305031102.3112)
LATER = (-0.0047, 0.0199, 0.0201, 0.0012)


@pytest.fixture
def write(tmp_path):
    """Return what writes a sequence of that name."""

    def make(name):
        folder = tmp_path / name
        lists = {'rgb': '# color images\n', 'depth': '# depth maps\n'}
        poses = '# ground truth trajectory\n# timestamp tx ty tz qx qy qz qw\n'
        for index, (stamp, later) in enumerate(zip(IMAGES, LATER, strict=True)):
            image, depth = f'rgb/{stamp:.6f}.png', f'depth/{stamp + later:.6f}.png'
            save_image(folder / image, index)
            save_depth(folder / depth, [0, 5000, 65535, 7500 + index])
            lists['rgb'] += f'{stamp:.6f} {image}\n'
            lists['depth'] += f'{stamp + later:.6f} {depth}\n'
            pose = camera_pose(index)
            numbers = [*pose[:3, 3], *quaternion_from_rotation(pose[:3, :3])]
            poses += ' '.join([f'{stamp + later:.4f}', *map(repr, map(float, numbers))]) + '\n'
        for kind, text in lists.items():
            save_text(folder / f'{kind}.txt', text)
        save_text(folder / 'groundtruth.txt', poses)
        return folder

    return make


def test_depth_and_pose_are_those_within_the_tolerance(write):
    sequence = open_sequence(write('rgbd_dataset_freiburg1_xyz'))
    assert sequence.dataset == 'tum'
    truths = [frame.truth() for frame in sequence.frames]
    assert [truth.depth is None for truth in truths] == [False, False, True, False]
    assert [truth.world_from_camera is None for truth in truths] == [False, False, True, False]
    np.testing.assert_allclose(truths[3].world_from_camera, camera_pose(3), atol=1e-12)
    np.testing.assert_array_equal(sequence.frames[3].image(), pixels(3))
    assert sequence.frames[0].stamp_ns == 1_305_031_102_175_300_000
    assert len(sequence.problems) == 2
    for problem in sequence.problems:
        assert 'nothing within 0.02 s for 1 of 4 images: 1305031102.275300.png' in problem


def test_depth_is_in_units_of_a_fifth_of_a_millimetre(write):
    depth = open_sequence(write('rgbd_dataset_freiburg3_x')).frames[1].truth().depth
    np.testing.assert_allclose(depth[0, :4], [np.nan, 1.0, 13.107, 1.5002], rtol=1e-6)


def test_another_tolerance_takes_what_is_farther(write):
    folder = write('rgbd_dataset_freiburg1_xyz')
    assert open_sequence(folder, tolerance_s=0.03).problems == ()
    with pytest.raises(InputError, match='tolerance_s is -1'):
        open_sequence(folder, tolerance_s=-1)


@pytest.mark.parametrize(
    'name, focal, distortion',
    [
        ('rgbd_dataset_freiburg1_desk', 517.3, (0.2624, -0.9531, -0.0054, 0.0026, 1.1633)),
        ('rgbd_dataset_freiburg2_desk', 520.9, (0.2312, -0.7849, -0.0033, -0.0001, 0.9172)),
        ('rgbd_dataset_freiburg3_office', 535.4, ()),
        ('rgbd_bonn_balloon', 542.822841, (0.039903, -0.099343, -0.00073, -0.000144, 0.0)),
    ],
)
def test_the_name_tells_the_camera(write, name, focal, distortion):
    camera = open_sequence(write(name)).frames[0].camera
    assert camera.K[0] == focal
    assert camera.D == distortion


def test_an_unknown_camera_is_named(write):
    sequence = open_sequence(write('my_own'))
    assert sequence.frames[0].camera.K[0] == 525
    assert any('my_own: the name tells no camera' in problem for problem in sequence.problems)


def test_bonn_s_poses_are_taken_from_the_markers_to_the_sensor(write):
    sequence = open_sequence(write('rgbd_bonn_balloon'))
    assert sequence.dataset == 'bonn'
    pose = sequence.frames[3].truth().world_from_camera
    published = BONN_ROS @ camera_pose(3) @ BONN_ROS @ BONN_MARKERS_FROM_SENSOR
    np.testing.assert_allclose(pose[:3, 3], published[:3, 3], atol=1e-12)
    np.testing.assert_allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(1.0593 * pose[:3, :3], published[:3, :3], atol=2e-4)


def test_without_poses_the_images_and_depth_are_there(write):
    folder = write('rgbd_dataset_freiburg1_xyz')
    (folder / 'groundtruth.txt').unlink()
    sequence = open_sequence(folder)
    assert sequence.frames[0].truth().depth is not None
    assert sequence.frames[0].truth().world_from_camera is None
    assert any('groundtruth.txt' in problem for problem in sequence.problems)


def test_a_line_that_is_none_is_named_and_passed_over(write):
    folder = write('rgbd_dataset_freiburg1_xyz')
    lines = (folder / 'rgb.txt').read_text().splitlines()
    lines[2] = 'not a stamp and a file'
    save_text(folder / 'rgb.txt', '\n'.join(lines))
    sequence = open_sequence(folder)
    assert len(sequence.frames) == 3
    assert any('rgb.txt:3' in problem for problem in sequence.problems)


def test_a_list_without_images_is_refused(write):
    folder = write('rgbd_dataset_freiburg1_xyz')
    save_text(folder / 'rgb.txt', '# nothing\n')
    with pytest.raises(InputError, match=r'rgb\.txt lists no images'):
        open_sequence(folder)


@pytest.mark.parametrize('name', ['/dev/zero', '../other/rgb/1.png', 'rgb/../../x.png'])
def test_a_list_does_not_lead_out_of_its_folder(write, name):
    folder = write('rgbd_dataset_freiburg1_xyz')
    lines = (folder / 'rgb.txt').read_text().splitlines()
    lines[2] = f'{IMAGES[1]:.6f} {name}'
    save_text(folder / 'rgb.txt', '\n'.join(lines))
    sequence = open_sequence(folder)
    assert len(sequence.frames) == 3
    assert any(f'rgb.txt:3: a line is "stamp file": {name}' in each for each in sequence.problems)
    assert len(sequence.fingerprint()) == 64


def _rewrite(folder, name, change, encoding='utf-8'):
    lines = (folder / name).read_text().splitlines()
    (folder / name).write_bytes('\n'.join(change(lines)).encode(encoding))


def test_lists_by_other_writers_are_read(write):
    folder = write('rgbd_dataset_freiburg1_xyz')
    whole = open_sequence(folder)
    _rewrite(folder, 'rgb.txt', lambda lines: ['\ufefftimestamp, file', *lines[1:]])
    _rewrite(folder, 'depth.txt', lambda lines: [line.replace(' ', ',') for line in lines[1:]])
    _rewrite(
        folder, 'groundtruth.txt', lambda lines: ['# Müller', 'time x', *lines[2:]], 'latin-1'
    )
    sequence = open_sequence(folder)
    assert [frame.stamp_ns for frame in sequence.frames] == [
        frame.stamp_ns for frame in whole.frames
    ]
    for frame, other in zip(sequence.frames, whole.frames, strict=True):
        assert (frame.pose() is None) == (other.pose() is None)
        assert (frame.truth().depth is None) == (other.truth().depth is None)


def test_a_row_that_is_none_costs_itself(write):
    folder = write('rgbd_dataset_freiburg1_xyz')
    _rewrite(
        folder,
        'groundtruth.txt',
        lambda lines: [
            *lines[:2],
            '1305031102.1 nan nan nan nan nan nan nan',
            *lines[2:],
            '13050',
        ],
    )
    sequence = open_sequence(folder)
    assert sequence.frames[0].pose() is not None
    assert any('2 lines are left out' in problem for problem in sequence.problems)


def test_absolute_names_of_another_machine_are_found_below_the_folder(write):
    folder = write('rgbd_dataset_freiburg1_xyz')
    _rewrite(
        folder, 'rgb.txt', lambda lines: [each.replace(' rgb/', ' /data/x/rgb/') for each in lines]
    )
    _rewrite(
        folder,
        'depth.txt',
        lambda lines: [each.replace(' depth/', f' {folder}/depth/') for each in lines],
    )
    sequence = open_sequence(folder)
    np.testing.assert_array_equal(sequence.frames[1].image(), pixels(1))
    assert sequence.frames[1].truth().depth is not None


def test_entries_that_come_twice_are_one_and_counted(write):
    folder = write('rgbd_dataset_freiburg1_xyz')
    _rewrite(folder, 'rgb.txt', lambda lines: [*lines, *lines])
    sequence = open_sequence(folder)
    assert len(sequence.frames) == 4
    assert any('4 entries have the stamp of another' in problem for problem in sequence.problems)


@pytest.mark.parametrize('name', ['rgb.txt', 'groundtruth.txt'])
def test_stamps_in_nanoseconds_leave_the_input_out(write, name):
    folder = write('rgbd_dataset_freiburg1_xyz')
    _rewrite(
        folder, name, lambda lines: [each.replace('1305031102.', '1305031102') for each in lines]
    )
    _rewrite(
        folder,
        name,
        lambda lines: [each.replace('1305031102', '13050311020', 1) for each in lines],
    )
    _rewrite(folder, name, lambda lines: [each.replace(' ', '00 ', 1) for each in lines])
    with pytest.raises(InputError, match='looks like'):
        open_sequence(folder)
