# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the worker does with a message: decode it, mind the stream, reconstruct."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from xstreamvggt_ros.images.camera_model import CameraModel
from xstreamvggt_ros.intake.arrivals import Arrival
from xstreamvggt_ros.intake.stamps import StampJudges, Timing
from xstreamvggt_ros.node.decoding import MessageDecoder
from xstreamvggt_ros.node.frame_times import FrameTimes
from xstreamvggt_ros.node.once import Once
from xstreamvggt_ros.node.optical_frames import OpticalFrames
from xstreamvggt_ros.node.stamped import StampedReconstruction
from xstreamvggt_ros.node.streams import StreamLog
from xstreamvggt_ros.parameters import Parameters
from xstreamvggt_ros.pipeline import (
    BegunFrame,
    CameraPicture,
    CameraSized,
    FrameError,
    Prepared,
    ReconstructionPipeline,
)


@dataclass(frozen=True, eq=False)
class PreparedImage:
    """A message that is decoded, on its way to the network."""

    arrival: Arrival
    frame: Prepared


@dataclass(frozen=True, eq=False)
class BegunImage:
    """
    An image that the network works on, and the name of its optical frame.

    source: the image itself, where results are to have its size.
    """

    arrival: Arrival
    camera_frame: str
    frame: BegunFrame
    source: CameraPicture | None


class FrameReader:
    """
    Reconstruct the messages of one camera, or of several as they follow one another in time.

    `parameters` gives the configuration as it is now; `tell` and `inform` take a line for the log,
    `tell` what is not as it should be. `stamps` judges those of what arrives, `times` those of
    what was reconstructed.
    """

    def __init__(
        self,
        pipeline: ReconstructionPipeline,
        parameters: Callable[[], Parameters],
        tell: Callable[[str], None],
        inform: Callable[[str], None],
    ) -> None:
        """Begin a new stream."""
        once = Once(tell)
        self.stamps = StampJudges()
        self.times = FrameTimes(parameters, once)
        self._pipeline = pipeline
        self._parameters = parameters
        self._streams = StreamLog(tell, inform)
        self._shapes: dict[int, tuple[int, int]] = {}
        # The network's size in a stream that was resumed, until an image has gone on with it.
        self._resumed: tuple[int, int] | None = None
        self._frames = OpticalFrames(parameters, once)
        self._decoder = MessageDecoder(parameters, tell)

    def prepare(
        self, arrival: Arrival, camera: Callable[[int, int], CameraModel | None]
    ) -> PreparedImage:
        """
        Decode a message, and do what may be done before the frames before it are; ImageError.

        `camera` gives the camera that takes images of a height and width, None if unknown.
        """
        image = self._decoder.decode(arrival.message, arrival.camera)
        model = camera(*image.shape[:2])
        return PreparedImage(arrival, self._pipeline.prepare(image, model, arrival.camera))

    def begin(self, prepared: PreparedImage) -> BegunImage:
        """Have the network begin with an image; FrameError, the network's errors."""
        arrival, header = prepared.arrival, prepared.arrival.message.header
        frame = self._frames.choose(header.frame_id, arrival.camera)
        self._mind_size(prepared.frame.image.shape[:2], arrival.camera)
        self._mind_lap(arrival.timing, arrival.camera)
        begun, source = self._pipeline.begin(prepared.frame), None
        self._mind_resumed()
        if self._parameters().output.depth_size == 'camera':
            source = CameraPicture.of(prepared.frame.image, begun)
        return BegunImage(arrival, frame, begun, source)

    def finish(self, begun: BegunImage) -> Callable[[], StampedReconstruction]:
        """Wait for the network; the reconstruction may then be fetched. FrameError as `begin`."""
        try:
            pending = self._pipeline.finish(begun.frame)
        except FrameError as error:
            if error.reason == 'not_finite':
                self._streams.expect('the one before gave a pose that is not finite')
            raise
        self._streams.note(pending)
        arrival, world = begun.arrival, self._streams.world
        timed = self.times.is_news(arrival.timing, arrival.camera)

        def fetch() -> StampedReconstruction:
            result, source = pending.result(), begun.source
            return StampedReconstruction(
                result,
                arrival.message.header.stamp,
                begun.camera_frame,
                arrival.at,
                world,
                timed,
                None if source is None else CameraSized(result, source),
            )

        return fetch

    @property
    def streams(self) -> StreamLog:
        """Which streams have begun, and why."""
        return self._streams

    def reset(self) -> None:
        """Begin a new stream."""
        self._pipeline.reset()
        self._resumed = None
        self._streams.expect('~/reset asked for it', asked=True)
        self._forget_time()

    def resume(self, state: Mapping[str, Tensor]) -> tuple[int, int]:
        """Go on with a saved stream; ValueError and the size as the pipeline has it."""
        size = self._pipeline.load_state_dict(state)
        # One that was saved before its first image goes on with any.
        self._resumed = size if all(size) else None
        self._streams.expect('~/load resumed it', asked=True)
        self._forget_time()
        return size

    def close(self) -> None:
        """Let go of what decodes."""
        self._decoder.close()

    def _forget_time(self) -> None:
        self.times.forget()
        self.stamps.forget()

    def _mind_size(self, shape: tuple[int, int], camera: int) -> None:
        """Note why a new stream begins where a camera's images have another size."""
        if camera == 0 and self._shapes and camera not in self._shapes:
            self._streams.expect('the first camera has come, whose size is that of all')
        before, self._shapes[camera] = self._shapes.get(camera), shape
        if before not in (None, shape):
            old, new = (f'{width}x{height}' for height, width in (before, shape))
            self._streams.expect(f'the images are {new} now, they were {old}')

    def _mind_resumed(self) -> None:
        """Note that a resumed stream is discarded where the first image does not fit it."""
        resumed, self._resumed, now = self._resumed, None, self._pipeline.size
        if resumed not in (None, now):
            saved, here = (f'{width}x{height}' for height, width in (resumed, now))
            self._streams.expect(
                f'the images are {here} for the network, and the stream that ~/load resumed, of '
                f'{saved}, was discarded: save and load it with images of one shape'
            )

    def _mind_lap(self, timing: Timing, camera: int) -> None:
        """Begin a new stream where a camera's time has begun again."""
        if self.times.begins_anew(timing, camera):
            back = 1e-9 * timing.back_ns
            self._streams.expect(f"the images' stamps went back by {back:.1f} s")
            self._pipeline.reset()
