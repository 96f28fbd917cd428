# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the worker does with each frame, step by step."""

from __future__ import annotations

from collections.abc import Callable

from xstreamvggt_ros.intake.arrivals import Arrival
from xstreamvggt_ros.messages import ns_from_time
from xstreamvggt_ros.node.cameras import CameraInputs
from xstreamvggt_ros.node.depth import DepthInput
from xstreamvggt_ros.node.frame_reader import BegunImage, FrameReader, PreparedImage
from xstreamvggt_ros.node.scale import Scale
from xstreamvggt_ros.node.stamped import StampedReconstruction
from xstreamvggt_ros.pipeline import ReconstructionPipeline

# Share of an image that is worth a word where it is cut off.
MUCH_CUT = 0.1


class FrameStages:
    """
    Take frames from a message to what is published; see `intake.worker.Stages`.

    `publish` sends a frame, `inform` takes a line for the log.
    """

    def __init__(
        self,
        reader: FrameReader,
        pipeline: ReconstructionPipeline,
        cameras: CameraInputs,
        depth: DepthInput,
        scale: Scale,
        publish: Callable[[StampedReconstruction], None],
        inform: Callable[[str], None],
    ) -> None:
        """Begin."""
        self._reader = reader
        self._pipeline = pipeline
        self._cameras = cameras
        self._depth = depth
        self._scale = scale
        self._publish = publish
        self._inform = inform
        self._cut: dict[int, float] = {}

    @property
    def overlaps(self) -> bool:
        """Whether the network works by itself, and no frame waits for depth of its own time."""
        return self._pipeline.overlaps and not self._scale.asks_depth

    def prepare(self, arrival: Arrival) -> PreparedImage:
        """Decode the message."""
        return self._reader.prepare(arrival, self._cameras.camera(arrival))

    def begin(self, prepared: PreparedImage) -> BegunImage:
        """Have the network begin."""
        arrival = prepared.arrival
        if not arrival.camera:
            # The image's own, and not the one before that puts in order what has no time.
            self._depth.claim(ns_from_time(arrival.message.header.stamp))
        begun = self._reader.begin(prepared)
        self._mind_cut(arrival.camera, self._pipeline.cut)
        return begun

    def finish(self, begun: BegunImage) -> Callable[[], StampedReconstruction]:
        """Wait for the network."""
        return self._reader.finish(begun)

    def publish(self, fetch: Callable[[], StampedReconstruction]) -> None:
        """Fetch what came of it, and send it."""
        self._publish(fetch())

    def _mind_cut(self, camera: int, cut: float) -> None:
        """Say once of each camera's size that much of the image is not seen."""
        if cut > MUCH_CUT and self._cut.get(camera) != cut:
            self._inform(
                f'{100 * cut:.0f} % of each image is cut off: the network sees its middle, no '
                'taller than wide, and where cameras differ the shape of the first one'
            )
        self._cut[camera] = cut
