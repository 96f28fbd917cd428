# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An input's frames as the messages of a camera."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from xstreamvggt_ros.geometry.stamps import NANOSECONDS
from xstreamvggt_ros.images.camera_model import CameraModel
from xstreamvggt_ros.inputs.frames import EncodedImage, Frame
from xstreamvggt_ros.rig.camera_player import Shot


def shots(frames: Iterable[Frame]) -> Iterator[Shot]:
    """Make shots of an input's frames, their data as it is."""
    for frame in frames:
        info = None if frame.calibration is None else camera_info_message(frame)
        yield Shot(frame.stamp_ns, image_message(frame), info)


def image_message(frame: Frame) -> Image | CompressedImage:
    """Build the message of a frame's image, its data as it is."""
    image = frame.image
    if isinstance(image, EncodedImage):
        message = CompressedImage(format=image.format)
    else:
        message = Image(
            height=image.height,
            width=image.width,
            encoding=image.encoding,
            is_bigendian=image.is_bigendian,
            step=image.step,
        )
    # rclpy takes bytes as they are; a numpy array it would convert number by number.
    message.data = image.data
    return _with_header(message, frame.frame_id, frame.stamp_ns)


def camera_info_message(frame: Frame) -> CameraInfo:
    """Build the message of a frame's calibration, with the image's stamp."""
    calibration = frame.calibration
    message = CameraInfo(
        height=calibration.height,
        width=calibration.width,
        distortion_model=calibration.distortion_model,
        d=calibration.d,
        k=calibration.k,
        r=calibration.r,
        p=calibration.p,
    )
    return _with_header(message, frame.frame_id, frame.stamp_ns)


def camera_model_message(camera: CameraModel, frame_id: str, stamp_ns: int) -> CameraInfo:
    """Build the message that a camera model is read from."""
    message = CameraInfo(
        height=camera.height,
        width=camera.width,
        distortion_model='' if camera.distortion == 'none' else camera.distortion,
        d=camera.D,
        k=camera.K,
        binning_x=camera.binning_x,
        binning_y=camera.binning_y,
    )
    for name, value in camera.roi._asdict().items():
        setattr(message.roi, name, value)
    return _with_header(message, frame_id, stamp_ns)


def _with_header(message, frame_id: str, stamp_ns: int):
    message.header.frame_id = frame_id
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, NANOSECONDS)
    return message
