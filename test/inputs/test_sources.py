# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Folders of images and videos as sequences of frames."""

import logging

import numpy as np
from PIL import Image
import pytest

from xstreamvggt_ros.inputs.frames import InputError
from xstreamvggt_ros.inputs.sources import FIRST_STAMP_NS, open_source


def _picture(value: int, size=(8, 6)) -> Image.Image:
    return Image.new('RGB', size, (value, value, value))


def _pixels(frame) -> np.ndarray:
    image = frame.image
    return np.frombuffer(image.data, np.uint8).reshape(image.height, image.width, 3)


def test_images_come_in_natural_order_with_even_stamps(tmp_path):
    for value in (10, 9, 1, 100):
        _picture(value).save(tmp_path / f'img{value}.png')
    source = open_source(tmp_path, rate_hz=30.0)
    frames = list(source.frames())
    assert [_pixels(frame)[0, 0, 0] for frame in frames] == [1, 9, 10, 100]
    assert [frame.stamp_ns - FIRST_STAMP_NS for frame in frames] == [
        0,
        33_333_333,
        66_666_667,
        100_000_000,
    ]
    assert source.length == 4
    assert {frame.image.encoding for frame in frames} == {'rgb8'}


def test_frames_can_be_read_again(tmp_path):
    _picture(5).save(tmp_path / 'a.png')
    source = open_source(tmp_path)
    assert len(list(source.frames())) == len(list(source.frames())) == 1


def test_depth_maps_are_never_taken_for_images(tmp_path):
    _picture(7).save(tmp_path / '0.jpg')
    _picture(8).save(tmp_path / '0_depth.png')
    _picture(8).save(tmp_path / 'depth0001.png')
    Image.fromarray(np.full((6, 8), 1500, np.uint16)).save(tmp_path / '1.png')
    assert open_source(tmp_path).length == 1


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
    source = open_source(tmp_path)
    frames = list(source.frames())
    assert len(frames) == 3
    assert frames[0].calibration.k == (5.0, 0, 0, 0, 6.0, 0, 0, 0, 1.0)
    assert (frames[0].calibration.height, frames[0].calibration.width) == (6, 8)
    (sample,) = source.samples([frames[1].stamp_ns])
    np.testing.assert_allclose(sample.depth, [[np.nan, 1.5], [np.nan, 0.002]])
    np.testing.assert_array_equal(sample.world_from_camera, pose)
    poses = source.true_poses([frame.stamp_ns for frame in frames[1:]])
    assert list(poses) == [frame.stamp_ns for frame in frames[1:]]
    np.testing.assert_array_equal(poses[frames[1].stamp_ns], pose)
    assert sample.stamp_ns == frames[1].stamp_ns


def test_a_real_seven_scenes_folder(shared_data):
    source = open_source(shared_data / '7scenes')
    assert source.length == 400
    first = next(source.frames())
    assert (first.image.height, first.image.width) == (480, 640)
    (sample,) = source.samples([first.stamp_ns])
    assert 0.3 < np.nanmedian(sample.depth) < 6.0
    np.testing.assert_allclose(np.linalg.det(sample.world_from_camera), 1.0, atol=1e-3)


def test_a_damaged_image_is_named_and_passed_over(tmp_path, caplog):
    for index in range(3):
        Image.effect_noise((64, 64), 50).convert('RGB').save(tmp_path / f'{index}.jpg')
    whole = (tmp_path / '1.jpg').read_bytes()
    (tmp_path / '1.jpg').write_bytes(whole[: len(whole) // 2])
    with caplog.at_level(logging.WARNING):
        frames = list(open_source(tmp_path, rate_hz=10.0).frames())
    # The gap stays: the third image keeps the stamp of the third image.
    assert [frame.stamp_ns - FIRST_STAMP_NS for frame in frames] == [0, 200_000_000]
    assert '1.jpg' in caplog.text


def test_a_video_gives_its_frames_and_its_own_rate(tmp_path):
    cv2 = pytest.importorskip('cv2')
    path = tmp_path / 'clip.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 25.0, (64, 48))
    for value in (0, 80, 160, 240):
        writer.write(np.full((48, 64, 3), (value, 0, 0), np.uint8))  # blue, as OpenCV has it
    writer.release()
    source = open_source(path)
    frames = list(source.frames())
    assert [frame.stamp_ns - FIRST_STAMP_NS for frame in frames] == [
        0,
        40_000_000,
        80_000_000,
        120_000_000,
    ]
    assert frames[0].image.encoding == 'bgr8'
    assert source.length == 4
    (sample,) = source.samples([frames[3].stamp_ns])
    assert sample.image.shape == (48, 64, 3)
    assert source.true_poses([frames[3].stamp_ns]) == {}
    red, _, blue = sample.image[20, 30]
    assert blue > 200 > red


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
        open_source(path)


def test_a_folder_of_depth_maps_only_says_so(tmp_path):
    Image.fromarray(np.full((6, 8), 1500, np.uint16)).save(tmp_path / '1.png')
    with pytest.raises(InputError, match='1 depth maps and no images'):
        open_source(tmp_path)


def test_a_single_image_and_a_topic_without_a_bag_are_refused(tmp_path):
    _picture(3).save(tmp_path / 'one.png')
    with pytest.raises(InputError, match='folder that holds the sequence'):
        open_source(tmp_path / 'one.png')
    with pytest.raises(InputError, match="'/camera'"):
        open_source(tmp_path, topic='/camera')
