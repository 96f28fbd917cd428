# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a pose encoding and depth to matrices and points in the world, as one Triton kernel."""

from __future__ import annotations

from torch import Tensor
import triton
import triton.language as tl

from xstreamvggt_ros.ops.dispatch import launch

_PIXELS = 1024


@triton.jit
def _tangent(encoding, index, LEAST: tl.constexpr, MOST: tl.constexpr):
    """Give the tangent of half a field of view, brought into what cameras have."""
    angle = tl.load(encoding + index)
    # What is not a number stays so.
    angle = tl.where(angle < LEAST, LEAST, tl.where(angle > MOST, MOST, angle))
    return tl.sin(angle / 2) / tl.cos(angle / 2)


@triton.jit
def _lift(
    encoding, depth, pose, intrinsics, points, pixels, columns, height, width,
    LIFTS: tl.constexpr, LEAST: tl.constexpr, MOST: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Lift pixels; the first program writes the matrices, too."""
    x, y = tl.load(encoding + 3), tl.load(encoding + 4)
    z, w = tl.load(encoding + 5), tl.load(encoding + 6)
    squares = x * x + y * y + z * z + w * w
    scale = 2.0 / tl.where(squares < 1.1754943508222875e-38, 1.1754943508222875e-38, squares)
    a, b, c = 1 - scale * (y * y + z * z), scale * (x * y - z * w), scale * (x * z + y * w)
    d, e, f = scale * (x * y + z * w), 1 - scale * (x * x + z * z), scale * (y * z - x * w)
    g, h, i = scale * (x * z - y * w), scale * (y * z + x * w), 1 - scale * (x * x + y * y)
    t, u, v = tl.load(encoding), tl.load(encoding + 1), tl.load(encoding + 2)
    across = (width / 2) / _tangent(encoding, 8, LEAST, MOST)
    down = (height / 2) / _tangent(encoding, 7, LEAST, MOST)
    if tl.program_id(0) == 0:
        tl.store(pose, a)
        tl.store(pose + 1, b)
        tl.store(pose + 2, c)
        tl.store(pose + 3, t)
        tl.store(pose + 4, d)
        tl.store(pose + 5, e)
        tl.store(pose + 6, f)
        tl.store(pose + 7, u)
        tl.store(pose + 8, g)
        tl.store(pose + 9, h)
        tl.store(pose + 10, i)
        tl.store(pose + 11, v)
        tl.store(intrinsics, across)
        tl.store(intrinsics + 1, 0.0)
        tl.store(intrinsics + 2, width / 2)
        tl.store(intrinsics + 3, 0.0)
        tl.store(intrinsics + 4, down)
        tl.store(intrinsics + 5, height / 2)
        tl.store(intrinsics + 6, 0.0)
        tl.store(intrinsics + 7, 0.0)
        tl.store(intrinsics + 8, 1.0)
    if LIFTS:
        pixel = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
        live = pixel < pixels
        far = tl.load(depth + pixel, mask=live, other=0).to(tl.float32)
        right = ((pixel % columns).to(tl.float32) - width / 2) / across * far - t
        below = ((pixel // columns).to(tl.float32) - height / 2) / down * far - u
        ahead = far - v
        tl.store(points + 3 * pixel, right * a + below * d + ahead * g, mask=live)
        tl.store(points + 3 * pixel + 1, right * b + below * e + ahead * h, mask=live)
        tl.store(points + 3 * pixel + 2, right * c + below * f + ahead * i, mask=live)


def lift(
    encoding: Tensor, depth: Tensor, limits: tuple[float, float], lifts: bool = True
) -> tuple[Tensor, Tensor, Tensor | None]:
    """
    Return camera_from_world (3, 4), intrinsics (3, 3) and points (H, W, 3) in the world.

    Of a pose encoding (9,) and depth (H, W), fp32 and contiguous, as geometry.poses does; limits
    are those of a field of view. Without `lifts` there are no points.
    """
    height, width = depth.shape
    pose, intrinsics = encoding.new_empty(3, 4), encoding.new_empty(3, 3)
    points = depth.new_empty(height, width, 3) if lifts else None
    programs = triton.cdiv(height * width, _PIXELS) if lifts else 1
    launch(
        _lift, (programs,), encoding, depth, pose, intrinsics, depth if points is None else points,
        height * width, width, height * 1.0, width * 1.0,
        LIFTS=lifts, LEAST=limits[0], MOST=limits[1], BLOCK=_PIXELS,
    )  # fmt: skip
    return pose, intrinsics, points
