# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the calibration of the camera comes in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo

from xstreamvggt_ros.images.camera_model import CameraModel, has_projection, is_rectified
from xstreamvggt_ros.node.interface import CAMERA_INFO_INPUT, NEWEST_DEPTH
from xstreamvggt_ros.node.listening import Listener, Wanted
from xstreamvggt_ros.node.seldom import Seldom
from xstreamvggt_ros.parameters import InputParameters

if TYPE_CHECKING:
    # OpenCV is needed only where cameras are calibrated.
    from xstreamvggt_ros.images.undistortion import Undistortion

NAME = CAMERA_INFO_INPUT.name


def camera_info_topic(node: Node, image_topic: str) -> str:
    """Give camera_info's topic: what it is remapped to, else the sibling of `image_topic`."""
    return remapped(node) or sibling(image_topic)


def remapped(node: Node) -> str:
    """Give the name that camera_info is remapped to, '' where it is not."""
    resolved = node.resolve_topic_name(NAME)
    return '' if resolved == node.resolve_topic_name(NAME, only_expand=True) else resolved


def sibling(image_topic: str) -> str:
    """Give the name that camera_info has beside `image_topic`, a resolved name."""
    return f'{image_topic.rpartition("/")[0]}/{NAME}'


class JudgedLens:
    """Judge a camera's distortion, once; the pipeline shares the tables of a good one."""

    def __init__(self) -> None:
        """Begin without."""
        self._judged: tuple[CameraModel, int, int] | None = None
        self._tables: Undistortion | None = None
        self._fault = ''

    def check(self, camera: CameraModel, height: int, width: int) -> None:
        """Raise ValueError where images of that size cannot be undistorted."""
        if (camera, height, width) != self._judged:
            self._judge(camera, height, width)
        if self._fault:
            raise ValueError(self._fault)

    def _judge(self, camera: CameraModel, height: int, width: int) -> None:
        from xstreamvggt_ros.images.undistortion import Undistortion

        self._judged, self._tables, self._fault = (camera, height, width), None, ''
        try:
            self._tables = Undistortion.of(camera, height, width)
        except ValueError as error:
            self._fault = str(error)


class CameraInfoInput:
    """
    Subscribe to a camera_info and keep the newest.

    Nothing is waited for: images that come before the first camera_info are reconstructed with
    the predicted intrinsics. `parameters` gives the configuration as it is now; `image_topic` is
    the resolved name of the images, without their transport.
    """

    def __init__(
        self,
        node: Node,
        parameters: Callable[[], InputParameters],
        topic: str,
        image_topic: str,
    ) -> None:
        """Begin to listen."""
        self._node = node
        self._parameters = parameters
        self._called_rectified = is_rectified(image_topic)
        self._newest: CameraInfo | None = None
        self._told: str | None = None
        self._seldom = Seldom()
        self._problem = ''
        self._lens = JudgedLens()
        self._topic = topic
        # One that is published only once is as good.
        wanted = Wanted(CameraInfo, topic, 'calibration', latched=True)
        self._listener = Listener(node, wanted, self._receive, lambda: NEWEST_DEPTH)

    @property
    def problem(self) -> str:
        """Why the calibration of the newest image could not be used, '' where it could."""
        return self._problem

    def camera(self, height: int, width: int) -> CameraModel | None:
        """
        Give the camera that took an image of that size, None where predictions have to do.

        A calibration that cannot be used is a warning with the fix, at most every few seconds. A
        change of which intrinsics are used is said once.
        """
        message, self._problem = self._newest, ''
        if message is None or not self._parameters().use_camera_info:
            self._tell(self._why_predicted())
            return None
        rectified = self._rectified()
        try:
            camera = CameraModel.of_message(message, rectified)
            camera.check_image(height, width)
            self._lens.check(camera, height, width)
        except ValueError as error:
            self._problem = f'{self._topic}: {error}'
            self._warn(f'{self._problem}; until then the predicted intrinsics are used')
            return None
        self._tell(self._which(message, rectified))
        return camera

    def destroy(self) -> None:
        """Cease to listen."""
        self._listener.destroy()

    def _receive(self, message: CameraInfo) -> None:
        self._newest = message

    def _rectified(self) -> bool:
        said = self._parameters().rectified
        return self._called_rectified if said == 'auto' else said == 'always'

    def _which(self, message: CameraInfo, rectified: bool) -> str:
        if not rectified:
            return f'intrinsics and distortion are those of {self._topic}'
        matrix = 'P' if has_projection(message) else 'K'
        return (
            f'the intrinsics {matrix} of {self._topic}, for rectified images, are used without '
            'distortion (input.rectified)'
        )

    def _why_predicted(self) -> str:
        if not self._parameters().use_camera_info:
            return 'intrinsics are predicted, since input.use_camera_info is false'
        return f'intrinsics are predicted until a camera_info comes on {self._topic}'

    def _tell(self, which: str) -> None:
        if which != self._told:
            self._told = which
            self._node.get_logger().info(which)

    def _warn(self, text: str) -> None:
        if self._seldom.admits():
            self._told = None
            self._node.get_logger().warning(text)
