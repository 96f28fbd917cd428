# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rosbags of every storage, and the truth out of whatever they hold it in."""

import struct

from bag_messages import (
    CAMERA_INFO,
    camera_info,
    COMPRESSED,
    header,
    IMAGE,
    image,
    jpeg,
    make,
    ODOMETRY,
    odometry,
    POSE,
    pose,
    TF,
    transforms,
    write_bag,
)
import cv2
from layouts import camera_pose, pixels
import numpy as np
import pytest

from xstreamvggt_ros.files.bags import typestore
from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.files.trajectories import Trajectory, write_tum
from xstreamvggt_ros.geometry import invert_rigid, quaternion_from_rotation, rigid
from xstreamvggt_ros.inputs import DamagedFrame, open_sequence, readable_images

START = 1_700_000_000_123_456_789
STAMPS = [START + index * 33_333_333 for index in range(4)]
SENSOR = rigid(np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]]), [0.1, -0.02, 0.3])


def images(topic='/cam/image_raw'):
    return [
        (topic, IMAGE, stamp, image(stamp, pixels(index), 'rgb8'))
        for index, stamp in enumerate(STAMPS)
    ]


def depths(later_ns=0):
    for index, stamp in enumerate(STAMPS):
        values = np.full((6, 8), 1000 * (index + 1), np.uint16)
        values[0, :2] = 0, 65535
        message = image(stamp + later_ns, values, '16UC1')
        yield '/cam/depth/image_raw', IMAGE, stamp + later_ns, message


def poses(later_ns=0):
    for index, stamp in enumerate(STAMPS):
        message = pose(stamp + later_ns, camera_pose(index))
        yield '/ground_truth/pose', POSE, stamp + later_ns, message


def whole():
    info = '/cam/camera_info', CAMERA_INFO, START - 5, camera_info(START, 6, 8, 50.0)
    return [info, *images(), *depths(3_000_000), *poses(-3_000_000)]


def check_poses(sequence):
    for index, frame in enumerate(sequence.frames):
        found = frame.truth().world_from_camera
        np.testing.assert_allclose(found, camera_pose(index), atol=1e-9)


@pytest.mark.parametrize(
    'storage, compression',
    [
        ('mcap', ''),
        ('mcap', 'chunk'),
        ('sqlite3', ''),
        ('sqlite3', 'file'),
        ('sqlite3', 'message'),
    ],
)
def test_every_storage_gives_the_same_frames(tmp_path, storage, compression):
    sequence = open_sequence(write_bag(tmp_path / 'bag', whole(), storage, compression))
    assert (sequence.dataset, sequence.name) == ('rosbag', 'bag')
    assert [frame.stamp_ns for frame in sequence.frames] == STAMPS
    # In any order, as often as one likes.
    for index in (3, 0, 3, 1):
        frame = sequence.frames[index]
        np.testing.assert_array_equal(frame.image(), pixels(index))
        depth = frame.truth().depth
        assert np.isnan(depth[0, :2]).all()
        assert depth[5, 5] == index + 1
    check_poses(sequence)
    camera = sequence.frames[0].camera
    assert (camera.K[0], camera.D[0], camera.distortion) == (50, 0.1, 'plumb_bob')
    np.testing.assert_array_equal(sequence.frames[0].truth().intrinsics, camera.intrinsics)
    assert sequence.problems == ()


def test_compressed_images_are_decoded(tmp_path):
    topic = '/cam/image_raw/compressed'
    smooth = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    messages = [(topic, COMPRESSED, stamp, jpeg(stamp, smooth)) for stamp in STAMPS]
    sequence = open_sequence(write_bag(tmp_path / 'bag', messages))
    difference = np.abs(sequence.frames[1].image().astype(int) - smooth)
    assert difference.max() <= 3
    truth = sequence.frames[1].truth()
    assert truth.depth is truth.world_from_camera is None
    assert sequence.problems == ()


