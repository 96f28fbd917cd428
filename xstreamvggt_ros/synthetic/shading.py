# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Light on surfaces, and the sky; vectors are (3, M) as in `surfaces`."""

from __future__ import annotations

import torch

from xstreamvggt_ros.synthetic.scene import Light, Scene
from xstreamvggt_ros.synthetic.surfaces import Surface


def shade(scene: Scene, surface: Surface, ray: torch.Tensor) -> torch.Tensor:
    """Return the linear radiance (3, M) that leaves a surface against `ray` (3, M)."""
    normal = surface.normal
    up, down = _vector(scene.ambient_up, ray), _vector(scene.ambient_down, ray)
    ambient = torch.lerp(down, up, normal[2] * 0.5 + 0.5)
    openness = _openness(scene, surface)
    along = (ray * normal).sum(0)
    mirrored = ray - 2 * along * normal
    light, glint = ambient * openness, 0.0
    for index, (lamp, shadow) in enumerate(zip(scene.lights, scene.baked.shadows, strict=True)):
        strength, towards = _direct(lamp, surface)
        if shadow is not None:
            strength = strength * shadow.lit(surface.point)
        power = _vector(lamp.power, ray)
        light = light + power * (strength * (0.5 + 0.5 * openness))
        if index == 0:
            shine = (mirrored * towards).sum(0).clamp_min_(0).pow_(24)
            glint = power * (0.25 * surface.gloss * shine * strength)
    # What lies in the mirror direction is not traced: a glossy surface takes on the ambient tone.
    sheen = surface.gloss * (0.02 + 0.35 * (1 + along.clamp_(-1, 0)).square_().square_())
    colour = torch.lerp((light + surface.emission) * surface.albedo, ambient * 0.7, sheen)
    return colour + glint


def _openness(scene: Scene, surface: Surface) -> torch.Tensor:
    """Darken where other surfaces are near along the normal: (M,)."""
    reach, result = scene.occlusion_reach, 1.0
    for reach, strength in ((scene.occlusion_reach, 0.45), (3 * scene.occlusion_reach, 0.4)):
        near = scene.baked.distances.sample((surface.point + reach * surface.normal).T)
        result = result * (1 - strength + strength / reach * near.clamp_(0, reach))
    return result


def _direct(lamp: Light, surface: Surface) -> tuple[torch.Tensor, torch.Tensor]:
    """Return irradiance (M,) for a power of 1 and the unit direction to the lamp (3, M)."""
    offset = _vector(lamp.position, surface.point) - surface.point
    square = (offset * offset).sum(0)
    towards = offset * square.rsqrt()
    # A lamp of some size lights a little beyond the horizon.
    cosine = ((surface.normal * towards).sum(0) + 0.1).clamp_(min=0)
    # It shines to one side only: a window's light does not fall on its own wall.
    axis = torch.nn.functional.normalize(_vector(lamp.axis, surface.point), dim=0)
    ahead = (0.15 - 3 * (towards * axis).sum(0)).clamp_(0, 1)
    soft = lamp.size**2
    return cosine * ahead * ((lamp.reference**2 + soft) / 1.1) / (square + soft), towards


def sky_radiance(scene: Scene, ray: torch.Tensor) -> torch.Tensor:
    """Return the sky's linear radiance (3, M) along unit rays (3, M)."""
    sky = scene.sky
    height = ray[2].clamp_min(0)
    colour = torch.lerp(_vector(sky.horizon, ray), _vector(sky.zenith, ray), height.sqrt())
    # Clouds lie on a plane overhead and thin out towards the horizon.
    flat = 0.12 / (height + 0.12)
    u, v = ray[0] * flat + sky.offset[0], ray[1] * flat + sky.offset[1]
    index = torch.full_like(u, scene.textures.indices('clouds')[0], dtype=torch.int64)
    cover = scene.textures.sample(index, u, v, torch.full_like(u, 0.004))[3] * sky.clouds
    return torch.lerp(colour, torch.full_like(colour, 1.05), cover)


def _vector(values, like: torch.Tensor) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32, device=like.device)[:, None]
