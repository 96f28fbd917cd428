# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""All that comes in from the cameras: their images, in order, and their calibrations."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from rclpy.node import Node

from xstreamvggt_ros.images.camera_model import CameraModel
from xstreamvggt_ros.intake.arrivals import Arrival, InStampOrder, InTurn
from xstreamvggt_ros.intake.counters import Counters
from xstreamvggt_ros.intake.stamps import Timing
from xstreamvggt_ros.intake.worker import Mailbox
from xstreamvggt_ros.memory.estimate import MIB
from xstreamvggt_ros.node.camera_info import (
    camera_info_topic,
    CameraInfoInput,
    remapped,
    sibling,
)
from xstreamvggt_ros.node.inputs import ImageInput
from xstreamvggt_ros.parameters import InputParameters


class CameraInputs:
    """
    Listen to every camera; its images wait in `mailbox`.

    One camera's are taken as they come, those of several in the order of their stamps.
    `parameters` gives the configuration as it is now, `judge` what a camera's stamp is.
    """

    def __init__(
        self,
        node: Node,
        parameters: Callable[[], InputParameters],
        counters: Counters,
        judge: Callable[[int, int], Timing],
    ) -> None:
        """Begin to listen."""
        self._logger = node.get_logger()
        self._parameters = parameters
        self._counters = counters
        topics = parameters().topics
        several = len(topics) > 1
        window = parameters().reorder_window
        self._order = InTurn()
        if several:
            self._order = InStampOrder(len(topics), window, parted=self._tell_parted)
        self.mailbox = Mailbox(self._order)
        self._follow_rule()
        if several and remapped(node):
            # One camera_info cannot be that of several cameras.
            self._logger.warning(
                f'camera_info is remapped to {remapped(node)}, which several cameras do not '
                'follow: that of each is beside its images; remap those, such as '
                f'{sibling(node.resolve_topic_name(topics[0]))}'
            )
        self._images: list[ImageInput] = []
        self._infos: list[CameraInfoInput] = []
        with ExitStack() as stack:
            for index in range(len(topics)):
                images = ImageInput(node, parameters, index, self.mailbox, counters, judge)
                stack.callback(images.destroy)
                self._images.append(images)
                images_of = images.camera_topic
                topic = sibling(images_of) if several else camera_info_topic(node, images_of)
                infos = CameraInfoInput(node, parameters, topic, images_of)
                stack.callback(infos.destroy)
                self._infos.append(infos)
            self._entities = stack.pop_all()

    @property
    def topics(self) -> str:
        """The full names of the image topics, remapped."""
        return ', '.join(images.topic for images in self._images)

    def enable(self, enabled: bool) -> None:
        """Take images, or drop them."""
        for images in self._images:
            images.enabled = enabled

    def camera(self, arrival: Arrival) -> Callable[[int, int], CameraModel | None]:
        """Give what knows the camera that took an image, by the image's height and width."""
        return self._infos[arrival.camera].camera

    @property
    def silent_for(self) -> float:
        """Seconds since the newest image of any camera."""
        return min(images.silent_for for images in self._images)

    @property
    def problems(self) -> tuple[str, ...]:
        """Say what is wrong with what comes in: silence, images not wanted, calibrations."""
        timeout = self._parameters().silence_timeout
        silent = [
            f'no images on {images.topic} for {images.silent_for:.0f} s'
            for images in self._images
            if timeout and images.silent_for > timeout
        ]
        if not self._images[0].enabled:
            silent.append('images are dropped, as ~/enable said: call it with data: true')
        return (*silent, *(infos.problem for infos in self._infos if infos.problem))

    def follow(self, old: InputParameters) -> None:
        """Follow a change of parameters from `old`."""
        new = self._parameters()
        self._follow_rule()
        if (old.queue, old.queue_size) != (new.queue, new.queue_size):
            for images in self._images:
                images.follow()

    def destroy(self) -> None:
        """Cease to listen."""
        self._entities.close()

    def _tell_parted(self, camera: int, seconds: float) -> None:
        how = 'ahead of' if seconds > 0 else 'behind'
        self._logger.warning(
            f'the stamps of {self._images[camera].topic} are {abs(seconds):.1f} s {how} those of '
            "another camera; the cameras' images are put in order all the same, by what lies "
            'between their clocks: make the clocks agree'
        )

    def _follow_rule(self) -> None:
        parameters = self._parameters()
        if isinstance(self._order, InStampOrder):
            self._order.window = parameters.reorder_window
        dropped = self.mailbox.set_rule(
            parameters.queue == 'newest', parameters.queue_size, parameters.queue_mib * MIB
        )
        for camera in dropped:
            self._counters.drop('superseded', camera)
