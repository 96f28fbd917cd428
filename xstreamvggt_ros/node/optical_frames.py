# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The names of the cameras' optical frames, by what their images say."""

from __future__ import annotations

from collections.abc import Callable

from xstreamvggt_ros.geometry.frame_names import frame_name
from xstreamvggt_ros.node.once import Once
from xstreamvggt_ros.parameters import Parameters
from xstreamvggt_ros.pipeline import FrameError

# Child frame of images whose header names none.
DEFAULT_CAMERA_FRAME = 'camera_optical_frame'


class OpticalFrames:
    """
    Choose each image's optical frame, and say once what is odd about it.

    `parameters` gives the configuration as it is now.
    """

    def __init__(self, parameters: Callable[[], Parameters], once: Once) -> None:
        """Begin without a camera."""
        self._parameters = parameters
        self._once = once
        self._frames: dict[int, str] = {}

    def choose(self, named: str, camera: int) -> str:
        """
        Return the frame of an image whose header names one, perhaps none.

        A name that tf2 refuses, and that of the map, raise FrameError with reason `frame_id`.
        """
        output = self._parameters().output
        frame = output.camera_frame or self._usable(named, camera)
        if frame == output.map_frame:
            raise FrameError(
                'frame_id',
                f"the images' header.frame_id is {named!r}, which is output.map_frame; "
                'set output.camera_frame or another output.map_frame',
            )
        frame = frame or self._default(camera)
        self._mind_change(frame, camera)
        self._mind_sharing(frame)
        return frame

    def _usable(self, named: str, camera: int) -> str:
        try:
            frame = frame_name(named)
        except ValueError as error:
            raise FrameError(
                'frame_id', f"the images' header.frame_id: {error}, or set output.camera_frame"
            ) from error
        if frame != named:
            self._once.tell(
                ('slash', camera),
                f"the images' header.frame_id is {named!r}; tf2 refuses the slash in front, and "
                f'{frame!r} is used: have the camera driver leave it out',
            )
        return frame

    def _default(self, camera: int) -> str:
        names = self._parameters().input.names
        frame = f'{names[camera]}_optical_frame' if len(names) > 1 else DEFAULT_CAMERA_FRAME
        self._once.tell(
            ('default', camera),
            f"the images' header.frame_id is empty; {frame!r} is used: set "
            "output.camera_frame, or the camera driver's frame",
        )
        return frame

    def _mind_change(self, frame: str, camera: int) -> None:
        before, self._frames[camera] = self._frames.get(camera), frame
        if before not in (None, frame):
            self._once.tell(
                ('frame', camera),
                f'the header.frame_id of {self._parameters().input.images_of(camera)} changes, '
                f'from {before!r} to {frame!r}: see whether two nodes publish there, or set '
                'output.camera_frame',
            )

    def _mind_sharing(self, frame: str) -> None:
        names = self._parameters().input.names
        sharing = sorted(each for each, other in self._frames.items() if other == frame)
        if len(sharing) > 1:
            self._once.tell(
                ('shared', sharing[0]),
                f'the cameras {", ".join(names[each] for each in sharing)} share the frame '
                f'{frame!r}, which cannot be in two places; give each camera driver its own',
            )
