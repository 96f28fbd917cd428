# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What a pixel's ray meets: normal and albedo at the hit.

Vectors are stored with the axis first, (3, M): per-pixel factors (M,) then broadcast along
contiguous memory, which is several times faster on a CPU than (M, 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from xstreamvggt_ros.synthetic.scene import Primitives, Scene

# Half extent, metres, from which a surface is varied at a larger scale, and that scale.
WIDE = 20.0
ENLARGED = 6.7


@dataclass(frozen=True)
class Surface:
    """M hits: `point`, `normal`, `albedo` (3, M) in the world; `gloss`, `emission` (M,)."""

    point: torch.Tensor
    normal: torch.Tensor
    albedo: torch.Tensor
    gloss: torch.Tensor
    emission: torch.Tensor


def surface_at(scene: Scene, primitive, point, ray, pixel) -> Surface:
    """
    Look up the surface of `primitive` (M,) at world points (3, M).

    `ray` (3, M) is the unit direction of view and `pixel` (M,) the width of a pixel there, metres.
    """
    solids = scene.primitives
    boxes, cylinders, _ = solids.counts
    table = _table(solids).index_select(0, primitive).T.contiguous()
    rotation, centre, half, scale, offset, colour, second, rest = table.split(
        (9, 3, 3, 3, 3, 3, 3, 3)
    )
    rotation = rotation.view(3, 3, -1)
    gloss, emission, turn = rest
    local = (rotation * (point - centre)[:, None]).sum(0)
    is_box = primitive < boxes
    is_cylinder = (primitive < boxes + cylinders) & ~is_box
    outward, place = _local_normal(local, half, is_box, is_cylinder)
    normal = (rotation * outward).sum(1)
    uv = _texture_place(outward, place * scale + offset, turn > 0.5)
    facing = (normal * ray).sum(0).abs_().clamp_min_(0.05)
    # A little sharper than one pixel, as sensors are; grazing views lie between both axes.
    footprint = 0.75 * pixel * scale.amax(0) * facing.rsqrt_()
    texel = scene.textures.sample(solids.texture[primitive], *uv, footprint)
    if scene.sky is not None:
        _vary_grounds(scene, primitive, uv, footprint, texel)
    albedo = torch.lerp(colour, second, texel[3]) * texel[:3]
    return Surface(point, normal, albedo, gloss, emission)


def _vary_grounds(scene: Scene, primitive, uv, footprint, texel) -> None:
    """Lay the texture upon itself, enlarged, so that wide grounds do not repeat."""
    wide = scene.primitives.half.amax(1) > WIDE
    at = wide[primitive].nonzero()[:, 0]
    u, v = (axis[at] / ENLARGED for axis in uv)
    texture = scene.primitives.texture[primitive[at]]
    coarse = scene.textures.sample(texture, u, v, footprint[at] / ENLARGED)
    texel[:, at] = torch.cat((texel[:3, at] * (0.5 + 0.5 * coarse[:3]), coarse[3:]))


def _table(solids: Primitives) -> torch.Tensor:
    """Return one row of everything per primitive, to be gathered at once."""
    return torch.cat(
        (
            solids.rotation.flatten(1),
            solids.centre,
            solids.half,
            solids.uv_scale,
            solids.uv_offset,
            solids.colour,
            solids.second,
            solids.gloss,
            solids.emission,
            solids.turn,
        ),
        1,
    )


def _local_normal(local, half, is_box, is_cylinder):
    """Return the outward unit normal and the place to texture, both in local axes (3, M)."""
    unit = local / half
    size = unit.abs()
    face = (size == size.amax(0)) * unit.sign()
    on_cap = is_cylinder & (size[2].square() > unit[0].square() + unit[1].square())
    on_side = is_cylinder & ~on_cap
    # Of an ellipsoid x / half^2; of a cylinder's wall that without z, of its cap z alone.
    curved = unit / half
    curved[:2].masked_fill_(on_cap, 0)
    curved[2].masked_fill_(on_side, 0)
    outward = torch.where(is_box, face, curved)
    outward = outward * (outward * outward).sum(0).clamp_min_(1e-12).rsqrt_()
    # A cylinder's wall is unrolled, so that the texture does not stretch around it.
    angle = torch.atan2(local[1], local[0]) * half[0]
    place = torch.cat((torch.where(on_side, angle, local[:2]), local[2:]))
    return outward, place


def _texture_place(outward, uv, turn):
    """Return u and v (M,): the two axes along the face, z upwards on walls."""
    size = outward.abs()
    faces_x = (size[0] >= size[1]) & (size[0] >= size[2])
    faces_z = (size[2] > size[1]) & ~faces_x
    u = torch.where(faces_x, uv[1], uv[0])
    v = torch.where(faces_z, uv[1], uv[2])
    return torch.where(turn, v, u), torch.where(turn, u, v)
