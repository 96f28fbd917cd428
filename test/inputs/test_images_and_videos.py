# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Folders of images and videos as sequences of frames."""

import struct
from types import SimpleNamespace
import zlib

import cv2
import numpy as np
from PIL import EpsImagePlugin, Image, PngImagePlugin
import pytest

from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.images.decoding import decode_image
from xstreamvggt_ros.inputs import DamagedFrame, open_sequence, readable_images, video
from xstreamvggt_ros.inputs.problems import Problems
from xstreamvggt_ros.inputs.reading import image_size, read_depth_png
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


def test_postscript_that_is_called_a_picture_costs_itself(tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr(EpsImagePlugin, 'Ghostscript', lambda *told: ran.append(told))
    _picture(5).save(tmp_path / '0.png')
    _picture(6, (20, 10)).save(tmp_path / '1.png', 'EPS')
    source = open_sequence(tmp_path)
    first, second = source.frames
    assert first.image()[0, 0, 0] == 5
    with pytest.raises(DamagedFrame, match=r'1\.png is left out'):
        second.image()
    assert any('1.png' in problem for problem in source.problems)
    assert image_size([tmp_path / '1.png', tmp_path / '0.png']) == (6, 8)

    problems = Problems()
    assert read_depth_png(tmp_path / '1.png', 1000.0, problems) is None
    assert any('1.png gives no depth' in problem for problem in problems.lines())
    assert not ran


def test_a_jpeg_of_thousands_of_scans_costs_itself(tmp_path):
    _picture(5).save(tmp_path / '0.jpg', progressive=True)
    whole = (tmp_path / '0.jpg').read_bytes()
    begin = whole.rindex(b'\xff\xda')
    scan = whole[begin:].removesuffix(b'\xff\xd9')
    (tmp_path / '1.jpg').write_bytes(whole[:begin] + 3000 * scan + b'\xff\xd9')
    first, second = open_sequence(tmp_path).frames
    assert first.image().shape == (6, 8, 3)
    with pytest.raises(DamagedFrame, match=r'1\.jpg is left out.* scans of 8x6'):
        second.image()


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
        (lambda path: None, 'does not exist; give .* a bag, a video, camera'),
        (lambda path: path.mkdir(), 'no images'),
        (lambda path: path.write_text('hello'), 'is no video: it is text'),
        (lambda path: path.write_bytes(bytes(5000)), 'ffmpeg'),
    ],
)
def test_what_is_no_input_is_named_with_a_way_out(tmp_path, make, message):
    path = tmp_path / 'input'
    make(path)
    with pytest.raises(InputError, match=rf'input .*{message}|input.*{message}'):
        open_sequence(path)


@pytest.mark.parametrize('name', ['frame-000054.pose.txt', 'readme.nfo', 'list.m3u8'])
def test_text_is_no_video_though_ffmpeg_would_draw_it_or_follow_it(tmp_path, name):
    path = tmp_path / name
    path.write_text('#EXTM3U\n#EXTINF:1,\nhttp://localhost/a.ts\n' if 'm3u' in name else '1 0 0\n')
    with pytest.raises(InputError, match='it is text; give the folder, the bag or the video'):
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


@pytest.mark.parametrize(
    'text',
    [
        '5 6 4 3',
        '5, 6, 4, 3\n',
        '# fx fy cx cy\n5\n6\n4\n3\n',
        '5 0 4\n0 6 3\n0 0 1',
        '[[5, 0, 4],\n [0, 6, 3],\n [0, 0, 1]]',
        '5,0,4,0\n0,6,3,0\n0,0,1,0\n0,0,0,1',
        '\ufeff5;0;4;0;0;6;3;0;0;0;1;0',
    ],
)
def test_intrinsics_are_read_as_people_write_them(tmp_path, text):
    _picture(1).save(tmp_path / '0.png')
    (tmp_path / 'camera-intrinsics.txt').write_text(text, encoding='utf-8')
    sequence = open_sequence(tmp_path)
    assert sequence.frames[0].camera.K == (5, 0, 4, 0, 6, 3, 0, 0, 1)
    assert sequence.problems == ()


@pytest.mark.parametrize('text', ['', 'fx: 5', '1 2 3', '5 0 4 0 0 3 0 0 1', 'nan 1 1 1'])
def test_intrinsics_that_are_none_are_named(tmp_path, text):
    _picture(1).save(tmp_path / '0.png')
    (tmp_path / 'camera-intrinsics.txt').write_text(text)
    sequence = open_sequence(tmp_path)
    assert sequence.frames[0].camera is None
    assert 'camera-intrinsics.txt' in sequence.problems[0]


def test_images_of_sixteen_bits_are_scaled_by_their_depth(tmp_path):
    grey = np.arange(48, dtype=np.uint16).reshape(6, 8) * 1000
    Image.fromarray(grey).save(tmp_path / 'ir_0.png')
    sequence = open_sequence(tmp_path)
    frame = sequence.frames[0]
    np.testing.assert_allclose(frame.image()[..., 0], grey / 65535, atol=1e-6)
    assert 'taken for a camera' in sequence.problems[0]
    # What the node is sent is the very same picture.
    assert frame.payload().encoding == 'rgb16'
    np.testing.assert_array_equal(decode_image(frame.payload(), 48), frame.image())


def test_grey_of_sixteen_bits_beside_others_is_left_out_by_name(tmp_path):
    _picture(1).save(tmp_path / '0.png')
    Image.fromarray(np.zeros((6, 8), np.uint16)).save(tmp_path / '1.png')
    sequence = open_sequence(tmp_path)
    assert len(sequence.frames) == 1
    assert 'taken for depth maps for 1 of 2 images: 1.png' in sequence.problems[0]


