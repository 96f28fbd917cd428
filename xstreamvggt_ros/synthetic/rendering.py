# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Linear colour and exact depth of a scene from given cameras."""

from __future__ import annotations

import torch

from xstreamvggt_ros.synthetic.camera_effects import Development, NEUTRAL
from xstreamvggt_ros.synthetic.ray_casting import cast_rays, pixel_rays
from xstreamvggt_ros.synthetic.scene import Scene
from xstreamvggt_ros.synthetic.shading import shade, sky_radiance
from xstreamvggt_ros.synthetic.surfaces import surface_at

# Distance, metres, over which air takes on the colour of the sky.
HAZE = 400.0


def render(
    scene: Scene,
    camera_from_world: torch.Tensor,
    intrinsics: torch.Tensor,
    height: int,
    width: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    """
    Render images (F, H, W, 3) uint8 and depth (F, H, W), metres along z, 0 for the sky.

    `scene` comes from `make_scene`, `camera_from_world` is (F, 3, 4), `intrinsics` (3, 3) or
    (F, 3, 3). The camera is free of noise and faults; its exposure follows the first frame.
    Raises ValueError for another shape.
    """
    if camera_from_world.ndim != 3 or camera_from_world.shape[1:] != (3, 4):
        raise ValueError(
            f'camera_from_world is {tuple(camera_from_world.shape)}: give (frames, 3, 4)'
        )
    frames, device = len(camera_from_world), scene.device
    if intrinsics.shape not in ((3, 3), (frames, 3, 3)):
        raise ValueError(
            f'intrinsics are {tuple(intrinsics.shape)}: give (3, 3) or ({frames}, 3, 3)'
        )
    poses = camera_from_world.to(device, torch.float32)
    intrinsics = intrinsics.to(device, torch.float32).expand(frames, 3, 3)
    develop = Development(NEUTRAL, None, False)
    pairs = [
        render_radiance(scene, poses[at : at + 1], intrinsics[at : at + 1], height, width)
        for at in range(frames)
    ]
    return (
        torch.cat([develop(radiance) for radiance, _ in pairs]),
        torch.cat([depth for _, depth in pairs]),
    )


def render_radiance(
    scene: Scene,
    camera_from_world: torch.Tensor,
    intrinsics: torch.Tensor,
    height: int,
    width: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    """
    Render radiance (3, F, H, W), linear, and depth (F, H, W), metres along z, 0 for the sky.

    `camera_from_world` (F, 3, 4) and `intrinsics` (F, 3, 3), float32 on the scene's device. The
    ray of pixel (u, v) is ((u - cx) / fx, (v - cy) / fy, 1).
    """
    hits = cast_rays(scene.primitives, camera_from_world, intrinsics, height, width)
    rotation, translation = camera_from_world[:, :, :3], camera_from_world[:, :, 3:]
    rays = pixel_rays(intrinsics, height, width).flatten(1, 2)
    direction = (rotation.mT @ rays.mT).transpose(0, 1).contiguous()  # (3, F, H * W)
    position = -(rotation.mT @ translation).transpose(0, 1)
    seen = torch.isfinite(hits.depth).flatten()
    depth = hits.depth.nan_to_num(posinf=0.0)
    flat = depth.flatten(1)
    point = (position + direction * flat).flatten(1)
    direction = (direction * rays.square().sum(-1).rsqrt()).flatten(1)
    pixel = (flat / intrinsics[:, 0, 0, None]).flatten()
    if scene.sky is None:
        surface = surface_at(scene, hits.primitive.flatten(), point, direction, pixel)
        return shade(scene, surface, direction).view(3, *depth.shape), depth
    colour = torch.empty_like(point)
    solid, open_sky = seen.nonzero()[:, 0], (~seen).nonzero()[:, 0]
    colour[:, open_sky] = sky_radiance(scene, direction[:, open_sky])
    direction = direction[:, solid]
    surface = surface_at(
        scene, hits.primitive.flatten()[solid], point[:, solid], direction, pixel[solid]
    )
    horizon = torch.tensor(scene.sky.horizon, dtype=torch.float32, device=point.device)[:, None]
    haze = 1 - torch.exp(-depth.flatten()[solid] / HAZE)
    colour[:, solid] = torch.lerp(shade(scene, surface, direction), horizon, haze)
    return colour.view(3, *depth.shape), depth
