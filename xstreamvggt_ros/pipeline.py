# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From an image to a reconstruction in the map frame; knows nothing of ROS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
import math
from typing import Protocol, TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from xstreamvggt_ros.geometry import MAP_FROM_WORLD_ROTATION
from xstreamvggt_ros.keyframes import KeyframeGate
from xstreamvggt_ros.preprocessing import Preprocessing
from xstreamvggt_ros.reconstruction import assemble, nearest, Reconstruction, View

if TYPE_CHECKING:
    from xstreamvggt_ros.cache import CacheStats
    from xstreamvggt_ros.camera_model import CameraModel
    from xstreamvggt_ros.segments import GuardReport
    from xstreamvggt_ros.stream import Frame

POINT_SOURCES = ('depth', 'pointmap')


class FrameReconstructor(Protocol):
    """
    What the pipeline needs of a network: `StreamingReconstructor`, or anything that answers so.

    `step` takes an image (3, H, W), float in [0, 1], and answers for that frame in the world of
    the stream's first camera. `reset` begins a new stream. One that has a `point_head` to switch
    is told whether its own points are wanted. One that has a `report`, as `GuardedReconstructor`
    does, says by it what became of a frame and, by its `world`, where it began a new stream.
    """

    def step(self, image: Tensor, keep: bool = True) -> Frame:
        """Reconstruct the stream's next frame; with keep=False, leave the stream as it is."""

    def reset(self) -> None:
        """Forget the stream."""

    def cache_stats(self) -> CacheStats:
        """Say what the stream holds."""


class FrameError(ValueError):
    """A frame that gave nothing usable; `reason` is the word it is counted under."""

    def __init__(self, reason: str, message: str) -> None:
        """Take the word to count it under and the sentence for a user."""
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class PipelineConfig:
    """
    Choose size, axes and units.

    image_size: the long side in pixels that the network works at, a multiple of 14.
    world_axes: 'rep103' (the first view looks along the map's +x with +z up) or 'optical'.
    scale: metres per unit of the network; multiplies depth, points and translations.
    point_source: 'depth' (depth lifted by intrinsics and pose) or 'pointmap' (the point head).
    keyframe_threshold: change of the picture that makes a keyframe, as `KeyframeGate` has it;
    frames that are none are posed but not remembered. None: all are keyframes.
    Raises ValueError naming the field.
    """

    image_size: int
    world_axes: str = 'rep103'
    scale: float = 1.0
    point_source: str = 'depth'
    keyframe_threshold: float | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.world_axes not in MAP_FROM_WORLD_ROTATION:
            known = ', '.join(sorted(MAP_FROM_WORLD_ROTATION))
            raise ValueError(f'world_axes is {self.world_axes!r}; use one of: {known}')
        if self.point_source not in POINT_SOURCES:
            known = ', '.join(POINT_SOURCES)
            raise ValueError(f'point_source is {self.point_source!r}; use one of: {known}')
        if not (self.scale > 0 and np.isfinite(self.scale)):
            raise ValueError(f'scale is {self.scale}; use a finite number above 0')


