# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A reconstruction on its way to the outputs."""

from __future__ import annotations

from dataclasses import dataclass

from builtin_interfaces.msg import Time

from xstreamvggt_ros.pipeline import CameraSized, Reconstruction


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
