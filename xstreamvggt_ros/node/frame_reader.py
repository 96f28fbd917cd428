# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the worker does with a message: decode it, mind the stream, reconstruct."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from builtin_interfaces.msg import Time
import numpy as np
from sensor_msgs.msg import CompressedImage, Image
from torch import Tensor

from xstreamvggt_ros.geometry.frame_names import frame_name
from xstreamvggt_ros.images.camera_model import CameraModel
from xstreamvggt_ros.images.decoding import decode_image
from xstreamvggt_ros.images.decoding_compressed import decode_compressed
from xstreamvggt_ros.images.errors import ImageError
from xstreamvggt_ros.images.value_range import ValueRange
from xstreamvggt_ros.intake.arrivals import Arrival
from xstreamvggt_ros.intake.bounded import BoundedWork, TookTooLong
from xstreamvggt_ros.intake.stamps import LOOP_BACK, ODD, StampJudges, Timing, ZERO
from xstreamvggt_ros.node.streams import StreamLog
from xstreamvggt_ros.parameters import Parameters
from xstreamvggt_ros.pipeline import (
    BegunFrame,
    CameraPicture,
    CameraSized,
    FrameError,
    Prepared,
    Reconstruction,
    ReconstructionPipeline,
)

# What is counted of stamps that are no news.
REPEATED, BACKWARDS = 'duplicate_stamp', 'backward_stamp'
STAMPS_TOLD = {
    ZERO: 'the header.stamp of {} is 0, which is no time: their points and depth are published, '
    'but no TF, no odometry and no path; have the camera driver set header.stamp',
    ODD: 'a header.stamp of {} leaps by more than a second and is not taken for time unless the '
    'next one agrees: let the camera have one clock, and see whether two nodes publish there',
    REPEATED: '{} come several times with the same header.stamp; TF, odometry and path have each '
    'once: see whether two nodes publish there, or the driver repeats images',
    BACKWARDS: '{} come out of the order of their header.stamp; TF, odometry and path leave out '
    'those that are late',
}
# Seconds that a compressed image may take to decode; the largest ones take half of one.
DECODE_SECONDS = 5.0
# Child frame of images whose header names none.
DEFAULT_CAMERA_FRAME = 'camera_optical_frame'