def test_frames_of_one_number_are_one_and_counted(tmp_path):
    for name in ('frame-000001', 'frame-1', 'frame-000002'):
        _picture(7).save(tmp_path / f'{name}.color.png')
    sequence = open_sequence(tmp_path)
    assert len(sequence.frames) == sequence.length == 2
    assert any('1 images have the number' in problem for problem in sequence.problems)


def _big_text(path):
    about = PngImagePlugin.PngInfo()
    about.add_text('comment', 'x' * (2 * 2**20), zip=True)
    _picture(1).save(path, pnginfo=about)


def _huge(path):
    _picture(1).save(path)
    data = bytearray(path.read_bytes())
    data[16:24] = struct.pack('>II', 60_000, 60_000)
    data[29:33] = struct.pack('>I', zlib.crc32(data[12:29]))
    path.write_bytes(data)


@pytest.mark.parametrize('make', [_big_text, _huge])
def test_what_the_decoder_refuses_is_named_and_the_rest_goes_on(tmp_path, make):
    _picture(1).save(tmp_path / '0.png')
    make(tmp_path / '1.png')
    _picture(2).save(tmp_path / '2.png')
    sequence = open_sequence(tmp_path)
    assert [index for index, _, _ in readable_images(sequence)] == [0, 2]
    assert '1.png is left out' in sequence.problems[0]


def _boxes(data, start, end):
    while start < end:
        size, kind = struct.unpack_from('>I4s', data, start)
        yield kind.decode(), start, start + size
        start += size


def _set_durations(path, durations):
    """Rewrite an MP4's table of durations, which lies behind its frames."""
    data = path.read_bytes()
    inside, at, end = ['moov', 'trak', 'mdia', 'minf', 'stbl', 'stts'], 0, len(data)
    outer = []
    for name in inside:
        at, end = next((a + 8, b) for kind, a, b in _boxes(data, at, end) if kind == name)
        outer.append(at - 8)
    entries = b''.join(struct.pack('>II', 1, each) for each in durations)
    table = bytes(4) + struct.pack('>I', len(durations)) + entries
    more = len(table) - (end - at)
    data = bytearray(data[:at] + table + data[end:])
    for box in outer:
        data[box : box + 4] = struct.pack('>I', struct.unpack_from('>I', data, box)[0] + more)
    # An edit list says how much of it is shown, and would cut the longer frames off.
    path.write_bytes(data.replace(b'edts', b'free'))


@pytest.fixture
def clip(tmp_path):
    """Film six frames of rising brightness, 100 a second."""
    path = tmp_path / 'clip.mp4'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 100.0, (64, 48))
    for value in range(6):
        writer.write(np.full((48, 64, 3), 40 * value, np.uint8))
    writer.release()
    return path


def test_a_video_s_stamps_are_the_container_s_own(clip):
    data = clip.read_bytes()
    at = data.index(b'mdhd') + 4
    (ticks,) = struct.unpack_from('>I', data, at + 12)
    seconds = [0, 0.25, 0.35, 0.46, 0.55, 0.66]
    steps = [round(each * ticks) for each in np.diff([*seconds, 0.67])]
    _set_durations(clip, steps)
    sequence = open_sequence(clip)
    stamps = [(frame.stamp_ns - FIRST_STAMP_NS) * 1e-9 for frame in sequence.frames]
    np.testing.assert_allclose(stamps, seconds, atol=2 / ticks)
    assert [round(image.mean() / 40) for _, _, image in readable_images(sequence)] == list(
        range(6)
    )


def test_a_video_that_was_not_finished_is_said_to_be(clip):
    data = clip.read_bytes()
    clip.write_bytes(data[: data.index(b'moov') - 4])
    with pytest.raises(InputError, match='no moov box') as caught:
        open_sequence(clip)
    assert 'ffmpeg' not in str(caught.value)


def test_a_file_of_very_many_boxes_is_not_walked_to_its_end(tmp_path, monkeypatch):
    walked = []
    monkeypatch.setattr(
        video,
        'struct',
        SimpleNamespace(unpack=lambda *words: walked.append(1) or struct.unpack(*words)),
    )
    (tmp_path / 'clip.mp4').write_bytes(b'\0\0\0\x08ftyp' + 50_000 * b'\0\0\0\x08free')
    with pytest.raises(InputError, match='clip.mp4') as caught:
        open_sequence(tmp_path / 'clip.mp4')
    assert 'moov' not in str(caught.value)
    assert len(walked) <= 1000


def test_a_bag_of_ros_1_in_a_folder_is_said_to_be_one(tmp_path):
    (tmp_path / 'run.bag').write_bytes(b'#ROSBAG V2.0')
    with pytest.raises(InputError, match=r'run\.bag is a ROS 1 bag; convert it'):
        open_sequence(tmp_path)


@pytest.mark.parametrize('name', ['1.png', 'clip.mp4'])
def test_a_pointer_of_git_lfs_is_said_to_be_one(tmp_path, name):
    _picture(1).save(tmp_path / '0.png')
    (tmp_path / name).write_bytes(b'version https://git-lfs.github.com/spec/v1\noid sha256:0\n')
    if name == '1.png':
        sequence = open_sequence(tmp_path)
        assert [index for index, _, _ in readable_images(sequence)] == [0]
        assert 'git lfs pull' in sequence.problems[0]
    else:
        with pytest.raises(InputError, match='git lfs pull'):
            open_sequence(tmp_path / name)


def test_of_many_that_are_alike_a_few_are_named_and_the_rest_counted(tmp_path):
    for index in range(20):
        (tmp_path / f'{index}.png').write_bytes(b'no picture')
    sequence = open_sequence(tmp_path)
    assert not list(readable_images(sequence))
    assert len(sequence.problems) == 6
    assert '15 more like these' in sequence.problems[-1]
