# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages of the node are read, others refused with what is wrong."""

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import Point, Pose, PoseStamped, Quaternion, Transform
from hypothesis import given, strategies
from nav_msgs.msg import Path
import numpy as np
import pytest
from ros_rig import header, image_message
from sensor_msgs.msg import CameraInfo, Image

from xstreamvggt_ros.messages import depth_image, point_cloud
from xstreamvggt_ros.view import reading
from xstreamvggt_ros.view.contents import FAR
from xstreamvggt_ros.view.topics import camera_of, roots_of


def test_pictures_maps_and_clouds_come_back():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (6, 8, 3)).astype(np.uint8)
    np.testing.assert_array_equal(reading.picture_of(image_message(pixels)), pixels)
    depth = rng.uniform(1, 5, (6, 8)).astype(np.float32)
    np.testing.assert_array_equal(reading.map_of(depth_image(depth, header())), depth)
    points = rng.normal(size=(5, 3)).astype(np.float32)
    cloud = reading.points_of(point_cloud(points, pixels[0, :5], np.ones(5), header()))
    np.testing.assert_array_equal(cloud.points, points)
    np.testing.assert_array_equal(cloud.rgb, pixels[0, :5])


@pytest.mark.parametrize(
    ('read', 'message', 'wrong'),
    [
        (reading.picture_of, Image(encoding='mono8'), "an image is 'mono8', not rgb8"),
        (reading.map_of, Image(encoding='16UC1'), "a map is '16UC1', not 32FC1"),
        (
            reading.picture_of,
            Image(encoding='rgb8', height=4, width=4, step=12, data=bytes(47)),
            'an image of 4x4 rgb8 has step 12 and 47 bytes',
        ),
        (
            reading.picture_of,
            Image(encoding='rgb8', height=2**31, width=2**31, step=12),
            'an image of 2147483648x2147483648',
        ),
        (
            reading.picture_of,
            Image(encoding='rgb8', height=1, width=70_000, step=210_000, data=bytes(210_000)),
            'an image of 70000x1',
        ),
        (reading.lens_of, CameraInfo(), 'a CameraInfo has no focal length'),
        (
            reading.lens_of,
            CameraInfo(k=[9.0, 0, 4, 0, 9, 4, 0, 0, 1], width=8),
            'a CameraInfo is of 8x0 pixels',
        ),
        (
            reading.lens_of,
            CameraInfo(k=[1e-300, 0, 4, 0, 1e300, 4, 0, 0, 1], height=8, width=8),
            'with focal lengths 1e-300 and 1e\\+300',
        ),
        (
            reading.pose_of,
            Pose(position=Point(x=1e200), orientation=Quaternion(w=1.0)),
            'a pose is at',
        ),
        (
            reading.pose_of,
            Pose(orientation=Quaternion(x=0.0, y=0.0, z=0.0, w=0.0)),
            'a pose is at',
        ),
    ],
)
def test_what_is_not_the_nodes_is_refused(read, message, wrong):
    with pytest.raises(ValueError, match=wrong.replace('[', r'\[')):
        read(message)


def test_poses_transforms_and_paths_are_read():
    pose = Pose()
    pose.position.x, pose.orientation.w = 1.5, 2.0
    found = reading.pose_of(pose)
    assert found.position.tolist() == [1.5, 0, 0] and found.quaternion.tolist() == [0, 0, 0, 1]
    transform = Transform()
    transform.translation.y = -3.0
    assert reading.pose_of(transform).position.tolist() == [0, -3, 0]
    lost = PoseStamped()
    lost.pose.position.x = float('nan')
    path = reading.path_of(Path(poses=[PoseStamped(pose=pose), lost]))
    assert path.tolist() == [[1.5, 0, 0]]
    assert reading.path_of(Path()).shape == (0, 3)


