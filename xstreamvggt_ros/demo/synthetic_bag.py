# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A rendered RGB-D sequence as a rosbag, with the truth that came with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from xstreamvggt_ros.files.bags import BagWriter, typestore
from xstreamvggt_ros.geometry import invert_rigid, quaternion_from_rotation
from xstreamvggt_ros.geometry.stamps import NANOSECONDS
from xstreamvggt_ros.images.camera_model import CameraModel
from xstreamvggt_ros.inputs import Calibration, FRAME_ID, stamp_at, TOPIC
from xstreamvggt_ros.inputs.bag_topics import CAMERA_INFO, IMAGE
from xstreamvggt_ros.inputs.bag_truth import POSE, TRUE_POSE_TOPIC
from xstreamvggt_ros.synthetic import render_sequence, SequenceConfig, SyntheticSequence

# Registered to the images, hence with the images' calibration.
DEPTH_TOPIC = '/camera/depth/image_raw'
INFO_TOPIC = '/camera/camera_info'
WORLD_FRAME = 'world'
# A room with things near and far, which a camera flies through.
SCENE = {'seed': 2, 'scene': 'room', 'motion': 'drone', 'height': 240, 'width': 320}


def render_bag(path: Path, frames: int, rate_hz: float) -> None:
    """Render the demo's room and write it as a bag, the same one every time."""
    write_sequence_bag(path, render_sequence(SequenceConfig(frames=frames, **SCENE)), rate_hz)


def write_sequence_bag(path: Path, sequence: SyntheticSequence, rate_hz: float) -> None:
    """
    Write images (rgb8), camera_info, depth (32FC1, metres) and true poses (world from optical).

    Stamps are `rate_hz` apart and have odd nanoseconds; one frame's messages share one.
    """
    with BagWriter(path) as bag:
        for topic, kind in (
            (TOPIC, IMAGE),
            (INFO_TOPIC, CAMERA_INFO),
            (DEPTH_TOPIC, IMAGE),
            (TRUE_POSE_TOPIC, POSE),
        ):
            bag.add_topic(topic, kind)
        for index in range(len(sequence.images)):
            stamp_ns = stamp_at(index, rate_hz)
            intrinsics = sequence.intrinsics[index].double().cpu().numpy()
            camera_from_world = sequence.camera_from_world[index].double().cpu().numpy()
            image, depth = (
                sequence.images[index].cpu().numpy(),
                sequence.depth[index].cpu().numpy(),
            )
            height, width = image.shape[:2]
            camera = CameraModel(width, height, tuple(intrinsics.ravel()), (0.0,) * 5, 'plumb_bob')
            calibration = Calibration.of_camera(camera)
            for topic, message in (
                (INFO_TOPIC, _camera_info(stamp_ns, calibration)),
                (TOPIC, _image(stamp_ns, image, 'rgb8')),
                (DEPTH_TOPIC, _image(stamp_ns, depth.astype('<f4'), '32FC1')),
                (TRUE_POSE_TOPIC, _pose(stamp_ns, invert_rigid(camera_from_world))),
            ):
                bag.write_message(topic, message, stamp_ns)


def _make(kind: str, *fields):
    return typestore().types[kind](*fields)


def _header(stamp_ns: int, frame_id: str):
    stamp = _make('builtin_interfaces/msg/Time', *divmod(stamp_ns, NANOSECONDS))
    return _make('std_msgs/msg/Header', stamp, frame_id)


def _image(stamp_ns: int, array: np.ndarray, encoding: str):
    height, width = array.shape[:2]
    data = np.frombuffer(array.tobytes(), np.uint8)
    header = _header(stamp_ns, FRAME_ID)
    return _make(IMAGE, header, height, width, encoding, 0, len(data) // height, data)


def _camera_info(stamp_ns: int, calibration: Calibration):
    d, k, r, p = (np.array(getattr(calibration, name)) for name in 'dkrp')
    whole = _make('sensor_msgs/msg/RegionOfInterest', 0, 0, 0, 0, False)
    return _make(
        CAMERA_INFO,
        _header(stamp_ns, FRAME_ID),
        calibration.height,
        calibration.width,
        calibration.distortion_model,
        d,
        k,
        r,
        p,
        0,
        0,
        whole,
    )


def _pose(stamp_ns: int, world_from_camera: np.ndarray):
    position = _make('geometry_msgs/msg/Point', *map(float, world_from_camera[:3, 3]))
    turn = _make(
        'geometry_msgs/msg/Quaternion',
        *map(float, quaternion_from_rotation(world_from_camera[:3, :3])),
    )
    pose = _make('geometry_msgs/msg/Pose', position, turn)
    return _make(POSE, _header(stamp_ns, WORLD_FRAME), pose)
