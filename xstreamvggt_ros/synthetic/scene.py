# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A static scene of boxes, cylinders and ellipsoids, z up, metres."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from xstreamvggt_ros.synthetic.textures import TextureLibrary

if TYPE_CHECKING:
    from xstreamvggt_ros.synthetic.lighting import BakedLight

BOX, CYLINDER, ELLIPSOID = 0, 1, 2


@dataclass(frozen=True)
class Material:
    """
    Say how a surface looks.

    `texture` names a texture of the library; its mask mixes the linear albedos `colour` and
    `second`. One tile of it covers `tile` metres, or with `fit` the whole of each face.
    `turn` swaps the texture's axes. `emission` is added light, relative to a lit white wall.
    """

    texture: str
    colour: tuple[float, float, float]
    second: tuple[float, float, float]
    tile: float = 2.0
    fit: bool = False
    turn: bool = False
    gloss: float = 0.0
    emission: float = 0.0


@dataclass(frozen=True)
class Plane:
    """A plane `normal` . x = `offset` in the world; the normal points into free space."""

    name: str
    normal: tuple[float, float, float]
    offset: float


@dataclass(frozen=True)
class Primitives:
    """
    Hold P convex solids, sorted by kind.

    `centre` (P, 3), `rotation` (P, 3, 3) world from local, `half` (P, 3) half extents along the
    local axes; a cylinder stands along its local z. `counts` are the numbers of each kind.
    `texture` (P,) indexes the library, `uv_scale` and `uv_offset` (P, 3) take local metres to
    tiles, `colour` and `second` (P, 3) are linear albedos; `turn`, `gloss`, `emission` (P, 1).
    """

    counts: tuple[int, int, int]
    centre: torch.Tensor
    rotation: torch.Tensor
    half: torch.Tensor
    texture: torch.Tensor
    uv_scale: torch.Tensor
    uv_offset: torch.Tensor
    colour: torch.Tensor
    second: torch.Tensor
    turn: torch.Tensor
    gloss: torch.Tensor
    emission: torch.Tensor

    def to(self, device) -> Primitives:
        """Return the same solids on another device."""
        tensors = {
            field.name: getattr(self, field.name).to(device)
            for field in fields(self)
            if field.name != 'counts'
        }
        return replace(self, **tensors)


@dataclass(frozen=True)
class Light:
    """
    A lamp, window or sun.

    `position` in the world; `power` (r, g, b) is the irradiance at `reference` metres, falling off
    beyond with the square of the distance softened by `size`. `axis` is where it shines; its
    shadow is drawn within `spread` (tangent of the half angle) about the axis.
    """

    position: tuple[float, float, float]
    axis: tuple[float, float, float]
    power: tuple[float, float, float]
    reference: float
    size: float
    spread: float
    casts_shadow: bool = False


@dataclass(frozen=True)
class Sky:
    """Colours (r, g, b, linear) of a sky at infinity and how much of it is cloud."""

    zenith: tuple[float, float, float]
    horizon: tuple[float, float, float]
    clouds: float
    offset: tuple[float, float]


@dataclass(frozen=True)
class Scene:
    """
    A place with its light.

    `bounds` (lower, upper corner) hold everything that a camera may visit, and within them `core`
    the part where it may begin; `ambient_up` and
    `ambient_down` are the light that falls on surfaces that face up and down. `sky` is None
    indoors. `interests` (I, 3) are points worth looking at. `baked` is light worked out once, with
    `occlusion_reach` metres the nearness that darkens.
    """

    kind: str
    primitives: Primitives
    planes: tuple[Plane, ...]
    lights: tuple[Light, ...]
    ambient_up: tuple[float, float, float]
    ambient_down: tuple[float, float, float]
    sky: Sky | None
    bounds: tuple[tuple[float, float, float], tuple[float, float, float]]
    core: tuple[tuple[float, float, float], tuple[float, float, float]]
    interests: np.ndarray
    textures: TextureLibrary
    occlusion_reach: float
    baked: BakedLight | None = None

    @property
    def device(self) -> torch.device:
        """Say where the scene's tensors are."""
        return self.primitives.centre.device
