# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Folders of images and videos as sequences of frames."""

import numpy as np
from PIL import Image
import pytest

from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.inputs import DamagedFrame, open_sequence, readable_images
from xstreamvggt_ros.inputs.sequence import FIRST_STAMP_NS


def _picture(value: int, size=(8, 6)) -> Image.Image:
    return Image.new('RGB', size, (value, value, value))


def test_images_come_in_natural_order_with_even_stamps(tmp_path):
    for value in (10, 9, 1, 100):
        _picture(value).save(tmp_path / f'img{value}.png')
    source = open_sequence(tmp_path, rate=30.0)
    frames = source.frames
    assert [frame.image()[0, 0, 0] for frame in frames] == [1, 9, 10, 100]
    assert [frame.stamp_ns - FIRST_STAMP_NS for frame in frames] == [
        0,
        33_333_333,
        66_666_667,
        100_000_000,
    ]
    assert source.length == 4
    assert {frame.payload().encoding for frame in frames} == {'rgb8'}


def test_frames_can_be_read_again(tmp_path):
    _picture(5).save(tmp_path / 'a.png')
    source = open_sequence(tmp_path)
    (frame,) = source.frames
    np.testing.assert_array_equal(frame.image(), frame.image())


def test_depth_maps_are_never_taken_for_images(tmp_path):
    _picture(7).save(tmp_path / '0.jpg')
    _picture(8).save(tmp_path / '0_depth.png')
    _picture(8).save(tmp_path / 'depth0001.png')
    Image.fromarray(np.full((6, 8), 1500, np.uint16)).save(tmp_path / '1.png')
    assert open_sequence(tmp_path).length == 1


def test_seven_scenes_folder_gives_colour_with_truth_beside_it(tmp_path):
    pose = np.eye(4)
    pose[:3, 3] = 1, 2, 3
    for index in range(3):
        stem = f'frame-{index:06}'
        _picture(index).save(tmp_path / f'{stem}.color.jpg')
        _picture(9).save(tmp_path / f'{stem}.mask.png')
        Image.fromarray(np.array([[0, 1500], [65535, 2]], np.uint16)).save(
            tmp_path / f'{stem}.depth.png'
        )
        np.savetxt(tmp_path / f'{stem}.pose.txt', pose)
    np.savetxt(tmp_path / 'camera-intrinsics.txt', np.diag([5.0, 6.0, 1.0]))
    source = open_sequence(tmp_path)
    frames = source.frames
    assert len(frames) == 3
    assert frames[0].calibration.k == (5.0, 0, 0, 0, 6.0, 0, 0, 0, 1.0)
    assert (frames[0].calibration.height, frames[0].calibration.width) == (6, 8)
    truth = frames[1].truth()
    np.testing.assert_allclose(truth.depth, [[np.nan, 1.5], [np.nan, 0.002]])
    np.testing.assert_array_equal(truth.world_from_camera, pose)
    np.testing.assert_array_equal(frames[1].pose(), pose)


def test_a_real_seven_scenes_folder(shared_data):
    source = open_sequence(shared_data / '7scenes')
    assert source.length == 400
    first = source.frames[0]
    assert first.image().shape == (480, 640, 3)
    truth = first.truth()
    assert 0.3 < np.nanmedian(truth.depth) < 6.0
    np.testing.assert_allclose(np.linalg.det(truth.world_from_camera), 1.0, atol=1e-3)


def test_a_damaged_image_is_named_and_leaves_a_gap(tmp_path):
    for index in range(3):
        Image.effect_noise((64, 64), 50).convert('RGB').save(tmp_path / f'{index}.jpg')
    whole = (tmp_path / '1.jpg').read_bytes()
    (tmp_path / '1.jpg').write_bytes(whole[: len(whole) // 2])
    sequence = open_sequence(tmp_path, rate=10.0)
    whole = [frame for _, frame, _ in readable_images(sequence)]
    # The gap stays: the third image keeps the stamp of the third image.
    assert [frame.stamp_ns - FIRST_STAMP_NS for frame in whole] == [0, 200_000_000]
    with pytest.raises(DamagedFrame, match=r'1\.jpg is left out'):
        sequence.frames[1].payload()
    assert '1.jpg is left out' in sequence.problems[0]


def test_a_video_gives_its_frames_and_its_own_rate(tmp_path):
    cv2 = pytest.importorskip('cv2')
    path = tmp_path / 'clip.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 25.0, (64, 48))
    for value in (0, 80, 160, 240):
        writer.write(np.full((48, 64, 3), (value, 0, 0), np.uint8))  # blue, as OpenCV has it
    writer.release()
    source = open_sequence(path)
    frames = source.frames
    assert source.length == 4
    assert [frame.stamp_ns - FIRST_STAMP_NS for frame in frames] == [
        0,
        40_000_000,
        80_000_000,
        120_000_000,
    ]
    # In any order, as often as one likes.
    for index, blue in ((3, 240), (0, 0), (2, 160), (3, 240)):
        image = frames[index].image()
        assert image.shape == (48, 64, 3)
        assert abs(int(image[20, 30, 2]) - blue) < 30 > image[20, 30, 0]
    assert frames[3].pose() is None


@pytest.mark.parametrize(
    'make, message',
    [
        (lambda path: None, 'does not exist'),
        (lambda path: path.mkdir(), 'no images'),
        (lambda path: path.write_text('hello'), 'ffmpeg'),
    ],
)
def test_what_is_no_input_is_named_with_a_way_out(tmp_path, make, message):
    path = tmp_path / 'input'
    make(path)
    with pytest.raises(InputError, match=rf'input .*{message}|input.*{message}'):
        open_sequence(path)


def test_a_folder_of_depth_maps_only_says_so(tmp_path):
    Image.fromarray(np.full((6, 8), 1500, np.uint16)).save(tmp_path / 'depth_1.png')
    with pytest.raises(InputError, match='1 depth maps and no images'):
        open_sequence(tmp_path)


def test_a_single_image_and_a_topic_without_a_bag_are_refused(tmp_path):
    _picture(3).save(tmp_path / 'one.png')
    with pytest.raises(InputError, match='folder that holds the sequence'):
        open_sequence(tmp_path / 'one.png')
    with pytest.raises(InputError, match='images has no option topic'):
        open_sequence(tmp_path, topic='/camera')
