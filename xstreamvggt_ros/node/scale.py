# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many metres the network's unit is: what comes in for it, and what is made of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
import time

import numpy as np
from rclpy.impl.rcutils_logger import RcutilsLogger
from rclpy.node import Node
from sensor_msgs.msg import Image

from xstreamvggt_ros.messages import decode_depth, ns_from_time
from xstreamvggt_ros.node.frames import StampedReconstruction
from xstreamvggt_ros.node.interface import NEWEST_DEPTH
from xstreamvggt_ros.node.qos import input_qos
from xstreamvggt_ros.node.robot import RobotPose
from xstreamvggt_ros.parameters import Parameters
from xstreamvggt_ros.pipeline import Reconstruction, ReconstructionPipeline
from xstreamvggt_ros.scale import make_scale_estimator, ScaleState

# Depth images that wait for the colour image of their time, and how far apart those may be.
WAITING = 16
APART_NS = 20_000_000
WARN_PERIOD = 5.0


class DepthInput:
    """Subscribe to input.depth_topic and keep the newest images while they are `wanted`."""

    def __init__(self, node: Node, topic: str) -> None:
        """Begin to listen, unless the topic is empty."""
        self.wanted = True
        self._node = node
        self._images: deque[tuple[int, Image]] = deque(maxlen=WAITING)
        self._subscription = None
        if topic:
            qos = input_qos(node, node.resolve_topic_name(topic), True, NEWEST_DEPTH)
            self._subscription = node.create_subscription(Image, topic, self._receive, qos)

    def near(self, stamp_ns: int) -> Image | None:
        """Give the image nearest to a stamp, None where none is within 20 ms."""
        apart, _, image = min(
            ((abs(at - stamp_ns), at, image) for at, image in self._images.copy()),
            key=lambda found: found[0],
            default=(APART_NS + 1, 0, None),
        )
        return image if apart <= APART_NS else None

    def destroy(self) -> None:
        """Cease to listen."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)

    def _receive(self, message: Image) -> None:
        if self.wanted:
            self._images.append((ns_from_time(message.header.stamp), message))
        else:
            self._images.clear()


class Scale:
    """
    Estimate the scale of the stream and have the pipeline apply it once it has settled.

    A new stream is estimated anew, and so is everything when its source is changed. For the
    worker alone, but for `state` and `asks_odometry`, which anybody may read.
    """

    def __init__(
        self,
        parameters: Callable[[], Parameters],
        pipeline: ReconstructionPipeline,
        logger: RcutilsLogger,
    ) -> None:
        """Begin without an estimate."""
        self._parameters = parameters
        self._pipeline = pipeline
        self._logger = logger
        self._world: int | None = None
        self._silent_until = 0.0
        self._choose()

    @property
    def state(self) -> ScaleState:
        """What is known now."""
        return self._estimator.state

    @property
    def asks_odometry(self) -> bool:
        """Whether the robot's odometry would tell what is not known yet."""
        known = self.state.source == 'odometry' and self.state.settled
        return self._parameters().output.scale_source == 'odometry' and not known

    def holds_for(self, reconstruction: Reconstruction) -> bool:
        """Whether a frame, not yet followed, is in metres as far as anybody knows."""
        output, state = self._parameters().output, self.state
        source = output.scale_source
        if source == 'parameter':
            # The first frame after another source still has that one's scale.
            return reconstruction.scale == output.scale
        known = state.settled and state.source == source and reconstruction.world == self._world
        return known and reconstruction.scale == state.scale

    def follow(self, stamped: StampedReconstruction, depth: DepthInput, robot: RobotPose) -> None:
        """Take in a frame, with the depth image and the robot of its time."""
        if self._settings() != self._chosen:
            self._choose()
            self._pipeline.metres_per_unit = 1.0
        elif stamped.reconstruction.world != self._world:
            self._estimator.reset()
        self._world = stamped.reconstruction.world
        source = self.state.source
        depth.wanted = source == 'depth' and not self.state.settled
        # What there is to compare with is the first camera's.
        if stamped.reconstruction.camera_index:
            return
        # A frame that is scaled already, by a setting just changed, says nothing.
        if source == 'parameter' or self.state.settled or stamped.reconstruction.scale != 1:
            return
        metric = self._metric_depth(stamped, depth) if source == 'depth' else None
        self._estimator.add(stamped.reconstruction, metric, robot.odom_from_camera)
        if self.state.settled:
            self._pipeline.metres_per_unit = self.state.scale
            self._logger.info(
                f'the scale has settled on {self.state.scale:.4g} m per unit, from '
                f'{self.state.samples} samples of {source}, spread {self.state.spread:.1%}'
            )

    def _settings(self) -> tuple[str, float]:
        output = self._parameters().output
        return output.scale_source, output.camera_height

    def _choose(self) -> None:
        source, height = self._chosen = self._settings()
        self._estimator = make_scale_estimator(source, camera_height=height)

    def _metric_depth(
        self, stamped: StampedReconstruction, depth: DepthInput
    ) -> np.ndarray | None:
        message = depth.near(ns_from_time(stamped.stamp))
        if message is None:
            return None
        try:
            metres = decode_depth(message, self._parameters().input.max_pixels)
            return self._pipeline.align_depth(metres)
        except ValueError as error:
            now = time.monotonic()
            if now >= self._silent_until:
                self._silent_until = now + WARN_PERIOD
                self._logger.warning(f'{error}; the scale stays unknown until then')
            return None
