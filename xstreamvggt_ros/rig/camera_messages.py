# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An input's frames as the messages of a camera."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
import logging

from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from xstreamvggt_ros.geometry.stamps import NANOSECONDS
from xstreamvggt_ros.inputs import DamagedFrame, EncodedImage, SequenceFrame
from xstreamvggt_ros.rig.camera_player import Shot

logger = logging.getLogger(__name__)


def shots(
    frames: Iterable[SequenceFrame], damaged: dict[int, str] | None = None
) -> Iterator[Shot]:
    """
    Make shots of an input's frames, their data as it is.

    One image is read ahead, so that reading makes none late. What cannot be read is passed over,
    logged and noted in `damaged` by its stamp.
    """
    damaged = {} if damaged is None else damaged
    with ThreadPoolExecutor(1) as reader:
        before = None
        for frame in chain(frames, [None]):
            coming = frame and (frame, reader.submit(_shot, frame))
            if before is not None:
                yield from _read(*before, damaged)
            before = coming


def _read(frame: SequenceFrame, shot: Future[Shot], damaged: dict[int, str]) -> Iterator[Shot]:
    try:
        yield shot.result()
    except DamagedFrame as error:
        damaged[frame.stamp_ns] = str(error)
        logger.warning('not sent: %s', error)


def _shot(frame: SequenceFrame) -> Shot:
    info = None if frame.calibration is None else camera_info_message(frame)
    return Shot(frame.stamp_ns, image_message(frame), info)


def image_message(frame: SequenceFrame) -> Image | CompressedImage:
    """Build the message of a frame's image, its data as it is; DamagedFrame."""
    image = frame.payload()
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


def camera_info_message(frame: SequenceFrame) -> CameraInfo:
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
        binning_x=calibration.binning_x,
        binning_y=calibration.binning_y,
    )
    for name, value in calibration.roi._asdict().items():
        setattr(message.roi, name, value)
    return _with_header(message, frame.frame_id, frame.stamp_ns)


def _with_header(message, frame_id: str, stamp_ns: int):
    message.header.frame_id = frame_id
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, NANOSECONDS)
    return message
