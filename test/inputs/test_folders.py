# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""7-Scenes, Neural-RGBD and ScanNet: scales, invalid values, axes and what is missing."""

from layouts import camera_pose, cut, matrix_text, pixels, save_depth, save_image, save_text
import numpy as np
import pytest

from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.inputs import DamagedFrame, open_sequence, readable_images

FLIP = np.diag([1.0, -1.0, -1.0, 1.0])


@pytest.fixture
def seven_scenes(tmp_path):
    """Write three frames of chess/seq-01 as they are published, without a calibration."""
    folder = tmp_path / 'chess' / 'seq-01'
    for index in range(3):
        stem = f'frame-{index:06d}'
        save_image(folder / f'{stem}.color.png', index)
        save_depth(folder / f'{stem}.depth.png', [0, 65535, 1500, 1])
        save_text(folder / f'{stem}.pose.txt', matrix_text(camera_pose(index)))
    return folder


@pytest.fixture
def neural_rgbd(tmp_path):
    """Write a scene of eleven frames, so that natural order differs from that of letters."""
    folder = tmp_path / 'whiteroom'
    for index in range(11):
        save_image(folder / 'images' / f'img{index}.png', index)
        save_depth(folder / 'depth' / f'depth{index}.png', [0, 2500])
    poses = [camera_pose(index) @ FLIP for index in range(11)]
    poses[4] = np.full((4, 4), np.nan)
    save_text(folder / 'poses.txt', ''.join(map(matrix_text, poses)))
    save_text(folder / 'focal.txt', '554.25\n')
    return folder


@pytest.fixture
def scannet(tmp_path):
    """Write a scene whose depth maps are of another size than its images."""
    folder = tmp_path / 'scene0707_00'
    for index in (0, 1, 2, 10):
        save_image(folder / 'color' / f'{index}.jpg', index)
        save_depth(folder / 'depth' / f'{index}.png', [0, 3210], height=3, width=4)
        save_text(folder / 'pose' / f'{index}.txt', matrix_text(camera_pose(index)))
    save_text(folder / 'pose' / '1.txt', matrix_text(np.full((4, 4), -np.inf)))
    for kind, focal in (('color', 1170.0), ('depth', 577.0)):
        intrinsics = np.eye(4)
        intrinsics[[0, 1], [0, 1]], intrinsics[:2, 2] = focal, (4.0, 3.0)
        save_text(folder / 'intrinsic' / f'intrinsic_{kind}.txt', matrix_text(intrinsics))
    return folder


def test_seven_scenes_frames_have_image_depth_pose_and_the_published_calibration(seven_scenes):
    sequence = open_sequence(seven_scenes)
    assert (sequence.dataset, sequence.name) == ('7scenes', 'chess/seq-01')
    assert not sequence.independent_frames
    frame = sequence.frames[2]
    truth = frame.truth()
    np.testing.assert_array_equal(frame.image(), pixels(2))
    np.testing.assert_allclose(truth.depth[0, :5], [np.nan, np.nan, 1.5, 0.001, 1.0])
    assert truth.depth.dtype == np.float32
    np.testing.assert_allclose(truth.world_from_camera, camera_pose(2), atol=1e-12)
    assert truth.world_from_camera.dtype == np.float64
    assert frame.camera.K[:6] == (585, 0, 320, 0, 585, 240)
    np.testing.assert_array_equal(truth.intrinsics, frame.camera.intrinsics)
    assert frame.stamp_ns - sequence.frames[0].stamp_ns == 66_666_667
    assert sequence.problems == ()


def test_seven_scenes_takes_the_calibration_beside_it(seven_scenes):
    save_text(seven_scenes / 'camera-intrinsics.txt', '500 0 4\n0 501 3\n0 0 1\n')
    assert open_sequence(seven_scenes).frames[0].camera.K == (500, 0, 4, 0, 501, 3, 0, 0, 1)