def test_only_what_this_node_says_of_its_stream_is_heard():
    def status(name, level):
        return DiagnosticStatus(name=name, level=level, values=[KeyValue(key='fps', value='3.0')])

    array = DiagnosticArray(
        status=[
            status('other: reconstruction', DiagnosticStatus.OK),
            status('robot/reconstruction: frame', DiagnosticStatus.OK),
            status('robot/reconstruction: reconstruction', DiagnosticStatus.WARN),
        ]
    )
    assert reading.said_of(array, '/robot/reconstruction').level == 1
    assert reading.said_of(array, '/robot/reconstruction').values == {'fps': '3.0'}
    assert reading.said_of(array, '/mapper') is None


@pytest.mark.parametrize('leading', ['', '/'])
def test_nodes_of_one_name_in_other_namespaces_are_told_apart(leading):
    names = ['robot1/reconstruction', 'fleet/robot1/reconstruction', 'reconstruction']
    array = DiagnosticArray(
        status=[
            DiagnosticStatus(name=f'{leading}{name}: reconstruction', message=name)
            for name in names
        ]
    )
    for name in names:
        assert reading.said_of(array, f'/{name}').message == name
    assert reading.said_of(array, '/robot2/reconstruction') is None
    assert reading.said_of(array, '') is None


def test_a_node_is_known_by_its_topics():
    ours = ['/r/stream', '/r/frame', '/r/path', '/r/front/points', '/r/left/points']
    assert roots_of([*ours, '/video/stream', '/tf']) == ['/r']
    both = [*ours, '/fleet/b/r/stream', '/fleet/b/r/frame', '/fleet/b/r/path']
    assert roots_of(both, '/') == ['/r', '/fleet/b/r']
    assert roots_of(both, '/fleet/b') == ['/fleet/b/r', '/r']
    assert roots_of(both, '/fleet') == roots_of(both, '/b') == ['/fleet/b/r', '/r']
    assert camera_of(ours, '/r') == '/r/front'
    assert camera_of(ours, '/r', 'left') == '/r/left'
    assert camera_of([*ours, '/r/points'], '/r') == '/r'
    assert camera_of(ours[:3], '/r') == ''


ANYTHING = strategies.floats(width=64)
SIDES = strategies.one_of(
    strategies.integers(0, 2**32 - 1), strategies.sampled_from([1, 2, 42, 65_500])
)


@given(k=strategies.lists(ANYTHING, min_size=9, max_size=9), height=SIDES, width=SIDES)
def test_a_lens_that_is_read_has_an_angle_of_view(k, height, width):
    try:
        lens = reading.lens_of(CameraInfo(k=k, height=height, width=width))
    except ValueError:
        return
    assert 0 < lens.fov <= np.pi and 0 < lens.aspect < np.inf


@given(numbers=strategies.lists(ANYTHING, min_size=7, max_size=7))
def test_a_pose_that_is_read_is_somewhere(numbers):
    x, y, z, *turn = numbers
    pose = Pose(position=Point(x=x, y=y, z=z))
    for name, value in zip('xyzw', turn, strict=True):
        setattr(pose.orientation, name, value)
    places = reading.path_of(Path(poses=[PoseStamped(pose=pose)]))
    assert (np.abs(places) <= FAR).all()
    try:
        found = reading.pose_of(pose)
    except ValueError:
        return
    assert (np.abs(found.position) <= FAR).all()
    assert np.linalg.norm(found.quaternion) == pytest.approx(1)


@given(
    encoding=strategies.sampled_from(['rgb8', '32FC1', 'bgr8', '', 'no such']),
    height=SIDES,
    width=SIDES,
    step=strategies.integers(0, 2**32 - 1) | strategies.integers(0, 30),
    big=strategies.integers(0, 1),
    data=strategies.binary(max_size=60),
)
def test_an_image_that_says_anything_of_itself_is_read_or_refused(
    encoding, height, width, step, big, data
):
    message = Image(encoding=encoding, height=height, width=width, step=step, is_bigendian=big)
    message.data = data
    for read in (reading.picture_of, reading.map_of):
        try:
            found = read(message)
        except ValueError:
            continue
        assert found.shape[:2] == (height, width)
