# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Light that is worked out once per scene: shadow maps and nearness of surfaces."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from xstreamvggt_ros.synthetic.distances import distance_grid, DistanceGrid
from xstreamvggt_ros.synthetic.ray_casting import cast_rays
from xstreamvggt_ros.synthetic.scene import Light, Scene

SHADOW_SIZE = 182
GRID_CELLS = 12_000


@dataclass(frozen=True)
class ShadowMap:
    """What a light sees: `depth` (S * S,) through a camera at the light."""

    camera_from_world: torch.Tensor
    focal: float
    size: int
    bias: float
    depth: torch.Tensor

    def lit(self, points: torch.Tensor) -> torch.Tensor:
        """Return how much of the light reaches world points (3, M): (M,) from 0 to 1."""
        local = self.camera_from_world[:, :3] @ points + self.camera_from_world[:, 3:]
        z = local[2].clamp_min(1e-3)
        place = local[:2] * (self.focal / z) + self.size / 2
        beyond = ((place < 1) | (place > self.size - 2)).any(0) | (local[2] < 0.05)
        place.clamp_(0, self.size - 2.001)
        corner = place.floor()
        u, v = place - corner
        index = (corner[1] * self.size + corner[0]).long()
        limit = z - self.bias
        a, b, c, d = (
            (self.depth[index + step] > limit).float() for step in (0, 1, self.size, self.size + 1)
        )
        lit = torch.lerp(torch.lerp(a, b, u), torch.lerp(c, d, u), v)
        return lit.masked_fill_(beyond, 1.0)


@dataclass(frozen=True)
class BakedLight:
    """Shadows of each light (None: it casts none) and the distance grid for occlusion."""

    shadows: tuple[ShadowMap | None, ...]
    distances: DistanceGrid


def add_light(scene: Scene, device: str | torch.device, shadows: bool) -> Scene:
    """Bring the scene to a device; render its shadow maps and tabulate distances within it."""
    scene = replace(scene, primitives=scene.primitives.to(device))
    lower, upper = scene.bounds
    grid = distance_grid(scene.primitives, lower, upper, GRID_CELLS)
    maps = tuple(
        _shadow_map(scene, light) if shadows and light.casts_shadow else None
        for light in scene.lights
    )
    return replace(scene, baked=BakedLight(maps, grid))


def look_along(position, axis, device) -> torch.Tensor:
    """Return camera_from_world (3, 4) of a camera at `position` that looks along `axis`."""
    position = torch.tensor(position, dtype=torch.float32, device=device)
    forward = torch.nn.functional.normalize(
        torch.tensor(axis, dtype=torch.float32, device=device), dim=0
    )
    up = torch.tensor((0.0, 0.0, 1.0), device=device)
    if abs(float(forward[2])) > 0.99:
        up = torch.tensor((1.0, 0.0, 0.0), device=device)
    right = torch.nn.functional.normalize(torch.linalg.cross(forward, up), dim=0)
    rotation = torch.stack((right, torch.linalg.cross(forward, right), forward))
    return torch.cat((rotation, -(rotation @ position)[:, None]), 1)


def _shadow_map(scene: Scene, light: Light) -> ShadowMap:
    device = scene.device
    pose = look_along(light.position, light.axis, device)
    size, focal = SHADOW_SIZE, SHADOW_SIZE / 2 / light.spread
    intrinsics = torch.tensor(
        [[focal, 0, size / 2], [0, focal, size / 2], [0, 0, 1]], device=device
    )
    hits = cast_rays(scene.primitives, pose[None], intrinsics[None], size, size)
    # Half a texel's width, seen aslant, must not shade the surface itself.
    bias = 0.03 + 0.01 * light.reference * light.spread
    return ShadowMap(pose, focal, size, bias, hits.depth.reshape(-1))
