# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a pipeline is asked for."""

from __future__ import annotations

from dataclasses import dataclass
import math

from xstreamvggt_ros.geometry import MAP_FROM_WORLD_ROTATION
from xstreamvggt_ros.guard import ON_FAILURE
from xstreamvggt_ros.pipeline.packing import CloudChoice

POINT_SOURCES = ('depth', 'pointmap')


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
    on_failure: what the guard does about a stream that fails, as `GuardedReconstructor` has it.
    cloud: which points a device packs as a message has them; None: none are packed.
    Raises ValueError naming the field.
    """

    image_size: int
    world_axes: str = 'rep103'
    scale: float = 1.0
    point_source: str = 'depth'
    keyframe_threshold: float | None = None
    on_failure: str = 'warn'
    cloud: CloudChoice | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.world_axes not in MAP_FROM_WORLD_ROTATION:
            known = ', '.join(sorted(MAP_FROM_WORLD_ROTATION))
            raise ValueError(f'world_axes is {self.world_axes!r}; use one of: {known}')
        if self.point_source not in POINT_SOURCES:
            known = ', '.join(POINT_SOURCES)
            raise ValueError(f'point_source is {self.point_source!r}; use one of: {known}')
        if self.on_failure not in ON_FAILURE:
            known = ', '.join(ON_FAILURE)
            raise ValueError(f'on_failure is {self.on_failure!r}; use one of: {known}')
        if not (self.scale > 0 and math.isfinite(self.scale)):
            raise ValueError(f'scale is {self.scale}; use a finite number above 0')
