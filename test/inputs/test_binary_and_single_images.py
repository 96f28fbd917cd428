# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sintel's binary files, KITTI's two layouts and NYU's, and the calibration of each."""

import struct

import h5py
from layouts import camera_pose, cut, matrix_text, pixels, save_depth, save_image, save_text
import numpy as np
from PIL import Image
import pytest
from scipy.io import savemat

from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.geometry import invert_rigid
from xstreamvggt_ros.inputs import DamagedFrame, open_sequence

TAG = struct.pack('<f', 202021.25)
K = np.array([[688.0, 0, 4], [0, 688.0, 3], [0, 0, 1]])


@pytest.fixture
def sintel(tmp_path):
    """Write a scene of the final pass, 8x6 pixels, with depth and cameras."""
    training = tmp_path / 'training'
    for index in (1, 2, 3):
        stem = f'frame_{index:04d}'
        save_image(training / 'final' / 'alley_1' / f'{stem}.png', index)
        depth = np.full((6, 8), index, '<f4')
        depth[0, 1], depth[5, 0] = 1e7, 0.25
        for kind, suffix, data in (
            ('depth', 'dpt', struct.pack('<ii', 8, 6) + depth.tobytes()),
            (
                'camdata_left',
                'cam',
                K.astype('<f8').tobytes()
                + invert_rigid(camera_pose(index))[:3].astype('<f8').tobytes(),
            ),
        ):
            file = training / kind / 'alley_1' / f'{stem}.{suffix}'
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(TAG + data)
    return training / 'final' / 'alley_1'


@pytest.fixture
def kitti_selection(tmp_path):
    """Write val_selection_cropped with images of two drives and both cameras."""
    folder = tmp_path / 'val_selection_cropped'
    for drive, frame, camera in (('0002', 5, 2), ('0002', 23, 2), ('0079', 70, 3)):
        stem = f'2011_09_26_drive_{drive}_sync_{{}}_{frame:010d}_image_{camera:02d}'
        save_image(folder / 'image' / (stem.format('image') + '.png'), frame)
        name = stem.format('groundtruth_depth') + '.png'
        save_depth(folder / 'groundtruth_depth' / name, [0, 256, 20480])
        name = stem.format('image') + '.txt'
        text = f'7.215377e+02 0.0 {frame} 0.0 7.2e+02 3.0 0.0 0.0 1.0\n'
        save_text(folder / 'intrinsics' / name, text)
    return folder


@pytest.fixture
def kitti_raw(tmp_path):
    """Write a drive with images of camera 2, whose second and third have depth elsewhere."""
    drive = tmp_path / 'raw' / '2011_09_26' / '2011_09_26_drive_0002_sync'
    stamps = ''
    for index in range(3):
        save_image(drive / 'image_02' / 'data' / f'{index:010d}.png', index)
        stamps += f'2011-09-26 13:02:25.{951199337 + index * 1000:09d}\n'
    save_text(drive / 'image_02' / 'timestamps.txt', stamps)
    save_text(
        drive.parent / 'calib_cam_to_cam.txt',
        'calib_time: 09-Jan-2012 13:57:47\n'
        'P_rect_00: 1 0 0 0 0 1 0 0 0 0 1 0\n'
        'P_rect_02: 7.215377e+02 0 4.5 4.485728e+01 0 7.2e+02 2.5 2.163791e-01 0 0 1 2.7e-03\n',
    )
    truth = tmp_path / 'annotated' / 'val' / drive.name / 'proj_depth/groundtruth/image_02'
    for index in (1, 2):
        save_depth(truth / f'{index:010d}.png', [0, 512])
    return drive


@pytest.fixture
def nyu(tmp_path):
    """Write a labelled file as MATLAB 7.3 does, its axes reversed, and its splits."""
    path = tmp_path / 'nyu_depth_v2_labeled.mat'
    images = np.stack([pixels(index) for index in range(4)])
    depths = np.arange(4 * 48, dtype=np.float32).reshape(4, 6, 8) / 10
    with h5py.File(path, 'w') as file:
        file['images'] = images.transpose(0, 3, 2, 1)
        file['depths'] = depths.transpose(0, 2, 1)
        file['rawDepths'] = np.zeros((4, 8, 6), np.float32)
    splits = {'testNdxs': np.array([[4], [2]]), 'trainNdxs': np.array([[1], [3]])}
    savemat(tmp_path / 'splits.mat', splits)
    return path


