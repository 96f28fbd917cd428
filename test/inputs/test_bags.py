# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rosbags as inputs, and what is written as one."""

from bag_messages import camera_info, IMAGE, image, jpeg, pose
import numpy as np
import pytest

from xstreamvggt_ros.files.bags import BagWriter, open_bag, stamp_of, typestore
from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.geometry import rigid
from xstreamvggt_ros.inputs import DamagedFrame, EncodedImage, open_sequence

STAMPS = [1_700_000_000_000_000_001, 1_700_000_000_033_333_337]


def _pose(stamp_ns: int):
    return pose(stamp_ns, rigid(np.diag([-1.0, -1.0, 1.0]), [1.0, 2.0, 3.0]))


def _pixels(index: int) -> np.ndarray:
    return np.random.default_rng(index).integers(0, 256, (6, 8, 3), dtype=np.uint8)


def _write(path, *messages, kinds):
    """Write (topic, stamp, message) to a bag; `kinds` are the topics' types."""
    with BagWriter(path) as bag:
        for topic, kind in kinds.items():
            bag.add_topic(topic, kind)
        for topic, stamp_ns, message in messages:
            bag.write_message(topic, message, stamp_ns)
    return path


@pytest.fixture
def rgbd_bag(tmp_path):
    """Write a bag with images, their calibration, depth and poses."""
    messages = [('/cam/camera_info', STAMPS[0] - 5, camera_info(STAMPS[0], 6, 8, 50.0))]
    for index, stamp in enumerate(STAMPS):
        depth = np.array([[1.0, np.inf], [0.0, 2.0 + index]], np.float32)
        messages += [
            ('/cam/image_raw', stamp, image(stamp, _pixels(index), 'rgb8')),
            ('/cam/depth/image_raw', stamp, image(stamp, depth, '32FC1')),
            ('/ground_truth/pose', stamp, _pose(stamp)),
        ]
    kinds = {
        '/cam/image_raw': IMAGE,
        '/cam/depth/image_raw': IMAGE,
        '/cam/camera_info': 'sensor_msgs/msg/CameraInfo',
        '/ground_truth/pose': 'geometry_msgs/msg/PoseStamped',
    }
    return _write(tmp_path / 'rgbd.mcap', *messages, kinds=kinds)


def test_what_rectified_images_show_has_the_intrinsics_p(tmp_path):
    depth = np.ones((6, 8), np.float32)
    info = camera_info(STAMPS[0], 6, 8, 50.0, rectified=40.0)
    messages = [
        ('/cam/camera_info', STAMPS[0], info),
        ('/cam/image_rect', STAMPS[0], image(STAMPS[0], _pixels(0), 'rgb8')),
        ('/cam/depth', STAMPS[0], image(STAMPS[0], depth, '32FC1')),
    ]
    kinds = {
        '/cam/image_rect': IMAGE,
        '/cam/depth': IMAGE,
        '/cam/camera_info': 'sensor_msgs/msg/CameraInfo',
    }
    (frame,) = open_sequence(_write(tmp_path / 'rect.mcap', *messages, kinds=kinds)).frames
    np.testing.assert_array_equal(frame.truth().intrinsics, np.diag([40.0, 40.0, 1.0]))


def test_raw_images_come_bit_for_bit_and_depth_is_not_among_them(rgbd_bag):
    source = open_sequence(rgbd_bag)
    frames = source.frames
    assert (source.topic, source.transport, source.length) == ('/cam/image_raw', 'raw', 2)
    assert [frame.stamp_ns for frame in frames] == STAMPS
    assert [frame.frame_id for frame in frames] == ['optical'] * 2
    for index, frame in enumerate(frames):
        assert frame.payload().data == _pixels(index).tobytes()
        assert frame.payload().step == 24
        assert frame.calibration.k[0] == 50.0