def test_what_is_missing_is_named_and_the_rest_goes_on(seven_scenes):
    (seven_scenes / 'frame-000001.depth.png').unlink()
    (seven_scenes / 'frame-000002.pose.txt').unlink()
    sequence = open_sequence(seven_scenes)
    missing = '\n'.join(sequence.problems)
    assert 'no depth for 1 of 3 images: frame-000001.depth.png' in missing
    assert 'no pose for 1 of 3 images: frame-000002.pose.txt' in missing
    truths = [frame.truth() for frame in sequence.frames]
    assert [truth.depth is None for truth in truths] == [False, True, False]
    assert [truth.world_from_camera is None for truth in truths] == [False, False, True]


def test_what_is_damaged_is_named_when_it_is_read(seven_scenes):
    cut(seven_scenes / 'frame-000000.color.png')
    cut(seven_scenes / 'frame-000001.depth.png')
    cut(seven_scenes / 'frame-000002.pose.txt')
    sequence = open_sequence(seven_scenes)
    with pytest.raises(DamagedFrame, match=r'frame-000000\.color\.png'):
        sequence.frames[0].image()
    assert [index for index, _, _ in readable_images(sequence)] == [1, 2]
    assert sequence.frames[1].truth().depth is None
    assert sequence.frames[2].truth().world_from_camera is None
    for name in ('000000.color.png', '000001.depth.png', '000002.pose.txt'):
        assert sum(name in problem for problem in sequence.problems) == 1


@pytest.mark.parametrize('value', ['nan', '7'])
def test_a_pose_that_is_no_rotation_is_named(seven_scenes, value):
    matrix = camera_pose(0).astype(str)
    matrix[0, 0] = value
    text = '\n'.join(' '.join(row) for row in matrix)
    save_text(seven_scenes / 'frame-000000.pose.txt', text)
    sequence = open_sequence(seven_scenes)
    assert sequence.frames[0].truth().world_from_camera is None
    assert 'frame-000000.pose.txt' in sequence.problems[0]


def test_a_depth_map_of_eight_bits_is_refused(seven_scenes):
    save_image(seven_scenes / 'frame-000000.depth.png', 0)
    sequence = open_sequence(seven_scenes)
    assert sequence.frames[0].truth().depth is None
    assert 'frame-000000.depth.png' in sequence.problems[0]


def test_fingerprints_tell_contents_apart_and_nothing_else(seven_scenes):
    first = open_sequence(seven_scenes).fingerprint()
    moved = seven_scenes.rename(seven_scenes.with_name('seq-02'))
    assert open_sequence(moved).fingerprint() == first
    save_text(moved / 'frame-000001.pose.txt', matrix_text(camera_pose(5)))
    assert open_sequence(moved).fingerprint() != first


def test_the_recordings_are_read(shared_data):
    sequence = open_sequence(shared_data / '7scenes')
    assert len(sequence.frames) == 400
    assert sequence.problems == ()
    first = sequence.frames[0]
    truth = first.truth()
    assert first.image().shape == (480, 640, 3)
    assert truth.depth.shape == (480, 640)
    assert 0.3 < np.nanmedian(truth.depth) < 6
    rotation = truth.world_from_camera[:3, :3]
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)


def test_recorded_depth_and_poses_agree_on_the_axes_and_on_direction(shared_data):
    # Points of one view, seen from another where the poses say that it is, lie where it saw them.
    sequence = open_sequence(shared_data / '7scenes')
    first, second = (sequence.frames[index].truth() for index in (0, 8))
    v, u = np.mgrid[40:440:20, 40:600:20]
    depth = first.depth[v, u]
    rays = np.stack([u, v, np.ones_like(u)], -1) @ np.linalg.inv(first.intrinsics).T
    points = (rays * depth[..., None]).reshape(-1, 3)
    points = points[np.isfinite(points).all(1)]
    second_from_first = np.linalg.inv(second.world_from_camera) @ first.world_from_camera
    seen = points @ second_from_first[:3, :3].T + second_from_first[:3, 3]
    image = seen @ second.intrinsics.T
    column, row = np.rint(image[:, :2] / image[:, 2:]).astype(int).T
    inside = (column >= 0) & (column < 640) & (row >= 0) & (row < 480)
    there = second.depth[row[inside], column[inside]]
    assert np.nanmedian(np.abs(there - seen[inside, 2])) < 0.03