def test_compressed_depth_is_the_truth_too(tmp_path):
    messages = images()
    for index, stamp in enumerate(STAMPS):
        stored = np.full((6, 8), 1000 * (index + 1), np.uint16)
        stored[0, :2] = 0, 65535
        data = struct.pack('<iff', 0, 0, 0) + cv2.imencode('.png', stored)[1].tobytes()
        fields = '16UC1; compressedDepth png', np.frombuffer(data, np.uint8)
        message = make(COMPRESSED, header(stamp, 'optical'), *fields)
        messages.append(('/cam/depth/image_raw/compressedDepth', COMPRESSED, stamp, message))
    sequence = open_sequence(write_bag(tmp_path / 'bag', messages))
    assert sequence.topic == '/cam/image_raw'
    depth = sequence.frames[2].truth().depth
    assert np.isnan(depth[0, :2]).all() and depth[5, 5] == pytest.approx(3)
    # Recorded raw beside it, it is the same depth.
    both = open_sequence(write_bag(tmp_path / 'both', [*messages, *depths()]))
    assert both.frames[2].truth().depth[5, 5] == pytest.approx(3)


@pytest.mark.parametrize(
    ('array', 'encoding'),
    [
        (pixels(0)[..., ::-1], '8UC3'),
        ((pixels(0) / 255).astype(np.float32), '32FC3'),
        (pixels(0).astype(np.uint16) * 257, 'rgb16'),
    ],
)
def test_every_encoding_is_decoded_as_the_node_decodes_it(tmp_path, array, encoding):
    message = image(START, np.ascontiguousarray(array), encoding)
    sequence = open_sequence(write_bag(tmp_path / 'bag', [('/image', IMAGE, START, message)]))
    (frame,) = sequence.frames
    picture = frame.image()
    if picture.dtype != np.uint8:
        picture = np.round(picture * 255).astype(np.uint8)
    np.testing.assert_array_equal(picture, pixels(0))
    assert frame.payload().encoding == encoding


def test_an_encoding_that_the_node_refuses_is_refused_by_name(tmp_path):
    message = image(START, np.zeros((6, 8, 2), np.uint8), '8UC2')
    sequence = open_sequence(write_bag(tmp_path / 'bag', [('/image', IMAGE, START, message)]))
    with pytest.raises(DamagedFrame, match="encoding '8UC2'"):
        sequence.frames[0].image()


def test_sixteen_bit_grey_in_a_png_is_scaled_by_its_depth(tmp_path):
    grey = np.arange(48, dtype=np.uint16).reshape(6, 8) * 1000
    data = np.frombuffer(cv2.imencode('.png', grey)[1].tobytes(), np.uint8)
    message = make(COMPRESSED, header(START, 'optical'), 'mono16; png compressed ', data)
    bag = write_bag(tmp_path / 'bag', [('/image/compressed', COMPRESSED, START, message)])
    (frame,) = open_sequence(bag).frames
    np.testing.assert_allclose(frame.image()[..., 1], grey / 65535, atol=1e-6)


def test_what_is_too_far_in_time_is_no_truth(tmp_path):
    late = [*images(), *list(depths(15_000_000))[:3], *list(poses(15_000_000))[:3]]
    bag = write_bag(tmp_path / 'bag', late)
    sequence = open_sequence(bag, tolerance_s=0.016)
    last = sequence.frames[3].truth()
    assert last.depth is last.world_from_camera is None
    assert len(sequence.problems) == 2
    assert all('for 1 of 4 images' in problem for problem in sequence.problems)
    strict = open_sequence(bag, tolerance_s=0.001)
    assert strict.frames[0].truth().depth is None


def test_poses_of_a_tum_file(tmp_path):
    bag = write_bag(tmp_path / 'bag', images())
    matrices = np.stack([camera_pose(index) for index in range(4)])
    quaternions = np.stack([quaternion_from_rotation(each[:3, :3]) for each in matrices])
    trajectory = Trajectory(np.array(STAMPS) + 1_000_000, matrices[:, :3, 3], quaternions)
    write_tum(tmp_path / 'truth.txt', trajectory)
    sequence = open_sequence(bag, truth=str(tmp_path / 'truth.txt'))
    check_poses(sequence)
    assert sequence.fingerprint() != open_sequence(bag).fingerprint()


def test_odometry_of_a_body_is_carried_over_to_the_camera(tmp_path):
    # Twice over, statically: base in the middle, the camera on a mount.
    mount = rigid(np.eye(3), [0.0, 0.5, 0.0])
    messages = images()
    messages.append(
        (
            '/tf_static',
            TF,
            START,
            transforms(START, ('base', 'mount', mount), ('mount', 'optical', SENSOR)),
        )
    )
    for index, stamp in enumerate(STAMPS):
        base = camera_pose(index) @ invert_rigid(mount @ SENSOR)
        messages.append(('/odom', ODOMETRY, stamp, odometry(stamp, base, 'base')))
    bag = write_bag(tmp_path / 'bag', messages)
    check_poses(open_sequence(bag, truth='/odom'))


