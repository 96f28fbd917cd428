# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Distance from points to the nearest primitive, exact and on a grid."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from xstreamvggt_ros.synthetic.scene import Primitives

CHUNK = 2**17


def signed_distance(primitives: Primitives, points: torch.Tensor) -> torch.Tensor:
    """
    Return the distance (N,) of world points (N, 3) to the nearest surface, negative inside.

    Exact outside boxes, cylinders and spheres; of an ellipsoid it is a lower bound.
    """
    chunk = max(1, CHUNK // max(1, len(primitives.centre)))
    return torch.cat([_nearest(primitives, part) for part in points.split(chunk)])


def _nearest(primitives, points):
    # Components are kept apart, (P, N) each: reductions over a last axis of three are slow.
    boxes, cylinders, _ = primitives.counts
    turn = primitives.rotation.mT
    local = (turn.reshape(-1, 3) @ points.T).view(-1, 3, len(points))
    local = local.sub_(turn @ primitives.centre[:, :, None]).unbind(1)
    half = primitives.half[:, :, None].unbind(1)
    parts = []
    if boxes:
        over = [x[:boxes].abs() - size[:boxes] for x, size in zip(local, half, strict=True)]
        parts.append(_outside(over))
    if cylinders:
        kind = slice(boxes, boxes + cylinders)
        side = torch.hypot(local[0][kind], local[1][kind]) - half[0][kind]
        parts.append(_outside([side, local[2][kind].abs() - half[2][kind]]))
    if len(primitives.centre) > boxes + cylinders:
        kind = slice(boxes + cylinders, None)
        unit = sum((x[kind] / size[kind]) ** 2 for x, size in zip(local, half, strict=True))
        # Scaling to the unit sphere stretches by at most 1 / the least half axis.
        parts.append((unit.sqrt() - 1) * primitives.half[kind].amin(1)[:, None])
    return torch.stack([part.amin(0) for part in parts]).amin(0)


def _outside(over: list[torch.Tensor]) -> torch.Tensor:
    """Return the distance to a solid from how far each coordinate is over its extent."""
    inside, square = over[0], over[0].clamp_min(0).square_()
    for each in over[1:]:
        inside = torch.maximum(inside, each)
        square += each.clamp_min(0).square_()
    return square.sqrt_() + inside.clamp_max(0)


@dataclass(frozen=True)
class DistanceGrid:
    """Distances on a grid: `values` (1, 1, Z, Y, X) between `lower` and `upper` (3,)."""

    values: torch.Tensor
    lower: torch.Tensor
    upper: torch.Tensor

    def sample(self, points: torch.Tensor) -> torch.Tensor:
        """Interpolate the distance at points (..., 3); beyond the grid, that of its border."""
        place = (points - self.lower) * (2 / (self.upper - self.lower)) - 1
        place = place.reshape(1, -1, 1, 1, 3)
        values = torch.nn.functional.grid_sample(
            self.values, place, padding_mode='border', align_corners=True
        )
        return values.view(points.shape[:-1])


def distance_grid(primitives: Primitives, lower, upper, cells: int) -> DistanceGrid:
    """Tabulate the distance in a volume with about `cells` equal cells."""
    device = primitives.centre.device
    lower = torch.tensor(lower, dtype=torch.float32, device=device)
    upper = torch.tensor(upper, dtype=torch.float32, device=device)
    step = ((upper - lower).prod() / cells) ** (1 / 3)
    counts = [max(4, int(count)) for count in ((upper - lower) / step).tolist()]
    axes = [
        torch.linspace(float(low), float(high), count, device=device)
        for low, high, count in zip(lower, upper, counts, strict=True)
    ]
    z, y, x = torch.meshgrid(axes[2], axes[1], axes[0], indexing='ij')
    points = torch.stack((x, y, z), -1)
    values = signed_distance(primitives, points.view(-1, 3)).view(1, 1, *z.shape)
    return DistanceGrid(values, lower, upper)
