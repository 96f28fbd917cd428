# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images and calibration as a camera driver publishes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
import logging

from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from xstreamvggt_ros.images.camera_model import is_rectified
from xstreamvggt_ros.rig.delivery import await_delivery, await_subscriber
from xstreamvggt_ros.rig.link import Link
from xstreamvggt_ros.rig.pacing import Pacer
from xstreamvggt_ros.rig.player import Cue, Player, PlayerError, PlayTiming

DISCOVERY_TIMEOUT_S = 30.0
# A node that reads calibrations subscribes to them as it does to the images.
INFO_TIMEOUT_S = 1.0
# What an acknowledged calibration still needs from the reader's queue to the node's hands.
SETTLE_S = 0.3
QUEUE_DEPTH = 10

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Shot:
    """What a camera publishes of one image: its message, and the calibration where known."""

    stamp_ns: int
    image: Image | CompressedImage
    info: CameraInfo | None = None


class CameraPlayer:
    """
    Publish shots reliably on an image topic and the camera_info beside it.

    `sent_ns` holds, by stamp, the monotonic time at which an image was sent. `distorted` says
    whether any had a calibration with distortion that is still in the image.
    """

    def __init__(self, link: Link, topic: str, transport: str = 'raw'):
        """Create the publishers; `transport` 'compressed' adds that to the image's topic."""
        self.sent_ns: dict[int, int] = {}
        self.distorted = False
        self._link = link
        self._rectified = is_rectified(topic)
        compressed = transport == 'compressed'
        self._topic = f'{topic}/compressed' if compressed else topic
        self._info_topic = f'{topic.rpartition("/")[0]}/camera_info'
        create = link.node.create_publisher
        self._images = create(CompressedImage if compressed else Image, self._topic, QUEUE_DEPTH)
        self._infos = create(CameraInfo, self._info_topic, QUEUE_DEPTH)

    def play(
        self,
        shots: Iterable[Shot],
        timing: PlayTiming,
        pacer: Pacer,
        window: int = 0,
        patience_s: float = 120.0,
    ) -> None:
        """
        Publish all shots in order, as `Player` does.

        Who reads calibrations has the first one before the first image, as from a running camera.
        Raises PlayerError where nobody listens (any more) or answers come no more.
        """
        if not await_subscriber(self._link, [self._images], DISCOVERY_TIMEOUT_S):
            raise PlayerError(
                f'nobody subscribed to {self._topic} within {DISCOVERY_TIMEOUT_S:g} s; '
                'is the node active, and its image topic this one?'
            )
        publishers = {self._topic: self._images, self._info_topic: self._infos}
        player = Player(self._link, publishers, timing, pacer, window, patience_s)
        self.sent_ns = player.sent_ns
        player.play(lambda: map(self._cue, self._introduced(shots)))

    def _introduced(self, shots: Iterable[Shot]) -> Iterator[Shot]:
        """Give each stamp once: an answer would not say which it is for."""
        shots = iter(shots)
        for first in shots:
            self._introduce(first.info)
            shots = chain([first], shots)
            break
        for shot in shots:
            if shot.stamp_ns in self.sent_ns:
                logger.warning('skipped a second image with stamp %d ns', shot.stamp_ns)
            else:
                yield shot

    def _introduce(self, info: CameraInfo | None) -> None:
        """Have the node know the camera before its first image."""
        if info is not None and await_subscriber(self._link, [self._infos], INFO_TIMEOUT_S):
            self._infos.publish(info)
            await_delivery([self._infos])
            self._link.spin_for(SETTLE_S)

    def _cue(self, shot: Shot) -> Cue:
        messages = [(self._topic, shot.image)]
        if shot.info is not None:
            self.distorted |= any(shot.info.d) and not self._rectified
            messages.insert(0, (self._info_topic, shot.info))
        return Cue(shot.stamp_ns, tuple(messages), shot.stamp_ns)