def test_frames_carry_the_truth_of_their_stamp(rgbd_bag):
    frame = open_sequence(rgbd_bag).frames[1]
    truth = frame.truth()
    np.testing.assert_array_equal(frame.image(), _pixels(1))
    np.testing.assert_array_equal(truth.depth, [[1.0, np.nan], [np.nan, 3.0]])
    np.testing.assert_array_equal(truth.world_from_camera[:3, 3], [1, 2, 3])
    np.testing.assert_allclose(truth.world_from_camera[:3, :3], np.diag([-1, -1, 1]), atol=1e-12)
    assert truth.intrinsics[0, 0] == 50.0
    np.testing.assert_array_equal(frame.pose(), truth.world_from_camera)


def test_the_calibration_in_force_is_the_last_before_an_image(tmp_path):
    kinds = {'/image': IMAGE, '/camera_info': 'sensor_msgs/msg/CameraInfo'}
    messages = []
    for index in range(4):
        stamp = STAMPS[0] + 10 * index
        messages.append(('/image', stamp, image(stamp, _pixels(index), 'rgb8')))
        messages.append(('/camera_info', stamp + 1, camera_info(stamp, 6, 8, 50.0 + index // 2)))
    sequence = open_sequence(_write(tmp_path / 'zoom.mcap', *messages, kinds=kinds))
    assert [frame.calibration.k[0] for frame in sequence.frames] == [50, 50, 50, 51]
    assert [frame.camera.K[0] for frame in sequence.frames] == [50, 50, 50, 51]


def test_compressed_images_are_handed_on_undecoded(tmp_path):
    message = jpeg(STAMPS[0], _pixels(0))
    topic = '/cam/image_raw/compressed'
    path = _write(
        tmp_path / 'jpeg.mcap',
        (topic, STAMPS[0], message),
        kinds={topic: 'sensor_msgs/msg/CompressedImage'},
    )
    source = open_sequence(path)
    (frame,) = source.frames
    assert (source.topic, source.transport) == ('/cam/image_raw', 'compressed')
    assert frame.payload() == EncodedImage(message.format, message.data.tobytes())
    assert abs(frame.image().astype(int).mean() - _pixels(0).mean()) < 10


def test_a_camera_recorded_raw_and_compressed_is_one_camera(tmp_path):
    path = _write(
        tmp_path / 'both.mcap',
        ('/cam/image_raw', STAMPS[0], image(STAMPS[0], _pixels(0), 'rgb8')),
        ('/cam/image_raw/compressed', STAMPS[0], jpeg(STAMPS[0], _pixels(0))),
        kinds={
            '/cam/image_raw': IMAGE,
            '/cam/image_raw/compressed': 'sensor_msgs/msg/CompressedImage',
        },
    )
    assert open_sequence(path).transport == 'raw'
    assert open_sequence(path, topic='/cam/image_raw/compressed').transport == 'compressed'


def test_several_cameras_need_a_choice(tmp_path):
    messages = [
        (topic, STAMPS[0], image(STAMPS[0], _pixels(index), 'rgb8'))
        for index, topic in enumerate(('/left/image_raw', '/right/image_raw'))
    ]
    path = _write(
        tmp_path / 'two.mcap',
        *messages,
        kinds={'/left/image_raw': IMAGE, '/right/image_raw': IMAGE},
    )
    with pytest.raises(InputError, match='topic=NAME: /left/image_raw, /right/image_raw'):
        open_sequence(path)
    (frame,) = open_sequence(path, topic='/right/image_raw').frames
    assert frame.payload().data == _pixels(1).tobytes()
    with pytest.raises(InputError, match="'/top'.*/left/image_raw, /right/image_raw"):
        open_sequence(path, topic='/top')


def test_a_bag_without_images_lists_what_it_has(tmp_path):
    path = _write(
        tmp_path / 'poses.mcap',
        ('/robot/pose', STAMPS[0], _pose(STAMPS[0])),
        kinds={'/robot/pose': 'geometry_msgs/msg/PoseStamped'},
    )
    with pytest.raises(InputError, match=r'/robot/pose \[geometry_msgs/msg/PoseStamped\]'):
        open_sequence(path)


def test_a_sqlite_bag_is_read_from_folder_and_from_file(tmp_path):
    from rosbags.rosbag2 import Writer

    with Writer(tmp_path / 'old', version=8) as writer:
        connection = writer.add_connection('/image', IMAGE, typestore=typestore())
        message = image(STAMPS[0], _pixels(0), 'rgb8')
        writer.write(connection, STAMPS[0], typestore().serialize_cdr(message, IMAGE))
    (tmp_path / 'bare').mkdir()
    (tmp_path / 'bare' / 'old.db3').write_bytes((tmp_path / 'old' / 'old.db3').read_bytes())
    for path in (tmp_path / 'old', tmp_path / 'old' / 'old.db3', tmp_path / 'bare'):
        (frame,) = open_sequence(path).frames
        assert frame.payload().data == _pixels(0).tobytes()


def test_a_bag_cut_short_is_read_as_far_as_it_goes(rgbd_bag):
    whole = rgbd_bag.read_bytes()
    rgbd_bag.write_bytes(whole[: whole.index(_pixels(1).tobytes()) + 9])
    sequence = open_sequence(rgbd_bag)
    (frame,) = sequence.frames
    np.testing.assert_array_equal(frame.image(), _pixels(0))
    assert frame.truth().depth is not None
    assert any('rgbd.mcap was not finished' in problem for problem in sequence.problems)
    assert any('cut short' in problem for problem in sequence.problems)


def test_a_bag_damaged_further_in_gives_what_comes_before_and_says_so(tmp_path):
    from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

    writer = Writer(tmp_path / 'zipped', version=9, storage_plugin=StoragePlugin.MCAP)
    writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
    pixels = np.random.default_rng(0).integers(0, 256, (600, 800, 3), dtype=np.uint8)
    with writer:
        connection = writer.add_connection('/image', IMAGE, typestore=typestore())
        for index in range(3):  # a chunk each
            message = image(STAMPS[0] + index, pixels, 'rgb8')
            cdr = typestore().serialize_cdr(message, IMAGE)
            writer.write(connection, STAMPS[0] + index, cdr)
    path = tmp_path / 'zipped' / 'zipped.mcap'
    whole = bytearray(path.read_bytes())
    middle = len(whole) // 2
    whole[middle : middle + 100_000] = bytes(100_000)
    path.write_bytes(whole)
    sequence = open_sequence(path)
    assert sequence.frames[0].stamp_ns == STAMPS[0]
    # One chunk is lost, those around it are not.
    assert [frame.stamp_ns - STAMPS[0] for frame in sequence.frames] == [0, 2]
    assert 'zipped.mcap: a chunk recorded from' in sequence.problems[0]


def test_a_damaged_message_is_a_damaged_frame(tmp_path):
    with BagWriter(tmp_path / 'damaged.mcap') as bag:
        bag.add_topic('/image', IMAGE)
        for index, stamp in enumerate(STAMPS):
            bag.write_message('/image', image(stamp, _pixels(index), 'rgb8'), stamp)
        bag.write('/image', b'\x00\x01\x00\x00' + bytes(10), STAMPS[1] + 1)
    sequence = open_sequence(tmp_path / 'damaged.mcap')
    *whole, damaged = sequence.frames
    assert [frame.stamp_ns for frame in whole] == STAMPS
    for read in (damaged.image, damaged.payload):
        with pytest.raises(DamagedFrame, match='/image: the image at'):
            read()
    assert '/image: the image at' in sequence.problems[0]


def test_a_bag_that_was_not_finished_does_not_appear(tmp_path):
    with pytest.raises(RuntimeError):
        with BagWriter(tmp_path / 'half.mcap') as bag:
            bag.add_topic('/image', IMAGE)
            raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_stamps_are_read_off_the_bytes(rgbd_bag):
    with open_bag(rgbd_bag) as reader:
        connections = [each for each in reader.connections if each.topic == '/ground_truth/pose']
        stamps = [stamp_of(cdr) for _, _, cdr in reader.messages(connections)]
    assert stamps == STAMPS
    big_endian = b'\x00\x00\x00\x00' + (7).to_bytes(4, 'big') + (9).to_bytes(4, 'big')
    assert stamp_of(big_endian) == 7_000_000_009