@dataclass(frozen=True, eq=False)
class StampedReconstruction:
    """
    A reconstruction with its image's own stamp and the name of its optical frame.

    arrived: when the image came, by time.monotonic(). stream: number of the one that it belongs
    to, from 1 on. timed: whether its stamp is a time, later than all that came before; what is
    said of one time only is not said of others. camera_sized: what is shown of it at the size of
    the camera's picture, where that was asked for.
    """

    reconstruction: Reconstruction
    stamp: Time
    camera_frame: str
    arrived: float
    stream: int
    timed: bool = True
    camera_sized: CameraSized | None = None

    @property
    def shown(self) -> Reconstruction | CameraSized:
        """Picture, depth, confidence and intrinsics at the size that they are published at."""
        return self.camera_sized or self.reconstruction


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
    `tell` what is not as it should be. `stamps` judges those of what arrives; `remark`, to be
    replaced, counts what is odd about the others.
    """

    def __init__(
        self,
        pipeline: ReconstructionPipeline,
        parameters: Callable[[], Parameters],
        tell: Callable[[str], None],
        inform: Callable[[str], None],
    ) -> None:
        """Begin a new stream."""
        self.remark: Callable[[str], None] = lambda word: None
        self.stamps = StampJudges()
        self._pipeline = pipeline
        self._parameters = parameters
        self._tell = tell
        self._streams = StreamLog(tell, inform)
        self._shapes: dict[int, tuple[int, int]] = {}
        self._last_stamps: dict[int, int] = {}
        self._laps: dict[int, int] = {}
        # The cameras whose next lap is that which another has begun.
        self._follows: set[int] = set()
        self._frames: dict[int, str] = {}
        self._told: set[tuple[str, int]] = set()
        self._decoding = BoundedWork(DECODE_SECONDS)
        self._value_ranges = defaultdict(lambda: ValueRange(tell))

    def prepare(
        self, arrival: Arrival, camera: Callable[[int, int], CameraModel | None]
    ) -> PreparedImage:
        """
        Decode a message, and do what may be done before the frames before it are; ImageError.

        `camera` gives the camera that takes images of a height and width, None if unknown.
        """
        message = arrival.message
        image = self._decode(message)
        if image.dtype == np.float32 and not getattr(message, 'encoding', '').startswith('32F'):
            image = self._value_ranges[arrival.camera].apply(
                image, self._parameters().input.value_range
            )
        model = camera(*image.shape[:2])
        return PreparedImage(arrival, self._pipeline.prepare(image, model, arrival.camera))

    def _decode(self, message: Image | CompressedImage) -> np.ndarray:
        """Decode within a bound what says itself how long it takes: a hostile stream, for ever."""
        max_pixels = self._parameters().input.max_pixels
        if not isinstance(message, CompressedImage):
            return decode_image(message, max_pixels)
        try:
            return self._decoding.do(lambda: decode_compressed(message, max_pixels))
        except TookTooLong as error:
            raise ImageError(
                'decode_time',
                f'a compressed image of {len(message.data)} bytes, format {message.format!r}, is '
                f'not waited for any longer: {error}; publish baseline JPEG, or smaller images',
            ) from error

    def begin(self, prepared: PreparedImage) -> BegunImage:
        """Have the network begin with an image; FrameError, the network's errors."""
        arrival, header = prepared.arrival, prepared.arrival.message.header
        frame = self._camera_frame(header.frame_id, arrival.camera, self._parameters())
        self._mind_size(prepared.frame.image.shape[:2], arrival.camera)
        self._mind_lap(arrival.timing, arrival.camera)
        begun, source = self._pipeline.begin(prepared.frame), None
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
        timed = self._is_time(arrival.timing, arrival.camera)

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
        self._streams.expect('~/reset asked for it', asked=True)
        self._forget_time()

    def resume(self, state: Mapping[str, Tensor]) -> tuple[int, int]:
        """Go on with a saved stream; ValueError and the size as the pipeline has it."""
        size = self._pipeline.load_state_dict(state)
        self._streams.expect('~/load resumed it', asked=True)
        self._forget_time()
        return size

    def close(self) -> None:
        """Let go of what decodes."""
        self._decoding.close()

    def _forget_time(self) -> None:
        self._last_stamps.clear()
        self.stamps.forget()

    def _mind_size(self, shape: tuple[int, int], camera: int) -> None:
        """Note why a new stream begins where a camera's images have another size."""
        if camera == 0 and self._shapes and camera not in self._shapes:
            self._streams.expect('the first camera has come, whose size is that of all')
        before, self._shapes[camera] = self._shapes.get(camera), shape
        if before not in (None, shape):
            old, new = (f'{width}x{height}' for height, width in (before, shape))
            self._streams.expect(f'the images are {new} now, they were {old}')

    def _mind_lap(self, timing: Timing, camera: int) -> None:
        """Begin a new stream where a camera's time has begun again, unless it follows others'."""
        before, self._laps[camera] = self._laps.get(camera), timing.lap
        if before not in (None, timing.lap) and camera not in self._follows:
            back = 1e-9 * timing.back_ns
            self._streams.expect(f"the images' stamps went back by {back:.1f} s")
            self._pipeline.reset()
            self._last_stamps.clear()
            # They go back with it, or have a clock of their own.
            self._follows = self._laps.keys() - {camera}
        elif before == timing.lap and timing.wrong:
            # Perhaps the first of another lap.
            return
        self._follows.discard(camera)

    def _is_time(self, timing: Timing, camera: int) -> bool:
        """Whether an image is later than all before it; what is odd about that is told once."""
        last = self._last_stamps.get(camera)
        wrong = timing.wrong
        # One that is much earlier takes back a leap ahead.
        if not wrong and last is not None and last - LOOP_BACK <= timing.time_ns <= last:
            wrong = REPEATED if timing.time_ns == last else BACKWARDS
            self.remark(wrong)
        if not wrong:
            self._last_stamps[camera] = timing.time_ns
        elif wrong in STAMPS_TOLD:
            self._tell_once((wrong, camera), STAMPS_TOLD[wrong].format(self._images_of(camera)))
        return not wrong

    def _images_of(self, camera: int) -> str:
        names = self._parameters().input.names
        return f"{names[camera]}'s images" if len(names) > 1 else 'the images'

    def _camera_frame(self, named: str, camera: int, parameters: Parameters) -> str:
        """Choose the optical frame's name; no name of its own and the map's are bad ones."""
        output, names = parameters.output, parameters.input.names
        try:
            frame = output.camera_frame or frame_name(named)
        except ValueError as error:
            raise FrameError(
                'frame_id', f"the images' header.frame_id: {error}, or set output.camera_frame"
            ) from error
        if frame not in (output.camera_frame, named):
            self._tell_once(
                ('slash', camera),
                f"the images' header.frame_id is {named!r}; tf2 refuses the slash in front, and "
                f'{frame!r} is used: have the camera driver leave it out',
            )
        if frame == output.map_frame:
            raise FrameError(
                'frame_id',
                f"the images' header.frame_id is {named!r}, which is output.map_frame; "
                'set output.camera_frame or another output.map_frame',
            )
        if not frame:
            frame = f'{names[camera]}_optical_frame' if len(names) > 1 else DEFAULT_CAMERA_FRAME
            self._tell_once(
                ('default', camera),
                f"the images' header.frame_id is empty; {frame!r} is used: set "
                "output.camera_frame, or the camera driver's frame",
            )
        before, self._frames[camera] = self._frames.get(camera), frame
        if before not in (None, frame):
            self._tell_once(
                ('frame', camera),
                f'the header.frame_id of {self._images_of(camera)} changes, from {before!r} to '
                f'{frame!r}: see whether two nodes publish there, or set output.camera_frame',
            )
        sharing = sorted(each for each, other in self._frames.items() if other == frame)
        if len(sharing) > 1:
            self._tell_once(
                ('shared', sharing[0]),
                f'the cameras {", ".join(names[each] for each in sharing)} share the frame '
                f'{frame!r}, which cannot be in two places; give each camera driver its own',
            )
        return frame

    def _tell_once(self, what: tuple[str, int], text: str) -> None:
        if what not in self._told:
            self._told.add(what)
            self._tell(text)