def test_sintel_has_depth_and_cameras_of_its_binary_files(sintel):
    sequence = open_sequence(sintel)
    assert (sequence.dataset, sequence.name) == ('sintel', 'final/alley_1')
    frame = sequence.frames[2]
    truth = frame.truth()
    assert truth.depth.shape == (6, 8)
    assert (truth.depth[0, 0], truth.depth[0, 1], truth.depth[5, 0]) == (3, 1e7, 0.25)
    np.testing.assert_allclose(truth.world_from_camera, camera_pose(3), atol=1e-12)
    np.testing.assert_array_equal(truth.intrinsics, K)
    assert frame.camera.K[0] == 688
    assert frame.stamp_ns - sequence.frames[0].stamp_ns == 83_333_333
    assert sequence.problems == ()


@pytest.mark.parametrize('damage', [cut, lambda file: file.write_bytes(b'PIEH' * 60)])
def test_sintel_s_damaged_files_are_named(sintel, damage):
    truth = sintel.parent.parent
    damage(truth / 'depth' / 'alley_1' / 'frame_0001.dpt')
    damage(truth / 'camdata_left' / 'alley_1' / 'frame_0002.cam')
    sequence = open_sequence(sintel)
    assert sequence.frames[0].truth().depth is None
    assert sequence.frames[1].truth().world_from_camera is None
    assert sequence.frames[1].truth().depth is not None
    assert any('frame_0001.dpt' in problem for problem in sequence.problems)
    assert any('frame_0002.cam' in problem for problem in sequence.problems)


def test_sintel_s_header_may_not_ask_for_more_than_the_file_has(sintel):
    file = sintel.parent.parent / 'depth' / 'alley_1' / 'frame_0001.dpt'
    file.write_bytes(TAG + struct.pack('<ii', 2**30, 2**30) + bytes(64))
    sequence = open_sequence(sintel)
    assert sequence.frames[0].truth().depth is None
    assert '1073741824x1073741824' in sequence.problems[0]


def test_kitti_s_selection_is_single_images_with_their_own_calibration(kitti_selection):
    sequence = open_sequence(kitti_selection)
    assert sequence.dataset == 'kitti'
    assert sequence.independent_frames
    assert len(sequence.frames) == 3
    frame = sequence.frames[1]
    truth = frame.truth()
    np.testing.assert_array_equal(frame.image(), pixels(23))
    np.testing.assert_allclose(truth.depth[0, :4], [np.nan, 1.0, 80.0, 3.90625])
    assert truth.world_from_camera is None
    np.testing.assert_array_equal(truth.intrinsics, [[721.5377, 0, 23], [0, 720, 3], [0, 0, 1]])
    assert sequence.problems == ()
    assert len(open_sequence(kitti_selection, drive='2011_09_26_drive_0079_sync').frames) == 1


def test_kitti_s_selection_without_a_depth_map_names_it(kitti_selection):
    missing = sorted((kitti_selection / 'groundtruth_depth').iterdir())[0]
    missing.unlink()
    sequence = open_sequence(kitti_selection)
    assert missing.name in sequence.problems[0]
    assert sequence.frames[0].truth().depth is None


def test_kitti_raw_is_a_video_with_exact_stamps_and_annotated_depth(kitti_raw, tmp_path):
    sequence = open_sequence(kitti_raw, depth_root=str(tmp_path / 'annotated'))
    assert sequence.dataset == 'kitti_raw'
    assert not sequence.independent_frames
    stamps = [frame.stamp_ns for frame in sequence.frames]
    assert stamps == [1317042145951199337 + index * 1000 for index in range(3)]
    truths = [frame.truth() for frame in sequence.frames]
    assert truths[0].depth is None
    np.testing.assert_allclose(truths[1].depth[0, :2], [np.nan, 2.0])
    np.testing.assert_array_equal(
        truths[1].intrinsics, [[721.5377, 0, 4.5], [0, 720, 2.5], [0, 0, 1]]
    )
    assert 'no depth for 1 of 3 images: 0000000000.png' in sequence.problems[0]


