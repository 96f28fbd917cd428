# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From an image to a reconstruction in the map frame; knows nothing of ROS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
import math

import numpy as np
import torch
from torch import Tensor

from xstreamvggt_ros.cache import CacheStats
from xstreamvggt_ros.guard import GuardedReconstructor, GuardReport, ImageFigures, Watch
from xstreamvggt_ros.images.camera_model import CameraModel
from xstreamvggt_ros.images.preprocessing import Preprocessing
from xstreamvggt_ros.pipeline.camera import Camera
from xstreamvggt_ros.pipeline.phases import BegunFrame, Prepared
from xstreamvggt_ros.pipeline.pipeline_config import PipelineConfig
from xstreamvggt_ros.pipeline.reconstruction import assemble, Pending, Reconstruction, View
from xstreamvggt_ros.pipeline.transfer import Transfer
from xstreamvggt_ros.stream import Frame, FrameReconstructor
from xstreamvggt_ros.stream.snapshots import saved_size


class FrameError(ValueError):
    """A frame that gave nothing usable; `reason` is the word it is counted under."""

    def __init__(self, reason: str, message: str) -> None:
        """Take the word to count it under and the sentence for a user."""
        super().__init__(message)
        self.reason = reason


class ReconstructionPipeline:
    """
    Reconstruct the images of one camera, or of several in one stream, one at a time.

    A change of a camera's image size begins a new stream, whose first frame is a new world. All
    images are brought to the size that the network gives camera 0 or, until that has come, the
    first. `config` may be replaced between frames; a new scale or new axes hold from the next on.
    `metres_per_unit`, 1 until somebody knows better, multiplies its scale for the present stream.
    """

    def __init__(
        self,
        network: FrameReconstructor,
        config: PipelineConfig,
        abandoned: Callable[[FrameReconstructor], None] | None = None,
        device: torch.device | None = None,
    ) -> None:
        """
        Take the network, of which this becomes the only user, and the configuration.

        A guard stands between the two; `abandoned` is called with the network before a failed
        stream is dropped, and must not raise. With the network's `device`, images are
        prepared and results made there; without, by the host.
        """
        self.config = config
        self.metres_per_unit = 1.0
        self._guard = GuardedReconstructor(network, Watch(), config.on_failure, abandoned)
        self._ahead = None if device is None else Transfer(device)
        self._transfer = self._ahead or Transfer(torch.device('cpu'))
        self._cameras: dict[int, Camera] = {}
        # Of the one whose image was the last.
        self._camera: Camera | None = None
        # What the network has in the present stream, height and width.
        self._size: tuple[int, int] | None = None
        self._index = 0
        self._world = 0
        self._guard_place = self._guard.place

    def warm_up(self, aspect: float = 4 / 3) -> None:
        """
        Run one frame of an image of that aspect, so that the first real one is not slow.

        A new stream begins. Raises what the network does, BudgetTooSmall among it, and FrameError
        (`not_finite`) where it answers with no numbers.
        """
        size = self.config.image_size
        height = math.ceil(size / aspect)
        plan = Preprocessing.plan(height, size, size)
        self._guard.point_head = self.config.point_source == 'pointmap'
        pixels = Camera(plan).pixels(np.zeros((height, size, 3), np.uint8), self._ahead)
        frame = self._guard.step(pixels, keep=False)
        told = [frame.pose_encoding, frame.depth, frame.depth_confidence]
        if self._guard.point_head:
            told += [frame.points, frame.points_confidence]
        if not all(bool(torch.isfinite(each).all()) for each in told):
            raise FrameError(
                'not_finite', 'the network answers a black image with numbers that are not finite'
            )
        if self._ahead is not None:
            # A device loads each kernel where it is first used.
            self._assembled(frame, plan.picture(pixels), None).result()
        self.reset()

    def process(
        self, image: np.ndarray, camera: CameraModel | None = None, camera_index: int = 0
    ) -> Reconstruction:
        """
        Reconstruct an RGB image (H, W, 3) of the numeric kind that preprocessing accepts.

        With the `camera` that took it, the image is undistorted first, and its intrinsics take the
        place of the predicted ones; another camera begins no new stream. `camera_index` tells
        several cameras apart. Raises FrameError for a size that no network sees (`bad_size`) or
        that is not the camera's (`camera_info`), and where the network's pose is not finite
        (`not_finite`): the stream, whose memory is as ruined, then begins anew. Errors of the
        network pass through.
        """
        begun = self.begin(self.prepare(image, camera, camera_index))
        return self.finish(begun).result()

    @property
    def overlaps(self) -> bool:
        """Whether a device works by itself between `begin` and `finish`, and after it."""
        return self._transfer.device.type == 'cuda'

    def prepare(
        self, image: np.ndarray, camera: CameraModel | None = None, camera_index: int = 0
    ) -> Prepared:
        """
        Do what may be done of `process` while the image before is still worked on.

        On a device that is upload, undistortion and resize, for a camera that has given images
        before. The steps are `prepare`, `begin`, `finish` and `result` of what that returns; of
        one image after the other `begin` and `finish` take turns.
        """
        known = self._cameras.get(camera_index)
        pixels = figures = None
        if (
            self._ahead is not None
            and known is not None
            and known.plan.source_size == image.shape[:2]
            and known.looks_through(camera)
        ):
            with self._ahead.ahead():
                pixels = known.pixels(image, self._ahead)
                figures = ImageFigures.of(pixels)
        return Prepared(image, camera, camera_index, known, pixels, figures)

    def begin(self, prepared: Prepared) -> BegunFrame:
        """Have the network begin with an image; errors as of `process`."""
        image, index = prepared.image, prepared.camera_index
        now = self._camera = self._camera_of(index, image.shape[:2])
        pixels, figures = prepared.pixels, prepared.figures
        if pixels is None or now is not prepared.known or not now.looks_through(prepared.model):
            try:
                now.look_through(prepared.model)
            except ValueError as error:
                raise FrameError('camera_info', str(error)) from error
            figures = None
            with torch.inference_mode(self._ahead is not None):
                pixels = now.pixels(image, self._ahead)
        else:
            self._ahead.take_over(pixels)
        self._guard.point_head = self.config.point_source == 'pointmap'
        keep = now.is_keyframe(pixels, self.config.keyframe_threshold)
        self._guard.on_failure = self.config.on_failure
        try:
            begun = self._guard.begin(pixels, keep, index, figures)
        except Exception:
            # A keyframe that the network did not take in is none to compare with.
            now.forget_keyframe()
            raise
        return BegunFrame(now, index, pixels, keep, begun)

    def finish(self, begun: BegunFrame) -> Pending:
        """Judge what `begin` began, and begin to bring it to the host; errors as of `process`."""
        frame, kept, report = self._judged(begun)
        if not torch.isfinite(frame.camera_from_world).all():
            self._guard.give_up()
            self._begin_world()
            raise FrameError(
                'not_finite',
                'the network gave a pose that is not finite; '
                'a new stream begins: check the checkpoint and model.dtype',
            )
        picture = begun.camera.plan.picture(begun.pixels)
        pending = self._assembled(
            frame,
            picture,
            begun.camera.view,
            report=report,
            kept=kept,
            camera_index=begun.camera_index,
        )
        self._index += 1
        return pending

    def align_depth(self, depth: np.ndarray) -> np.ndarray:
        """
        Bring a depth image (H, W) float32, registered to the last image, to its reconstruction.

        It is undistorted, resized and cropped as that image was, without mixing depths; NaN where
        undistorted from nothing. Raises ValueError for another size, or before the first image.
        """
        if self._camera is None:
            raise ValueError('a depth image came before any colour image')
        return self._camera.align(depth)

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width of what the network sees in this stream; None before its first."""
        return self._size

    @property
    def source_size(self) -> tuple[int, int] | None:
        """Height and width of the last image; None before the first."""
        return None if self._camera is None else self._camera.plan.source_size

    @property
    def cut(self) -> float:
        """The share of the last image that the network does not see, from 0 to 1."""
        return 0.0 if self._camera is None else self._camera.plan.cut

    def settle(self, metres_per_unit: float, world: int) -> None:
        """Take what a frame of that world has told, unless the next has begun another since."""
        if world == self._world:
            self.metres_per_unit = metres_per_unit

    def reset(self) -> None:
        """Begin a new stream."""
        self._guard.reset()
        self._begin_world()

    def cache_stats(self) -> CacheStats:
        """Say what the stream holds."""
        return self._guard.cache_stats()

    def state_dict(self) -> dict[str, Tensor]:
        """Return the stream's memory as tensors by name, fit for safetensors."""
        return self._guard.state_dict()

    def load_state_dict(self, state: Mapping[str, Tensor]) -> tuple[int, int]:
        """
        Resume the stream that `state_dict` returned, in a world that is new to the caller.

        Returns the height and width that images must have for the network; the first of another
        size begins a new stream. Raises ValueError where the state is damaged or of another model
        or configuration, or larger than `config.image_size`; the present stream then goes on.
        """
        height, width = saved_size(state)
        if max(height, width) > self.config.image_size:
            # Whatever the network would allocate for it, no image can be of that size.
            raise ValueError(
                f'the saved stream is of images of {width}x{height} for the network, and they are '
                f'at most {self.config.image_size} wide and high here; set model.image_size to '
                'what it was saved with'
            )
        self._guard.load_state_dict(state)
        self._cameras.clear()
        # One that was saved before its first image has none.
        self._size = (height, width) if height and width else None
        self._begin_world()
        self._index = self.cache_stats().steps
        return height, width

    def _assembled(self, frame: Frame, picture: Tensor, view: View | None, **fields) -> Pending:
        config = replace(self.config, scale=self.config.scale * self.metres_per_unit)
        if self._ahead is None:
            config = replace(config, cloud=None)
        fields = {
            'report': self._guard.report,
            'index': self._index,
            'world': self._world,
        } | fields
        return assemble(frame, picture, config, view, self._transfer, **fields)

    def _judged(self, begun: BegunFrame) -> tuple[Frame, bool, GuardReport]:
        """Have a frame judged; say whether it is remembered and what the watch says."""
        try:
            frame = self._guard.finish(begun.guarded)
        except Exception:
            begun.camera.forget_keyframe()
            self._follow_guard()
            raise
        report = self._guard.report
        if not self._follow_guard() and report.action == 'not_kept':
            # Or a good image of the same view would pass for a repetition of it.
            begun.camera.take_keyframe_back()
            return frame, False, report
        return frame, begun.keep, report

    def _follow_guard(self) -> bool:
        """Take over a world or segment that the guard has begun; whether it has."""
        before, self._guard_place = self._guard_place, self._guard.place
        if before[0] != self._guard_place[0]:
            self._begin_world()
        elif before != self._guard_place:
            self._forget_keyframes()
        return before != self._guard_place

    def _begin_world(self) -> None:
        self._guard_place = self._guard.place
        self._index = 0
        self._world += 1
        self.metres_per_unit = 1.0
        # The first frame of a stream has to be remembered.
        self._forget_keyframes()

    def _forget_keyframes(self) -> None:
        for camera in self._cameras.values():
            camera.forget_keyframe()

    def _camera_of(self, index: int, shape: tuple[int, int]) -> Camera:
        """Give the camera whose images have that size, in a new stream where it is a new size."""
        known = self._cameras.get(index)
        if known is not None and known.plan.source_size == shape:
            return known
        try:
            plan = self._plan(index, shape)
        except ValueError as error:
            raise FrameError('bad_size', str(error)) from error
        if plan.size != self._size:
            # All others are brought to this size from now on.
            self._cameras.clear()
        if known is not None or plan.size != self._size:
            self._size = plan.size
            self.reset()
        self._cameras[index] = camera = Camera(plan)
        return camera

    def _plan(self, index: int, shape: tuple[int, int]) -> Preprocessing:
        own = Preprocessing.plan(*shape, self.config.image_size)
        if index == 0 or self._size in (None, own.size):
            return own
        return Preprocessing.cover(*shape, self._size)
