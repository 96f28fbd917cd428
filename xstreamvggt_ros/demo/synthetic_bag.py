# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A rendered RGB-D sequence as a rosbag, with the truth that came with it."""

from __future__ import annotations

from pathlib import Path

from xstreamvggt_ros.files.bag_messages import (
    make_header,
    make_image,
    make_pinhole_info,
    make_pose,
)
from xstreamvggt_ros.files.bags import BagWriter
from xstreamvggt_ros.geometry import invert_rigid
from xstreamvggt_ros.inputs import FRAME_ID, stamp_at, TOPIC
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
            of_camera, of_world = (make_header(stamp_ns, name) for name in (FRAME_ID, WORLD_FRAME))
            for topic, message in (
                (INFO_TOPIC, make_pinhole_info(of_camera, image.shape[:2], intrinsics)),
                (TOPIC, make_image(of_camera, image, 'rgb8')),
                (DEPTH_TOPIC, make_image(of_camera, depth.astype('<f4'), '32FC1')),
                (TRUE_POSE_TOPIC, make_pose(of_world, invert_rigid(camera_from_world))),
            ):
                bag.write_message(topic, message, stamp_ns)