class ReconstructionPipeline:
    """
    Reconstruct one camera's images, one at a time.

    A change of the images' size begins a new stream, whose first camera is a new world. `config`
    may be replaced between frames; a new scale or new axes hold from the next frame on.
    `metres_per_unit`, 1 until somebody knows better, multiplies its scale for the present stream.
    """

    def __init__(self, reconstructor: FrameReconstructor, config: PipelineConfig) -> None:
        """Take the network, of which this becomes the only user, and the configuration."""
        self.config = config
        self.metres_per_unit = 1.0
        self._reconstructor = reconstructor
        self._image_shape: tuple[int, int] | None = None
        self._resumed_size: tuple[int, int] | None = None
        self._preprocessing: Preprocessing | None = None
        self._view: View | None = None
        self._index = 0
        self._world = self._guard_world = 0
        self._gate: KeyframeGate | None = None

    def warm_up(self, aspect: float = 4 / 3) -> None:
        """
        Run one frame of an image of that aspect, so that the first real one is not slow.

        A new stream begins. Raises what the network does, BudgetTooSmall among it.
        """
        size = self.config.image_size
        height = math.ceil(size / aspect)
        plan = Preprocessing.plan(height, size, size)
        self._switch_point_head(self.config.point_source == 'pointmap')
        self._reconstructor.step(plan.apply(np.zeros((height, size, 3), np.uint8)), keep=False)
        self.reset()

    def process(self, image: np.ndarray, camera: CameraModel | None = None) -> Reconstruction:
        """
        Reconstruct an RGB image (H, W, 3) of the numeric kind that preprocessing accepts.

        With the `camera` that took it, the image is undistorted first, and its intrinsics take the
        place of the predicted ones; another camera begins no new stream. Raises FrameError for a
        size that no network sees (`bad_size`) or that is not the camera's (`camera_info`), and
        where the network's pose is not finite (`not_finite`): the stream, whose memory is as
        ruined, then begins anew. Errors of the network pass through.
        """
        if image.shape[:2] != self._image_shape:
            self._begin(image.shape[:2])
        self._look_through(camera)
        if self._view is not None:
            image, _ = self._view.undistortion.apply(image)
        pixels = self._preprocessing.apply(image)
        self._switch_point_head(self.config.point_source == 'pointmap')
        frame, kept, report = self._step(pixels)
        if not torch.isfinite(frame.camera_from_world).all():
            self.reset()
            raise FrameError(
                'not_finite',
                'the network gave a pose that is not finite; '
                'a new stream begins: check the checkpoint and model.dtype',
            )
        seen = self._preprocessing.picture(pixels)
        config = replace(self.config, scale=self.config.scale * self.metres_per_unit)
        reconstruction = replace(
            assemble(frame, seen, config, self._view),
            index=self._index,
            world=self._world,
            kept=kept,
            report=report,
        )
        self._index += 1
        return reconstruction

    def align_depth(self, depth: np.ndarray) -> np.ndarray:
        """
        Bring a depth image (H, W) float32, registered to the last image, to its reconstruction.

        It is undistorted, resized and cropped as that image was, without mixing depths; NaN where
        undistorted from nothing. Raises ValueError for another size, or before the first image.
        """
        if depth.shape != self._image_shape:
            raise ValueError(
                f'a depth image is {depth.shape} (height, width) but the colour image is '
                f'{self._image_shape}; publish depth registered to the colour image'
            )
        if self._view is not None:
            depth = self._view.undistortion.apply_nearest(depth)
        return nearest(depth, self._preprocessing)

    def reset(self) -> None:
        """Begin a new stream."""
        self._reconstructor.reset()
        self._resumed_size = None
        self._begin_world()

    def cache_stats(self) -> CacheStats:
        """Say what the stream holds."""
        return self._reconstructor.cache_stats()

    def state_dict(self) -> dict[str, Tensor]:
        """Return the stream's memory as tensors by name, fit for safetensors."""
        return self._reconstructor.state_dict()

    def load_state_dict(self, state: Mapping[str, Tensor]) -> tuple[int, int]:
        """
        Resume the stream that `state_dict` returned, in a world that is new to the caller.

        Returns the height and width that images must have for the network; the first of another
        size begins a new stream. Raises ValueError where the state is damaged or of another model
        or configuration; the present stream then goes on.
        """
        self._reconstructor.load_state_dict(state)
        height, width = state['image_size'].tolist()
        self._image_shape, self._resumed_size = None, (height, width)
        self._begin_world()
        self._index = self.cache_stats().steps
        return height, width

    def _step(self, pixels: Tensor) -> tuple[Frame, bool, GuardReport | None]:
        """Ask the network; say whether the frame was a keyframe and what the watch says."""
        keep = self._is_keyframe(pixels)
        try:
            frame = self._reconstructor.step(pixels, keep=keep)
        except Exception:
            # A keyframe that the network did not take in is none to compare with.
            self._gate = None
            raise
        report = getattr(self._reconstructor, 'report', None)
        if report is not None and report.world != self._guard_world:
            self._guard_world = report.world
            self._begin_world()
        elif report is not None and report.action == 'reanchored':
            self._gate = None
        return frame, keep, report

    def _is_keyframe(self, pixels: Tensor) -> bool:
        threshold = self.config.keyframe_threshold
        if threshold is None:
            self._gate = None
            return True
        if self._gate is None or self._gate.threshold != threshold:
            self._gate = KeyframeGate(threshold)
        return self._gate.keep(pixels)

    def _begin_world(self) -> None:
        self._index = 0
        self._world += 1
        self.metres_per_unit = 1.0
        # The first frame of a stream has to be remembered.
        self._gate = None

    def _switch_point_head(self, wanted: bool) -> None:
        """Spare the work of a head that nobody reads."""
        if getattr(self._reconstructor, 'point_head', wanted) != wanted:
            self._reconstructor.point_head = wanted

    def _begin(self, shape: tuple[int, int]) -> None:
        try:
            self._preprocessing = Preprocessing.plan(*shape, self.config.image_size)
        except ValueError as error:
            raise FrameError('bad_size', str(error)) from error
        self._image_shape, self._view = shape, None
        resumed, self._resumed_size = self._resumed_size, None
        if self._preprocessing.size != resumed:
            self.reset()

    def _look_through(self, camera: CameraModel | None) -> None:
        """Make what a camera needs, once."""
        if camera is None:
            self._view = None
            return
        if self._view is not None and self._view.camera == camera:
            return
        # Here, because OpenCV is needed only where cameras are calibrated.
        from xstreamvggt_ros.undistortion import Undistortion

        try:
            undistortion = Undistortion(camera, *self._image_shape)
        except ValueError as error:
            raise FrameError('camera_info', str(error)) from error
        self._view = View(
            camera,
            undistortion,
            self._preprocessing.intrinsics(undistortion.K),
            torch.from_numpy(nearest(undistortion.missing, self._preprocessing)),
        )
