# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A finished run as a bag of standard messages (MCAP), which Foxglove, RViz and rosbag2 open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from xstreamvggt_ros.evaluation.export.shown_frames import shown_frames, ShownFrame
from xstreamvggt_ros.evaluation.record import Record
from xstreamvggt_ros.files.bag_messages import (
    make,
    make_header,
    make_image,
    make_pinhole_info,
    make_pose,
    make_transform,
)
from xstreamvggt_ros.files.bags import BagWriter

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
            header = make_header(stamp, WORLD)
            bag.write_message(f'{name}/path', make('nav_msgs/msg/Path', header, poses), stamp)


def _messages(frame: ShownFrame, paths: dict[str, list[Any]]):
    """Give topic and message of everything that a frame has."""
    stamp = frame.stamp_ns
    of_world, of_camera = make_header(stamp, WORLD), make_header(stamp, CAMERA)
    transforms = []
    for name, pose, child in (
        ('/estimate', frame.pose, CAMERA),
        ('/truth', frame.true_pose, TRUE_CAMERA),
    ):
        if pose is not None:
            transforms.append(make_transform(of_world, child, pose))
            paths[name].append(make_pose(of_world, pose))
            yield f'{name}/pose', paths[name][-1]
    yield '/tf', make('tf2_msgs/msg/TFMessage', transforms)
    yield '/estimate/depth/image', make_image(of_camera, frame.depth.astype('<f4'), '32FC1')
    info = make_pinhole_info(of_camera, frame.depth.shape, frame.intrinsics)
    yield '/estimate/depth/camera_info', info
    if np.isfinite(frame.true_depth).any():
        true_depth = frame.true_depth.astype('<f4')
        yield '/truth/depth/image', make_image(of_camera, true_depth, '32FC1')
    if frame.picture:
        data = np.frombuffer(frame.picture, np.uint8)
        yield '/image/compressed', make(TOPICS['/image/compressed'], of_camera, 'jpeg', data)
    if len(frame.points):
        yield '/estimate/points', _cloud(of_world, frame)
    for topic, value in (('/latency_ms', frame.latency_ms), ('/abs_rel', frame.abs_rel)):
        if np.isfinite(value):
            yield topic, make('std_msgs/msg/Float64', float(value))


def _cloud(header, frame: ShownFrame):
    """Pack x, y, z and rgb as PCL does."""
    count = len(frame.points)
    packed = np.zeros((count, 4), '<f4')
    packed[:, :3] = frame.points
    red, green, blue = frame.colours.astype(np.uint32).T
    packed[:, 3] = (red << 16 | green << 8 | blue).astype('<u4').view('<f4')
    fields = [
        make('sensor_msgs/msg/PointField', name, 4 * index, FLOAT32, 1)
        for index, name in enumerate(('x', 'y', 'z', 'rgb'))
    ]
    data = np.frombuffer(packed.tobytes(), np.uint8)
    return make(
        'sensor_msgs/msg/PointCloud2', header, 1, count, fields, False, 16, 16 * count, data, True
    )
