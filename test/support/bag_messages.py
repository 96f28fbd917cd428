# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages for bags that tests write, and the bags: MCAP or sqlite3, compressed or not."""

import io
from pathlib import Path

import numpy as np
from PIL import Image
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from xstreamvggt_ros.files.bags import typestore
from xstreamvggt_ros.geometry import quaternion_from_rotation

IMAGE = 'sensor_msgs/msg/Image'
COMPRESSED = 'sensor_msgs/msg/CompressedImage'
CAMERA_INFO = 'sensor_msgs/msg/CameraInfo'
POSE = 'geometry_msgs/msg/PoseStamped'
ODOMETRY = 'nav_msgs/msg/Odometry'
TF = 'tf2_msgs/msg/TFMessage'


def make(kind: str, *fields):
    """Make a message of a type."""
    return typestore().types[kind](*fields)


def header(stamp_ns: int, frame: str):
    """Make a std_msgs/Header."""
    stamp = make('builtin_interfaces/msg/Time', *divmod(stamp_ns, 10**9))
    return make('std_msgs/msg/Header', stamp, frame)


def image(stamp_ns: int, array: np.ndarray, encoding: str, frame: str = 'optical'):
    """Make an Image of an array."""
    data = np.frombuffer(array.tobytes(), np.uint8)
    height, width = array.shape[:2]
    return make(
        IMAGE, header(stamp_ns, frame), height, width, encoding, 0, len(data) // height, data
    )


def jpeg(stamp_ns: int, array: np.ndarray, frame: str = 'optical'):
    """Make a CompressedImage."""
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, 'JPEG', quality=95)
    data = np.frombuffer(buffer.getvalue(), np.uint8)
    return make(COMPRESSED, header(stamp_ns, frame), 'rgb8; jpeg compressed bgr8', data)


def camera_info(stamp_ns: int, height: int, width: int, focal: float, rectified: float = 0.0):
    """Make a CameraInfo with a little distortion; `rectified` is the focal length in P."""
    k = np.array([focal, 0, width / 2, 0, focal, height / 2, 0, 0, 1.0])
    whole = make('sensor_msgs/msg/RegionOfInterest', 0, 0, 0, 0, False)
    d = np.array([0.1, 0, 0, 0, 0])
    p = np.diag([rectified, rectified, 1.0, 0.0])[:3].ravel()
    fields = height, width, 'plumb_bob', d, k, np.eye(3).ravel(), p, 0, 0, whole
    return make(CAMERA_INFO, header(stamp_ns, 'optical'), *fields)


def _parts(matrix: np.ndarray):
    turn = make(
        'geometry_msgs/msg/Quaternion', *map(float, quaternion_from_rotation(matrix[:3, :3]))
    )
    return tuple(map(float, matrix[:3, 3])), turn


def pose(stamp_ns: int, matrix: np.ndarray):
    """Make a PoseStamped in `world`."""
    return make(POSE, header(stamp_ns, 'world'), _pose(matrix))


def _pose(matrix: np.ndarray):
    place, turn = _parts(matrix)
    return make('geometry_msgs/msg/Pose', make('geometry_msgs/msg/Point', *place), turn)


def odometry(stamp_ns: int, matrix: np.ndarray, child: str):
    """Make an Odometry of a frame in `odom`."""
    zero = make('geometry_msgs/msg/Vector3', 0.0, 0.0, 0.0)
    twist = make('geometry_msgs/msg/Twist', zero, zero)
    spread = np.zeros(36)
    return make(
        ODOMETRY,
        header(stamp_ns, 'odom'),
        child,
        make('geometry_msgs/msg/PoseWithCovariance', _pose(matrix), spread),
        make('geometry_msgs/msg/TwistWithCovariance', twist, spread),
    )


def transforms(stamp_ns: int, *edges: tuple[str, str, np.ndarray]):
    """Make a TFMessage of parent, child and parent-from-child."""
    made = []
    for parent, child, matrix in edges:
        place, turn = _parts(matrix)
        motion = make(
            'geometry_msgs/msg/Transform', make('geometry_msgs/msg/Vector3', *place), turn
        )
        stamped = make(
            'geometry_msgs/msg/TransformStamped', header(stamp_ns, parent), child, motion
        )
        made.append(stamped)
    return make(TF, made)


def write_bag(folder: Path, messages: list, storage: str = 'mcap', zstd: str = '') -> Path:
    """Write (topic, type, stamp, message or bytes); zstd: '', 'file', 'message' or 'chunk'."""
    plugin = {'mcap': StoragePlugin.MCAP, 'sqlite3': StoragePlugin.SQLITE3}[storage]
    writer = Writer(folder, version=9, storage_plugin=plugin)
    modes = {
        'file': CompressionMode.FILE,
        'message': CompressionMode.MESSAGE,
        'chunk': CompressionMode.STORAGE,
    }
    if zstd:
        writer.set_compression(modes[zstd], CompressionFormat.ZSTD)
    connections = {}
    with writer:
        for topic, kind, stamp_ns, message in messages:
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=typestore())
            raw = isinstance(message, bytes)
            cdr = message if raw else typestore().serialize_cdr(message, kind)
            writer.write(connections[topic], stamp_ns, cdr)
    return folder