def test_odometry_without_a_way_to_the_camera_is_named(tmp_path):
    messages = images() + [
        ('/odom', ODOMETRY, stamp, odometry(stamp, camera_pose(index), 'base'))
        for index, stamp in enumerate(STAMPS)
    ]
    bag = write_bag(tmp_path / 'bag', messages)
    sequence = open_sequence(bag, truth='/odom')
    assert sequence.frames[0].truth().world_from_camera is None
    assert "no transforms between 'base' and the images in 'optical'" in sequence.problems[0]
    check_poses(open_sequence(bag, truth='/odom', body_frame='optical'))


@pytest.mark.parametrize('world', ['', 'map'])
def test_the_truth_in_tf_is_looked_up_through_its_tree(tmp_path, world):
    messages = images()
    messages.append(('/tf_static', TF, START, transforms(START, ('base', '/optical', SENSOR))))
    for index, stamp in enumerate(STAMPS):
        drift = rigid(np.eye(3), [0.0, 0.0, 0.1 * index])
        base = invert_rigid(drift) @ camera_pose(index) @ invert_rigid(SENSOR)
        # The two come at different times, both near enough.
        messages.append(('/tf', TF, stamp, transforms(stamp + 2_000_000, ('map', 'odom', drift))))
        messages.append(('/tf', TF, stamp, transforms(stamp - 4_000_000, ('odom', 'base', base))))
    bag = write_bag(tmp_path / 'bag', messages)
    check_poses(open_sequence(bag, truth='/tf', world_frame=world))


def test_a_world_that_is_not_in_the_tree_is_named(tmp_path):
    edge = transforms(START, ('map', 'optical', SENSOR))
    bag = write_bag(tmp_path / 'bag', [*images(), ('/tf', TF, START, edge)])
    sequence = open_sequence(bag, truth='/tf', world_frame='earth')
    assert sequence.frames[0].truth().world_from_camera is None
    assert "'earth'" in sequence.problems[0]


def test_a_topic_without_poses_is_refused_with_those_that_have_them(tmp_path):
    bag = write_bag(tmp_path / 'bag', whole())
    with pytest.raises(InputError, match="truth '/gps' .* the bag has: /ground_truth/pose"):
        open_sequence(bag, truth='/gps')
    with pytest.raises(InputError, match=r"no depth maps on '/x'; it has: /cam/depth/image_raw"):
        open_sequence(bag, depth_topic='/x')


def test_several_cameras_are_refused_with_the_option_that_chooses(tmp_path):
    second = [('/cam2/depth/image_raw', *message[1:]) for message in depths()]
    bag = write_bag(tmp_path / 'bag', [*images('/left'), *images('/right'), *depths(), *second])

    with pytest.raises(InputError, match='choose one with --option topic=NAME: /left, /right'):
        open_sequence(bag)
    with pytest.raises(InputError, match='--option depth_topic=NAME: /cam/depth.*, /cam2/depth'):
        open_sequence(bag, topic='/left')
    assert len(open_sequence(bag, topic='/left', depth_topic='/cam/depth/image_raw').frames) == 4


def test_damaged_messages_are_named_and_the_rest_goes_on(tmp_path):
    messages = whole()
    stamp = STAMPS[3] + 33_333_333
    seconds, nanoseconds = divmod(stamp, 10**9)
    begin = b'\x00\x01\x00\x00' + seconds.to_bytes(4, 'little') + nanoseconds.to_bytes(4, 'little')
    messages.append(('/cam/image_raw', IMAGE, stamp, begin + bytes(6)))
    broken = image(stamp + 10**7, pixels(0), 'rgb8')
    broken.data = broken.data[:10]
    messages.append(('/cam/image_raw', IMAGE, stamp + 10**7, broken))
    messages.append(('/ground_truth/pose', POSE, stamp, begin + bytes(6)))
    sequence = open_sequence(write_bag(tmp_path / 'bag', messages))
    assert len(sequence.frames) == 6
    assert [index for index, _, _ in readable_images(sequence)] == [0, 1, 2, 3]
    with pytest.raises(DamagedFrame, match=f'/cam/image_raw: the image at {stamp} ns'):
        sequence.frames[4].image()
    assert any('/ground_truth/pose: a message' in problem for problem in sequence.problems)


