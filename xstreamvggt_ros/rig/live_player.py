# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Publish a sequence as its camera did: images and calibration in its own time, under /clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
import time

import numpy as np
from sensor_msgs.msg import CameraInfo, Image

from xstreamvggt_ros.geometry.stamps import NANOSECONDS
from xstreamvggt_ros.images.camera_model import CameraModel
from xstreamvggt_ros.inputs.datasets import DamagedFrame, SequenceFrame
from xstreamvggt_ros.inputs.frames import Frame, RawImage
from xstreamvggt_ros.rig.clock import BagClock, Timeline
from xstreamvggt_ros.rig.delivery import await_delivery, await_subscriber
from xstreamvggt_ros.rig.frame_player import image_message, PlayerError
from xstreamvggt_ros.rig.link import Link
from xstreamvggt_ros.rig.pacing import Pacer

IMAGE_TOPIC = '/camera/image_raw'
INFO_TOPIC = '/camera/camera_info'
FRAME_ID = 'camera_optical_frame'
QUEUE_DEPTH = 10
CLOCK_HZ = 100.0
DISCOVERY_TIMEOUT_S = 30.0
# What an acknowledged calibration still needs from the reader's queue to the node's hands.
SETTLE_S = 0.3


class SequencePlayer:
    """
    Publish frames and keep /clock, so that the node lives in the sequence's time.

    `sent_ns` holds, by stamp, the monotonic time at which an image was sent, `damaged` by stamp
    why one was not.
    """

    def __init__(self, link: Link, frames: Sequence[SequenceFrame], lossless: bool, rate: float):
        """Create the publishers; `rate` is seconds of the sequence a second."""
        self.sent_ns: dict[int, int] = {}
        self.damaged: dict[int, str] = {}
        self._link = link
        self._frames = frames
        self._lossless = lossless
        self._rate = rate
        # Without loss the clock stands still while the node works.
        self._clock = BagClock(link, 0 if lossless else CLOCK_HZ)
        self._images = link.node.create_publisher(Image, IMAGE_TOPIC, QUEUE_DEPTH)
        self._infos = link.node.create_publisher(CameraInfo, INFO_TOPIC, QUEUE_DEPTH)

    def play(self, pacer: Pacer, patience_s: float) -> None:
        """
        Publish everything, without loss one image when the one before is answered.

        Raises PlayerError where nobody listens or answers come no more within `patience_s`.
        """
        if not await_subscriber(self._link, [self._images], DISCOVERY_TIMEOUT_S):
            raise PlayerError(
                f'nobody subscribed to {IMAGE_TOPIC} within {DISCOVERY_TIMEOUT_S:g} s'
            )
        self._introduce_camera()
        self._clock.begin(Timeline(self._frames[0].stamp_ns, self._rate))
        for frame, image in self._read():
            if self._lossless and not self._link.spin_until(
                lambda: pacer.in_flight == 0, patience_s, step_s=0.005
            ):
                raise PlayerError(f'an image was not answered for {patience_s:g} s')
            self._clock.wait_until(frame.stamp_ns)
            if frame.camera is not None:
                self._infos.publish(_camera_info(frame.camera, frame.stamp_ns))
            message = image_message(
                Frame(frame.stamp_ns, FRAME_ID, RawImage.from_array(image, 'rgb8'))
            )
            pacer.publish(frame.stamp_ns)
            self.sent_ns[frame.stamp_ns] = time.monotonic_ns()
            self._images.publish(message)
        await_delivery([self._images])

    def _introduce_camera(self) -> None:
        """Have the node know the camera before its first image, as a running camera would."""
        camera = self._frames[0].camera
        if camera is None:
            return
        await_subscriber(self._link, [self._infos], DISCOVERY_TIMEOUT_S)
        self._infos.publish(_camera_info(camera, self._frames[0].stamp_ns))
        await_delivery([self._infos])
        self._link.spin_for(SETTLE_S)

    def _read(self) -> Iterator[tuple[SequenceFrame, np.ndarray]]:
        """Decode one image ahead, so that decoding makes none late."""
        with ThreadPoolExecutor(1) as reader:
            coming = reader.submit(self._frames[0].image)
            for frame, following in zip_longest(self._frames, self._frames[1:]):
                image = coming
                if following is not None:
                    coming = reader.submit(following.image)
                try:
                    yield frame, image.result()
                except DamagedFrame as error:
                    self.damaged[frame.stamp_ns] = str(error)


def _camera_info(camera: CameraModel, stamp_ns: int) -> CameraInfo:
    message = CameraInfo(
        height=camera.height,
        width=camera.width,
        distortion_model='' if camera.distortion == 'none' else camera.distortion,
        d=camera.D,
        k=camera.K,
        binning_x=camera.binning_x,
        binning_y=camera.binning_y,
    )
    message.header.frame_id = FRAME_ID
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, NANOSECONDS)
    for name, value in camera.roi._asdict().items():
        setattr(message.roi, name, value)
    return message