def test_kitti_raw_without_depth_or_calibration_says_so(kitti_raw):
    (kitti_raw.parent / 'calib_cam_to_cam.txt').unlink()
    (kitti_raw / 'image_02' / 'timestamps.txt').unlink()
    sequence = open_sequence(kitti_raw)
    named = '\n'.join(sequence.problems)
    assert all(word in named for word in ('proj_depth', 'calib_cam_to_cam', 'timestamps.txt'))
    assert sequence.frames[0].camera is None
    assert sequence.frames[1].stamp_ns - sequence.frames[0].stamp_ns == 100_000_000
    with pytest.raises(InputError, match='camera is 0; use 2'):
        open_sequence(kitti_raw, camera=0)


def test_nyu_s_labelled_file_is_turned_the_right_way(nyu):
    sequence = open_sequence(nyu)
    assert sequence.dataset == 'nyu'
    assert sequence.independent_frames
    frame = sequence.frames[3]
    truth = frame.truth()
    np.testing.assert_array_equal(frame.image(), pixels(3))
    np.testing.assert_allclose(truth.depth.ravel(), np.arange(144, 192) / 10, rtol=1e-6)
    assert np.isnan(sequence.frames[0].truth().depth[0, 0])
    assert frame.camera.K[0] == pytest.approx(518.8579, abs=1e-4)
    assert np.isnan(open_sequence(nyu, depth='rawDepths').frames[1].truth().depth).all()


def test_nyu_s_official_test_images_are_numbered_from_one(nyu):
    sequence = open_sequence(nyu, subset='test')
    assert [frame.name for frame in sequence.frames] == ['00002', '00004']
    np.testing.assert_array_equal(sequence.frames[0].image(), pixels(1))
    with pytest.raises(InputError, match="subset is 'half'; use one of: all, test, train"):
        open_sequence(nyu, subset='half')


def test_nyu_s_damaged_file_is_named(nyu):
    whole = nyu.read_bytes()
    nyu.write_bytes(whole[:200])
    with pytest.raises(InputError, match=r'nyu_depth_v2_labeled\.mat is no MATLAB 7\.3 file'):
        open_sequence(nyu)


def test_nyu_s_exported_scenes_pair_images_with_depth(tmp_path):
    for scene, number in (('office', 2), ('office', 10), ('bathroom', 45)):
        Image.fromarray(pixels(number)).save(_folder(tmp_path / scene) / f'rgb_{number:05d}.jpg')
        save_depth(tmp_path / scene / f'sync_depth_{number:05d}.png', [0, 1234])
    (tmp_path / 'office' / 'sync_depth_00010.png').unlink()
    sequence = open_sequence(tmp_path)
    assert sequence.dataset == 'nyu_exported'
    names = ['bathroom/rgb_00045.jpg', 'office/rgb_00002.jpg', 'office/rgb_00010.jpg']
    assert [frame.name for frame in sequence.frames] == names
    truth = sequence.frames[1].truth()
    np.testing.assert_allclose(truth.depth[0, :2], [np.nan, 1.234])
    assert sequence.frames[2].truth().depth is None
    assert 'sync_depth_00010.png' in sequence.problems[0]


def test_an_image_that_goes_missing_is_a_damaged_frame(kitti_selection):
    sequence = open_sequence(kitti_selection)
    (kitti_selection / 'image' / sequence.frames[0].name).unlink()
    with pytest.raises(DamagedFrame, match=sequence.frames[0].name):
        sequence.frames[0].image()


def test_intrinsics_that_are_no_numbers_are_named(kitti_selection):
    file = sorted((kitti_selection / 'intrinsics').iterdir())[0]
    save_text(file, matrix_text(np.eye(2)))
    sequence = open_sequence(kitti_selection)
    assert sequence.frames[0].truth().intrinsics is None
    assert file.name in sequence.problems[0]


def _folder(path):
    path.mkdir(exist_ok=True)
    return path


@pytest.mark.parametrize('shape', [(4, 3, 2**20, 2**20), (4, 8, 6), (10**9, 3, 8, 6)])
def test_nyu_s_file_may_not_ask_for_more_than_there_can_be(tmp_path, shape):
    path = tmp_path / 'huge.mat'
    with h5py.File(path, 'w') as file:
        chunks = (1,) * len(shape)
        file.create_dataset('images', shape, 'u1', chunks=chunks)
        file.create_dataset('depths', shape[:1] + shape[2:], 'f4', chunks=chunks[1:])
    with pytest.raises(InputError, match=r'\(N, 3, W, H\)'):
        open_sequence(path)
