# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A finished run as a bag of standard messages (MCAP), which Foxglove, RViz and rosbag2 open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from xstreamvggt_ros.evaluation.export.shown_frames import shown_frames, ShownFrame
from xstreamvggt_ros.evaluation.record import Record
from xstreamvggt_ros.files.bags import BagWriter, typestore
from xstreamvggt_ros.geometry import quaternion_from_rotation
from xstreamvggt_ros.geometry.stamps import NANOSECONDS

WORLD, CAMERA, TRUE_CAMERA = 'world', 'camera', 'true_camera'
TOPICS = {
    '/tf': 'tf2_msgs/msg/TFMessage',
    '/estimate/pose': 'geometry_msgs/msg/PoseStamped',
    '/estimate/path': 'nav_msgs/msg/Path',
    '/estimate/points': 'sensor_msgs/msg/PointCloud2',
    '/estimate/depth/image': 'sensor_msgs/msg/Image',
    '/estimate/depth/camera_info': 'sensor_msgs/msg/CameraInfo',
    '/truth/pose': 'geometry_msgs/msg/PoseStamped',
    '/truth/path': 'nav_msgs/msg/Path',
    '/truth/depth/image': 'sensor_msgs/msg/Image',
    '/image/compressed': 'sensor_msgs/msg/CompressedImage',
    '/latency_ms': 'std_msgs/msg/Float64',
    '/abs_rel': 'std_msgs/msg/Float64',
}
FLOAT32 = 7


def write_mcap(record: Record, path: Path) -> None:
    """Write the bag; a file of that name is replaced."""
    with BagWriter(path) as bag:
        for topic, kind in TOPICS.items():
            bag.add_topic(topic, kind, latched=topic.endswith('/path'))
        paths: dict[str, list[Any]] = {'/estimate': [], '/truth': []}
        stamp = 0
        for frame in shown_frames(record):
            stamp = frame.stamp_ns
            for topic, message in _messages(frame, paths):
                bag.write_message(topic, message, stamp)
        for name, poses in paths.items():
            header = _header(stamp, WORLD)
            bag.write_message(f'{name}/path', _make('nav_msgs/msg/Path', header, poses), stamp)


def _messages(frame: ShownFrame, paths: dict[str, list[Any]]):
    """Give topic and message of everything that a frame has."""
    stamp = frame.stamp_ns
    transforms = []
    for name, pose, child in (
        ('/estimate', frame.pose, CAMERA),
        ('/truth', frame.true_pose, TRUE_CAMERA),
    ):
        if pose is not None:
            transforms.append(_transform(stamp, child, pose))
            paths[name].append(_pose(stamp, pose))
            yield f'{name}/pose', paths[name][-1]
    yield '/tf', _make('tf2_msgs/msg/TFMessage', transforms)
    yield '/estimate/depth/image', _depth(stamp, frame.depth)
    yield '/estimate/depth/camera_info', _camera_info(stamp, frame)
    if np.isfinite(frame.true_depth).any():
        yield '/truth/depth/image', _depth(stamp, frame.true_depth)
    if frame.picture:
        data = np.frombuffer(frame.picture, np.uint8)
        header = _header(stamp, CAMERA)
        yield '/image/compressed', _make(TOPICS['/image/compressed'], header, 'jpeg', data)
    if len(frame.points):
        yield '/estimate/points', _cloud(stamp, frame)
    for topic, value in (('/latency_ms', frame.latency_ms), ('/abs_rel', frame.abs_rel)):
        if np.isfinite(value):
            yield topic, _make('std_msgs/msg/Float64', float(value))


def _make(kind: str, *fields):
    return typestore().types[kind](*fields)


def _header(stamp_ns: int, frame_id: str):
    stamp = _make('builtin_interfaces/msg/Time', *divmod(stamp_ns, NANOSECONDS))
    return _make('std_msgs/msg/Header', stamp, frame_id)


def _turn(pose: np.ndarray):
    turn = map(float, quaternion_from_rotation(pose[:3, :3]))
    return _make('geometry_msgs/msg/Quaternion', *turn)


def _pose(stamp_ns: int, pose: np.ndarray):
    place = _make('geometry_msgs/msg/Point', *map(float, pose[:3, 3]))
    inner = _make('geometry_msgs/msg/Pose', place, _turn(pose))
    return _make('geometry_msgs/msg/PoseStamped', _header(stamp_ns, WORLD), inner)


def _transform(stamp_ns: int, child: str, pose: np.ndarray):
    place = _make('geometry_msgs/msg/Vector3', *map(float, pose[:3, 3]))
    inner = _make('geometry_msgs/msg/Transform', place, _turn(pose))
    header = _header(stamp_ns, WORLD)
    return _make('geometry_msgs/msg/TransformStamped', header, child, inner)


def _depth(stamp_ns: int, depth: np.ndarray):
    height, width = depth.shape
    data = np.frombuffer(depth.astype('<f4').tobytes(), np.uint8)
    header = _header(stamp_ns, CAMERA)
    return _make('sensor_msgs/msg/Image', header, height, width, '32FC1', 0, 4 * width, data)


def _camera_info(stamp_ns: int, frame: ShownFrame):
    height, width = frame.depth.shape
    k = frame.intrinsics
    p = np.concatenate([k, np.zeros((3, 1))], axis=1)
    whole = _make('sensor_msgs/msg/RegionOfInterest', 0, 0, 0, 0, False)
    return _make(
        'sensor_msgs/msg/CameraInfo',
        _header(stamp_ns, CAMERA),
        height,
        width,
        'plumb_bob',
        np.zeros(5),
        k.ravel(),
        np.eye(3).ravel(),
        p.ravel(),
        0,
        0,
        whole,
    )


def _cloud(stamp_ns: int, frame: ShownFrame):
    """Pack x, y, z and rgb as PCL does."""
    count = len(frame.points)
    packed = np.zeros((count, 4), '<f4')
    packed[:, :3] = frame.points
    red, green, blue = frame.colours.astype(np.uint32).T
    packed[:, 3] = (red << 16 | green << 8 | blue).astype('<u4').view('<f4')
    fields = [
        _make('sensor_msgs/msg/PointField', name, 4 * index, FLOAT32, 1)
        for index, name in enumerate(('x', 'y', 'z', 'rgb'))
    ]
    data = np.frombuffer(packed.tobytes(), np.uint8)
    header = _header(stamp_ns, WORLD)
    return _make(
        'sensor_msgs/msg/PointCloud2', header, 1, count, fields, False, 16, 16 * count, data, True
    )
