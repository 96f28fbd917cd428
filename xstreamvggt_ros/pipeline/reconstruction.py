# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One frame in the map frame, and how it comes of what the network gave; no ROS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from xstreamvggt_ros.geometry import map_from_camera, MAP_FROM_WORLD_ROTATION, unproject
from xstreamvggt_ros.guard import GuardReport
from xstreamvggt_ros.images.camera_model import CameraModel
from xstreamvggt_ros.images.preprocessing import Preprocessing
from xstreamvggt_ros.ops.precision import exact_float32
from xstreamvggt_ros.pipeline.packing import CloudChoice, pack, PackedCloud, unpack
from xstreamvggt_ros.pipeline.pipeline_config import PipelineConfig
from xstreamvggt_ros.pipeline.transfer import Download, Transfer
from xstreamvggt_ros.stream import Frame

if TYPE_CHECKING:
    # OpenCV is needed only where cameras are calibrated.
    from xstreamvggt_ros.images.undistortion import Undistortion


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """
    One frame in the map frame, at the network's size (H, W).

    depth: (H, W) float32, metres along the optical z, NaN where not finite or undistorted from
    nothing.
    confidence: (H, W) float32, of the depth. picture: (H, W, 3) uint8, what the network saw.
    intrinsics: (3, 3) float64 of that picture, the camera's own where it was given, else
    predicted_intrinsics: (3, 3) float64, the network's. map_from_camera: (4, 4) float64, rigid,
    takes the optical frame to the map. points: (H, W, 3) float32 in the map, metres, NaN where
    depth is or they are not finite; points_confidence: (H, W) float32, theirs. index: frames of
    its stream that came before it. calibrated: whether intrinsics are the camera's own. world:
    number of its stream, whose map has nothing to do with another's. scale, world_axes: those of
    the configuration that it was made by. kept: whether it was a keyframe and remembered.
    report: what the guard over the stream says. camera_index: which of several
    cameras took it. cloud: its points as a message has them, where a device has packed them.
    """

    depth: np.ndarray
    confidence: np.ndarray
    picture: np.ndarray
    intrinsics: np.ndarray
    predicted_intrinsics: np.ndarray
    map_from_camera: np.ndarray
    points: np.ndarray
    points_confidence: np.ndarray
    report: GuardReport
    index: int
    calibrated: bool = False
    world: int = 0
    scale: float = 1.0
    world_axes: str = 'rep103'
    kept: bool = True
    camera_index: int = 0
    cloud: PackedCloud | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.depth.shape


@dataclass(frozen=True, eq=False)
class View:
    """
    A calibrated camera as the network sees it.

    intrinsics: (3, 3) float64 of the network's picture. missing: (H, W) bool, what of it was
    undistorted from nothing.
    """

    camera: CameraModel
    undistortion: Undistortion
    intrinsics: np.ndarray
    missing: Tensor


@dataclass(frozen=True, eq=False)
class Pending:
    """A reconstruction whose arrays may still be on their way to the host."""

    download: Download
    choice: CloudChoice | None
    fields: dict[str, Any]

    @property
    def world(self) -> int:
        """The number of its stream."""
        return self.fields['world']

    @property
    def report(self) -> GuardReport:
        """What the guard over the stream says."""
        return self.fields['report']

    def result(self) -> Reconstruction:
        """Wait for it."""
        arrays = self.download.arrays()
        cloud = None
        if self.choice is not None:
            cloud = unpack(arrays, self.choice, arrays['depth'].shape)
        own = {name: arrays[name] for name in ('depth', 'confidence', 'picture', 'points')}
        own['points_confidence'] = arrays.get('points_confidence', own['confidence'])
        return Reconstruction(**own, cloud=cloud, **self.fields)


def assemble(
    frame: Frame,
    picture: Tensor,
    config: PipelineConfig,
    view: View | None,
    transfer: Transfer,
    **fields: Any,
) -> Pending:
    """
    Bring a guarded frame to metres and the map.

    picture: (H, W, 3) uint8, what the network saw. `fields` are the further ones of the
    reconstruction. The work is done on the device of `transfer`, which brings it to the host.
    """
    # A stand-in for the network may be elsewhere.
    frame = Frame(**{name: each.to(transfer.device) for name, each in vars(frame).items()})
    known = transfer.download(
        {'intrinsics': frame.intrinsics, 'camera_from_world': frame.camera_from_world}
    ).arrays()
    predicted = known['intrinsics'].astype(np.float64)
    intrinsics = predicted if view is None else view.intrinsics
    transform = map_from_camera(known['camera_from_world'], config.world_axes, config.scale)
    with exact_float32():
        tensors = _in_map(frame, config, view, intrinsics, transform)
    tensors |= {'picture': picture}
    if config.cloud is not None:
        confidence = tensors.get('points_confidence', tensors['confidence'])
        tensors |= pack(tensors['points'], picture, confidence, config.cloud)
    fields |= {
        'intrinsics': intrinsics,
        'predicted_intrinsics': predicted,
        'map_from_camera': transform,
        'calibrated': view is not None,
        'scale': config.scale,
        'world_axes': config.world_axes,
    }
    return Pending(transfer.download(tensors), config.cloud, fields)


def _in_map(
    frame: Frame,
    config: PipelineConfig,
    view: View | None,
    intrinsics: np.ndarray,
    transform: np.ndarray,
) -> dict[str, Tensor]:
    """Give depth, confidence and points; the latter's confidence where it is another."""
    depth = config.scale * frame.depth
    missing = None if view is None else view.missing.to(depth.device)
    if missing is not None:
        depth = depth.masked_fill(missing, torch.nan)
    found = {'depth': _finite(depth), 'confidence': frame.depth_confidence}
    if config.point_source == 'depth':
        points = _transform(unproject(depth, depth.new_tensor(intrinsics)), transform)
        return found | {'points': _finite(points)}
    turn = np.eye(4)
    turn[:3, :3] = MAP_FROM_WORLD_ROTATION[config.world_axes]
    points = _transform(config.scale * frame.points, turn)
    if missing is not None:
        points = points.masked_fill(missing[..., None], torch.nan)
    return found | {'points': _finite(points), 'points_confidence': frame.points_confidence}


def _transform(points: Tensor, transform: np.ndarray) -> Tensor:
    """Apply a (4, 4) transform to points (H, W, 3) where they are."""
    matrix = torch.as_tensor(transform, dtype=points.dtype, device=points.device)
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def nearest(values: np.ndarray, plan: Preprocessing) -> np.ndarray:
    """Take from (H, W) of an image the values nearest to the network's pixels."""
    rows = (np.arange(plan.size[0]) + plan.crop_top + 0.5) / plan.resized_size[0]
    columns = (np.arange(plan.size[1]) + plan.crop_left + 0.5) / plan.resized_size[1]
    # Pixel i covers i to i + 1 here, so that its number is the whole part.
    rows, columns = rows * plan.source_size[0], columns * plan.source_size[1]
    return values[np.ix_(rows.astype(int), columns.astype(int))]


def _finite(values: Tensor) -> Tensor:
    """Put NaN for whatever is not finite."""
    return torch.where(torch.isfinite(values), values, torch.nan)
