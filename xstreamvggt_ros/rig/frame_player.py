# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Publish an input's images as a camera driver does, or no faster than the node answers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
import logging
import time

from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from xstreamvggt_ros.geometry.stamps import NANOSECONDS
from xstreamvggt_ros.images.camera_model import is_rectified
from xstreamvggt_ros.inputs.frames import EncodedImage, Frame, FrameSource
from xstreamvggt_ros.rig.delivery import await_delivery, await_subscriber
from xstreamvggt_ros.rig.link import Link
from xstreamvggt_ros.rig.pacing import Pacer

DISCOVERY_TIMEOUT_S = 30.0
QUEUE_DEPTH = 10

logger = logging.getLogger(__name__)


class PlayerError(RuntimeError):
    """The images cannot be delivered; the message says why and what to do."""


class Player:
    """
    Publish frames reliably, and the calibration before each image.

    `published_ns` holds, by stamp, the monotonic time at which an image was sent. `distorted`
    says whether any had a calibration with distortion that is still in the image.
    """

    def __init__(self, link: Link, source: FrameSource):
        """Create the publishers on the topics where the source's images belong."""
        self.published_ns: dict[int, int] = {}
        self.distorted = False
        self._link = link
        self._source = source
        self._rectified = is_rectified(source.topic)
        compressed = source.transport == 'compressed'
        self._topic = f'{source.topic}/compressed' if compressed else source.topic
        self._images = link.node.create_publisher(
            CompressedImage if compressed else Image, self._topic, QUEUE_DEPTH
        )
        info_topic = f'{source.topic.rpartition("/")[0]}/camera_info'
        self._infos = link.node.create_publisher(CameraInfo, info_topic, QUEUE_DEPTH)

    def play(
        self,
        pacer: Pacer,
        window: int = 0,
        max_frames: int = 0,
        rate_hz: float = 0.0,
        patience_s: float = 120.0,
    ) -> None:
        """
        Publish up to `max_frames` images (0: all), at most `rate_hz` a second (0: no limit).

        With a `window`, an image is sent only while fewer than that many are on their way, by the
        pacer, which others keep up to date; `patience_s` bounds that wait. Raises PlayerError
        where nobody listens (any more) or answers come no more.
        """
        self._await_subscriber()
        due = time.monotonic()
        for frame in islice(self._new_frames(), max_frames or None):
            self._await_window(pacer, window, patience_s)
            self._link.spin_for(due - time.monotonic())
            # What was late is not made up for in a burst.
            due = max(due, time.monotonic()) + (1.0 / rate_hz if rate_hz else 0.0)
            if not self._images.get_subscription_count():
                raise PlayerError(f'nobody listens on {self._topic} any more')
            pacer.publish(frame.stamp_ns)
            self._publish(frame)
        await_delivery([self._images])

    def _new_frames(self) -> Iterator[Frame]:
        """Give the source's frames, each stamp once: an answer would not say which it is for."""
        for frame in self._source.frames():
            if frame.stamp_ns in self.published_ns:
                logger.warning('skipped a second image with stamp %d ns', frame.stamp_ns)
            else:
                yield frame

    def _await_subscriber(self) -> None:
        if not await_subscriber(self._link, [self._images], DISCOVERY_TIMEOUT_S):
            raise PlayerError(
                f'nobody subscribed to {self._topic} within {DISCOVERY_TIMEOUT_S:g} s; '
                'is the node active, and its image topic this one?'
            )

    def _await_window(self, pacer: Pacer, window: int, patience_s: float) -> None:
        """Wait until another image may be sent."""
        if window and not self._link.spin_until(
            lambda: pacer.in_flight < window, patience_s, step_s=0.01
        ):
            raise PlayerError(
                f'{pacer.in_flight} images were neither answered nor counted as dropped on '
                f'/diagnostics for {patience_s:g} s; see the log of the node, or give it more '
                'time with --patience'
            )

    def _publish(self, frame: Frame) -> None:
        if frame.calibration is not None:
            self._infos.publish(camera_info_message(frame))
            self.distorted |= any(frame.calibration.d) and not self._rectified
        message = image_message(frame)
        self.published_ns[frame.stamp_ns] = time.monotonic_ns()
        self._images.publish(message)


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
    return _with_header(message, frame)


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
    return _with_header(message, frame)


def _with_header(message, frame: Frame):
    message.header.frame_id = frame.frame_id
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(frame.stamp_ns, NANOSECONDS)
    return message
