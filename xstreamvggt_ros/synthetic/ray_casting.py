# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Exact intersection of pixel rays with the primitives, tile by tile.

The image is cut into tiles; each tile meets only the primitives whose boxes reach into its
pyramid. All tiles of all frames are then handled together. Every primitive is brought to a unit
cube, cylinder or sphere, where a convex solid is hit if the ray enters all of its slabs before it
leaves one.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from xstreamvggt_ros.synthetic.scene import BOX, CYLINDER, Primitives

# Divides the sizes of images that networks of 14-pixel patches take.
TILE = 14
NEAREST = 1e-3


@dataclass(frozen=True)
class Hits:
    """`depth` (F, H, W) along z, infinite where nothing is hit; `primitive` (F, H, W)."""

    depth: torch.Tensor
    primitive: torch.Tensor


def pixel_rays(intrinsics: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Return rays (F, H, W, 3) with z = 1 in the camera's axes; intrinsics (F, 3, 3)."""
    device = intrinsics.device
    u = torch.arange(width, device=device, dtype=torch.float32)
    v = torch.arange(height, device=device, dtype=torch.float32)
    x = (u[None] - intrinsics[:, 0, 2, None]) / intrinsics[:, 0, 0, None]
    y = (v[None] - intrinsics[:, 1, 2, None]) / intrinsics[:, 1, 1, None]
    x = x[:, None].expand(-1, height, -1)
    y = y[:, :, None].expand(-1, -1, width)
    return torch.stack((x, y, torch.ones_like(x)), -1)


def cast_rays(
    primitives: Primitives,
    camera_from_world: torch.Tensor,
    intrinsics: torch.Tensor,
    height: int,
    width: int,
) -> Hits:
    """
    Find the nearest primitive along every pixel's ray.

    `camera_from_world` (F, 3, 4), `intrinsics` (F, 3, 3), float32 on the primitives' device.
    """
    frames = len(intrinsics)
    rows, columns = -(-height // TILE), -(-width // TILE)
    # Rays past the image's edge fill the last tiles and are cut off in the end.
    rays = pixel_rays(intrinsics, rows * TILE, columns * TILE)
    tiles = rays.reshape(frames, rows, TILE, columns, TILE, 3).permute(0, 1, 3, 5, 2, 4)
    tiles = tiles.reshape(frames * rows * columns, 3, TILE * TILE)
    rotation = camera_from_world[:, None, :, :3] @ primitives.rotation[None]  # (F, P, 3, 3)
    centre = primitives.centre @ camera_from_world[:, :, :3].mT + camera_from_world[:, None, :, 3]
    visible = _reaching(rays, rows, columns, rotation, centre, primitives)
    unit_from_camera = (rotation.mT / primitives.half[:, :, None]).contiguous()
    origin = -(unit_from_camera @ centre[..., None])
    shape = (len(tiles), TILE * TILE)
    depth = torch.full(shape, torch.inf, device=rays.device)
    hit = torch.zeros(shape, dtype=torch.int64, device=rays.device)
    frame = torch.arange(frames, device=rays.device).repeat_interleave(rows * columns)
    begin = 0
    for kind, count in enumerate(primitives.counts):
        seen = visible[:, begin : begin + count]
        if seen.any():
            _cast_kind(kind, begin, tiles, frame, seen, unit_from_camera, origin, depth, hit)
        begin += count
    return Hits(
        *(_untile(values, frames, rows, columns)[:, :height, :width] for values in (depth, hit))
    )


def _untile(values, frames, rows, columns):
    values = values.view(frames, rows, columns, TILE, TILE).transpose(2, 3)
    return values.reshape(frames, rows * TILE, columns * TILE)


def _reaching(rays, rows, columns, rotation, centre, primitives):
    """
    Tell which primitives' boxes reach into which tile's pyramid: (F * T, P) bool.

    A pyramid is where its column of tiles and its row of tiles meet, so that planes are tried for
    each row and column only.
    """
    # rays (F, H, W, 3), rotation (F, P, 3, 3) camera from local, centre (F, P, 3)
    x = rays[:, 0, :, 0].unflatten(1, (columns, TILE))
    y = rays[:, :, 0, 1].unflatten(1, (rows, TILE))
    axes = rotation * primitives.half[:, None, :]
    in_columns = _within(x[..., 0], x[..., -1], axes[:, :, 0], axes[:, :, 2], centre[..., ::2])
    in_rows = _within(y[..., 0], y[..., -1], axes[:, :, 1], axes[:, :, 2], centre[..., 1:])
    ahead = centre[..., 2] + axes[:, :, 2].abs().sum(-1) > 0
    reaching = in_rows[:, :, None] & (in_columns & ahead[:, None])[:, None]
    return reaching.flatten(0, 2)


def _within(least, most, across, along, centre):
    """
    Tell which boxes reach between two planes through the camera: (F, S, P) bool.

    `least`, `most` (F, S) are the planes' tangents, `across`, `along` (F, P, 3) the components of
    the boxes' half axes and `centre` (F, P, 2) of their centres.
    """
    x, z = centre[:, None, :, 0], centre[:, None, :, 1]
    inside = torch.ones((), dtype=torch.bool, device=centre.device)
    for tangent, side in ((least, 1.0), (most, -1.0)):
        tangent = tangent[:, :, None]
        reach = torch.zeros((), device=centre.device)
        for axis in range(3):
            reach = reach + (across[:, None, :, axis] - tangent * along[:, None, :, axis]).abs_()
        inside = inside & (side * (x - tangent * z) + reach > 0)
    return inside


def _cast_kind(kind, begin, tiles, frame, seen, unit_from_camera, origin, depth, hit):
    """Lower `depth` and set `hit` (T, N) where a primitive of one kind is nearer."""
    number = seen.sum(1)
    tile, solid = seen.nonzero().unbind(1)
    rank = torch.arange(len(tile), device=tile.device) - (number.cumsum(0) - number)[tile]
    number, order = number.sort()
    counts = number.tolist()
    # Tiles that see equally many go together; missing ones are made up for by the first solid.
    chosen = torch.full((len(seen), max(counts)), begin, device=tile.device)
    chosen[tile, rank] = solid + begin
    budget = 2**15 if depth.device.type == 'cpu' else 2**24
    last = len(counts)
    while last > 0 and counts[last - 1] > 0:
        width = counts[last - 1]
        first = max(0, last - max(1, budget // (width * tiles.shape[-1])))
        picked = order[first:last]
        which = chosen[picked, :width]
        _cast_group(kind, tiles, frame, picked, which, unit_from_camera, origin, depth, hit)
        last = first


def _cast_group(kind, tiles, frame, picked, which, unit_from_camera, origin, depth, hit):
    # picked (B,) tiles, which (B, K) primitives
    at = frame[picked][:, None]
    group, width = which.shape
    direction = unit_from_camera[at, which].view(group, width * 3, 3) @ tiles[picked]
    direction = direction.view(group, width, 3, -1)
    enter, leave = _slabs(kind, direction, origin[at, which])
    # Written so that not-a-number counts as missed.
    met = (enter < leave) & (enter > NEAREST)
    nearest, index = torch.where(met, enter, torch.inf).min(1)
    before = depth[picked]
    closer = nearest < before
    depth[picked] = torch.where(closer, nearest, before)
    hit[picked] = torch.where(closer, which.gather(1, index), hit[picked])


def _slabs(kind, direction, origin):
    """
    Return where rays enter and leave a unit solid, (B, K, N) each, along their own length.

    `direction` (B, K, 3, N), which is overwritten, and `origin` (B, K, 3, 1).
    """
    if kind == BOX:
        enter, leave = _intervals(direction, origin)
        return _of_three(torch.maximum, enter), _of_three(torch.minimum, leave)
    axes = 2 if kind == CYLINDER else 3
    flat, start = direction[:, :, :axes].unbind(2), origin[:, :, :axes].unbind(2)
    square = _dot(flat, flat).clamp_min_(1e-20)
    closest = -_dot(flat, start) / square
    # From the point of the ray closest to the axis or centre: no cancellation when far away.
    offset = [torch.addcmul(at, ray, closest) for at, ray in zip(start, flat, strict=True)]
    half = torch.sqrt((1 - _dot(offset, offset)) / square)  # not a number where missed
    enter, leave = closest - half, closest + half
    if kind == CYLINDER:
        low, high = _intervals(direction[:, :, 2], origin[:, :, 2])
        enter, leave = torch.maximum(enter, low), torch.minimum(leave, high)
    return enter, leave


def _of_three(choose, values):
    """Reduce (B, K, 3, N) to (B, K, N); unrolled, which is faster for three."""
    return choose(choose(values[:, :, 0], values[:, :, 1]), values[:, :, 2])


def _dot(one, other):
    """Return the sum of products of two lists of components."""
    total = one[0] * other[0]
    for a, b in zip(one[1:], other[1:], strict=True):
        total.addcmul_(a, b)
    return total


def _intervals(direction, origin):
    """Return where rays enter and leave the slab from -1 to 1 of each axis."""
    # Adding 1e-9 changes nothing but an exact zero, whose inverse would not be finite.
    inverse = direction.add_(1e-9).reciprocal_()
    middle = -origin * inverse
    inverse.abs_()
    return middle - inverse, middle.add_(inverse)