def test_images_of_one_stamp_are_counted_once_and_named(tmp_path):
    twice = [*images(), *images()[:1]]
    sequence = open_sequence(write_bag(tmp_path / 'bag', twice))
    assert len(sequence.frames) == 4
    assert '1 images have the stamp of another' in sequence.problems[0]


def test_messages_recorded_at_one_time_are_told_apart(tmp_path):
    messages = [(topic, kind, START, message) for topic, kind, _, message in images()]
    sequence = open_sequence(write_bag(tmp_path / 'bag', messages))
    for index, frame in enumerate(sequence.frames):
        np.testing.assert_array_equal(frame.image(), pixels(index))


@pytest.mark.parametrize(
    ('topic', 'focal', 'distorts'), [('image_rect', 40.0, False), ('image_raw', 50.0, True)]
)
def test_rectified_images_are_not_undistorted_again(tmp_path, topic, focal, distorts):
    info = camera_info(START, 6, 8, 50.0, rectified=40.0)
    messages = [('/cam/camera_info', CAMERA_INFO, START - 5, info), *images(f'/cam/{topic}')]
    sequence = open_sequence(write_bag(tmp_path / 'bag', messages))
    camera = sequence.frames[0].camera

    assert camera.intrinsics[0, 0] == focal
    assert camera.distorts == distorts


def test_a_calibration_that_is_none_is_named(tmp_path):
    messages = [('/cam/camera_info', CAMERA_INFO, START, camera_info(START, 6, 8, 0.0))]
    sequence = open_sequence(write_bag(tmp_path / 'bag', messages + images()))
    assert sequence.frames[0].camera is None
    assert '/cam/camera_info is left out' in sequence.problems[0]


def test_a_fingerprint_covers_the_bag(tmp_path):
    first = open_sequence(write_bag(tmp_path / 'a', whole()))
    again = open_sequence(tmp_path / 'a')
    other = open_sequence(write_bag(tmp_path / 'b', whole()[:-1]))
    assert first.fingerprint() == again.fingerprint() != other.fingerprint()


def test_truth_that_does_not_say_whose_it_is_is_said_to_be_the_camera_s(tmp_path):
    messages = [*images(), *(('/amcl_pose', *each[1:]) for each in poses())]
    sequence = open_sequence(write_bag(tmp_path / 'bag', messages), truth='/amcl_pose')
    check_poses(sequence)
    (problem,) = sequence.problems
    assert '/amcl_pose does not say whose its poses are' in problem and "'optical'" in problem


def test_odometry_under_the_usual_name_is_truth_too(tmp_path):
    messages = images() + [
        ('/ground_truth/pose', ODOMETRY, stamp, odometry(stamp, camera_pose(index), 'optical'))
        for index, stamp in enumerate(STAMPS)
    ]
    check_poses(open_sequence(write_bag(tmp_path / 'bag', messages)))


def test_a_pose_that_is_none_costs_itself(tmp_path):
    messages = [*images(), *poses()]
    zero = messages[5][3].pose.orientation
    zero.x = zero.y = zero.z = zero.w = 0.0
    sequence = open_sequence(write_bag(tmp_path / 'bag', messages))
    known = [frame.pose() is not None for frame in sequence.frames]
    assert known == [True, False, True, True]
    assert any('no rigid motion' in problem for problem in sequence.problems)


def test_truth_of_another_type_is_named(tmp_path):
    messages = [*images(), ('/ground_truth/pose', TF, START, transforms(START))]
    sequence = open_sequence(write_bag(tmp_path / 'bag', messages))
    assert sequence.frames[0].pose() is None
    assert any('holds no pose' in problem for problem in sequence.problems)


def test_the_first_message_of_a_topic_may_be_cut(tmp_path):
    whole = images()
    first = typestore().serialize_cdr(whole[0][3], IMAGE)[:40].tobytes()
    messages = [(*whole[0][:3], first), *whole[1:]]
    sequence = open_sequence(write_bag(tmp_path / 'bag', messages))
    assert [index for index, _, _ in readable_images(sequence)] == [1, 2, 3]
    assert len(sequence.problems) == 1


def test_a_bag_without_messages_is_said_to_have_none(tmp_path):
    with pytest.raises(InputError, match='holds no messages'):
        open_sequence(write_bag(tmp_path / 'bag', []))