def test_neural_rgbd_turns_opengl_axes_into_optical_ones(neural_rgbd):
    sequence = open_sequence(neural_rgbd)
    assert sequence.dataset == 'neural_rgbd'
    assert [frame.name for frame in sequence.frames][:3] == ['img0.png', 'img1.png', 'img2.png']
    assert sequence.frames[10].name == 'img10.png'
    truth = sequence.frames[10].truth()
    np.testing.assert_allclose(truth.world_from_camera, camera_pose(10), atol=1e-12)
    np.testing.assert_allclose(truth.depth[0, :2], [np.nan, 2.5])
    np.testing.assert_array_equal(truth.intrinsics, [[554.25, 0, 4], [0, 554.25, 3], [0, 0, 1]])
    assert sequence.frames[4].truth().world_from_camera is None
    assert 'img4.png' in sequence.problems[0]


def test_neural_rgbd_reads_the_depth_folder_that_is_named(neural_rgbd):
    save_depth(neural_rgbd / 'depth_filtered' / 'depth0.png', [777])
    sequence = open_sequence(neural_rgbd, depth='depth_filtered')
    assert sequence.frames[0].truth().depth[0, 0] == np.float32(0.777)
    assert 'no depth for 10 of 11 images' in sequence.problems[0]
    with pytest.raises(InputError, match="depth is 'elsewhere'; use one of: depth"):
        open_sequence(neural_rgbd, depth='elsewhere')


def test_scannet_keeps_depth_as_it_is_and_leaves_lost_poses_out(scannet):
    sequence = open_sequence(scannet)
    assert sequence.dataset == 'scannet'
    assert [frame.name for frame in sequence.frames] == ['0.jpg', '1.jpg', '2.jpg', '10.jpg']
    last = sequence.frames[3]
    truth = last.truth()
    assert truth.depth.shape == (3, 4)
    np.testing.assert_allclose(truth.depth[0, :2], [np.nan, 3.21])
    np.testing.assert_allclose(truth.world_from_camera, camera_pose(10), atol=1e-12)
    assert last.camera.K[0] == 1170
    assert truth.intrinsics[0, 0] == 577
    assert last.stamp_ns - sequence.frames[0].stamp_ns == 333_333_333
    assert sequence.frames[1].truth().world_from_camera is None
    assert any('1.txt' in problem and 'lost' in problem for problem in sequence.problems)


def test_scannet_without_intrinsics_says_so(scannet):
    (scannet / 'intrinsic' / 'intrinsic_depth.txt').unlink()
    sequence = open_sequence(scannet)
    assert sequence.frames[0].truth().intrinsics is None
    assert 'intrinsic_depth.txt' in sequence.problems[0]


@pytest.mark.parametrize('focal', ['0', 'nan', 'x', ''])
def test_a_focal_length_that_is_none_is_named(neural_rgbd, focal):
    save_text(neural_rgbd / 'focal.txt', focal)
    sequence = open_sequence(neural_rgbd)
    assert sequence.frames[0].camera is None
    assert any('focal.txt' in problem for problem in sequence.problems)


def test_intrinsics_that_are_no_camera_s_are_named(seven_scenes):
    save_text(seven_scenes / 'camera-intrinsics.txt', '0 0 4\n0 0 3\n0 0 1\n')
    sequence = open_sequence(seven_scenes)
    assert sequence.frames[0].camera is None
    assert 'camera-intrinsics.txt' in sequence.problems[0]
