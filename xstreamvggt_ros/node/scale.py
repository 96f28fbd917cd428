# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many metres the network's unit is: what comes in for it, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from rclpy.impl.rcutils_logger import RcutilsLogger

from xstreamvggt_ros.messages import ns_from_time
from xstreamvggt_ros.node.decoding import DepthDecoder
from xstreamvggt_ros.node.depth import DepthInput, NoDepthError
from xstreamvggt_ros.node.robot import RobotPose
from xstreamvggt_ros.node.seldom import Seldom
from xstreamvggt_ros.node.stamped import StampedReconstruction
from xstreamvggt_ros.parameters import Parameters
from xstreamvggt_ros.pipeline import Reconstruction, ReconstructionPipeline
from xstreamvggt_ros.scale import make_scale_estimator, ScaleState


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
        self._decoder = DepthDecoder(parameters)
        self._world: int | None = None
        self._why_no_depth = ''
        self._seldom = Seldom()
        self._choose()

    @property
    def state(self) -> ScaleState:
        """What is known now."""
        state, why = self._estimator.state, self._why_no_depth
        if why and not state.settled:
            return replace(state, reason=f'{state.reason}: {why}')
        return state

    @property
    def asks_odometry(self) -> bool:
        """Whether the robot's odometry would tell what is not known yet."""
        known = self.state.source == 'odometry' and self.state.settled
        return self._parameters().output.scale_source == 'odometry' and not known

    @property
    def asks_depth(self) -> bool:
        """Whether depth images would tell what is not known yet."""
        source = self._parameters().output.scale_source
        return source == 'depth' and not (self.state.source == source and self.state.settled)

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
        """
        Take in a frame, with the depth image and the robot of its time.

        Depth that is not there yet is waited for until output.tf_timeout after the image came.
        """
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
        # Of a stamp that is no time, whatever depth is near it is another moment's.
        dated = stamped.timed or not ns_from_time(stamped.stamp)
        metric = self._metric_depth(stamped, depth) if source == 'depth' and dated else None
        self._estimator.add(stamped.reconstruction, metric, robot.odom_from_camera)
        if self.state.settled:
            self._pipeline.settle(self.state.scale, stamped.reconstruction.world)
            self._logger.info(
                f'the scale has settled on {self.state.scale:.4g} m per unit, from '
                f'{self.state.samples} samples of {source}, spread {self.state.spread:.1%}'
            )

    def close(self) -> None:
        """Let go of what decodes."""
        self._decoder.close()

    def _settings(self) -> tuple[str, float]:
        output = self._parameters().output
        return output.scale_source, output.camera_height

    def _choose(self) -> None:
        source, height = self._chosen = self._settings()
        self._estimator = make_scale_estimator(source, camera_height=height)
        self._why_no_depth = ''

    def _metric_depth(
        self, stamped: StampedReconstruction, depth: DepthInput
    ) -> np.ndarray | None:
        aligned, why = None, ''
        try:
            message = depth.take(stamped.arrived + self._parameters().output.tf_timeout)
            metres = self._decoder.decode(message, self._pipeline.source_size)
            aligned = self._pipeline.align_depth(metres)
        except NoDepthError as error:
            why = str(error)
        except ValueError as error:
            why = str(error)
            self._warn(f'{why}; the scale stays unknown until then')
        self._why_no_depth = why
        return aligned

    def _warn(self, text: str) -> None:
        if self._seldom.admits():
            self._logger.warning(text)
