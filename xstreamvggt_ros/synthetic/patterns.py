# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The looks of plain materials.

Each pattern returns (mask, tint): `mask` (S, S) in [0, 1] mixes a material's two colours and
`tint` (S, S, 3) or (S, S, 1) multiplies the result; its mean is about 1.
"""

from __future__ import annotations

import torch

from xstreamvggt_ros.synthetic.noise import edge_distance, Noise, soft_step


def plaster(noise: Noise):
    """Make painted wall: faint blotches and roller speckle."""
    blotches = 0.030 * noise.field(1.6) + 0.014 * noise.field(0.3)
    marks = soft_step(noise.field(1.3), 2.2, 0.8) * 0.35
    return marks, (1 + blotches)[..., None]


def concrete(noise: Noise):
    """Make concrete or screed: stains of every size, pores."""
    stains = 0.11 * noise.field(1.4) + 0.05 * noise.field(0.4)
    pores = soft_step(noise.field(0.2), 2.3, 0.4)
    return 0.6 * pores + 0.25 * soft_step(noise.field(1.7), 0.3, 1.5), (1 + stains)[..., None]


def asphalt(noise: Noise):
    """Make asphalt or gravel: grains, repairs, a crack."""
    grains = 0.16 * noise.field(0.15) + 0.09 * noise.field(1.5)
    crack = 1 - soft_step(noise.field(1.8).abs(), 0.0, 0.035)
    return 0.7 * crack, (1 + grains).clamp_min(0.3)[..., None]


def planks(noise: Noise):
    """Make boards along v with grain, each of its own shade, dark joints."""
    columns, rows = noise.integer(6, 12), noise.integer(1, 2)
    cell, v, u = noise.cells(columns, rows, noise.uniform(0.3, 0.5))
    cell, u, v = cell.T, u.T, v.T
    shade = 0.78 + 0.44 * noise.table(rows * columns)[cell]
    grain = 0.09 * noise.field(0.9, stretch=0.06) + 0.04 * noise.field(0.3, stretch=0.1)
    joints = 1 - soft_step(edge_distance(u, v, rows, columns), 0.0015, 0.003)
    warm = torch.stack((grain * 0.9, grain, grain * 1.15), -1)
    return 0.85 * joints, shade[..., None] * (1 + warm)


def wood(noise: Noise):
    """Make veneer: grain along v with a few growth bands."""
    bands = torch.sin(6.28 * (noise.integer(3, 7) * noise.u + 0.35 * noise.field(1.8, 0.1)))
    grain = 0.07 * noise.field(0.8, stretch=0.06) + 0.03 * noise.field(0.2, stretch=0.15)
    return 0.22 * (bands + 1), (1 + grain)[..., None]


def tiles(noise: Noise):
    """Make ceramic tiles with joints, slightly uneven in colour."""
    count = noise.integer(3, 7)
    rows = count if noise.uniform() < 0.7 else 2 * count
    cell, u, v = noise.cells(rows, count, noise.integer(0, 1) * 0.5)
    shade = 1 + 0.16 * (noise.table(rows * count)[cell] - 0.5)
    joints = 1 - soft_step(edge_distance(u, v, rows, count), 0.003, 0.004)
    cloud = 0.05 * noise.field(1.3) + 0.025 * noise.field(0.2)
    return 0.9 * joints, (shade * (1 + cloud))[..., None]


def checker(noise: Noise):
    """Make two colours of square tiles."""
    count = 2 * noise.integer(2, 4)
    cell, u, v = noise.cells(count, count)
    odd = ((cell // count + cell % count) % 2).float()
    joints = 1 - soft_step(edge_distance(u, v, count, count), 0.002, 0.004)
    return odd, ((1 - 0.4 * joints) * (1 + 0.07 * noise.field(1.1)))[..., None]


def bricks(noise: Noise):
    """Make running bond: bricks of many shades, mortar."""
    rows, columns = 2 * noise.integer(6, 9), noise.integer(4, 6)
    cell, u, v = noise.cells(rows, columns, 0.5)
    table = noise.table(rows * columns, 3)
    shade = 0.72 + 0.5 * table[cell][..., :1] + 0.14 * (table[cell] - 0.5)
    wobble = 0.0012 * noise.field(1.0)
    mortar = 1 - soft_step(edge_distance(u, v, rows, columns) + wobble, 0.003, 0.004)
    rough = 1 + 0.13 * noise.field(0.7) + 0.05 * noise.field(1.6)
    return 0.9 * mortar, shade * rough[..., None]


def blocks(noise: Noise):
    """Make stone or concrete blocks, paving."""
    rows, columns = 2 * noise.integer(2, 4), noise.integer(3, 6)
    cell, u, v = noise.cells(rows, columns, noise.uniform(0.3, 0.5))
    shade = 0.8 + 0.4 * noise.table(rows * columns)[cell]
    edge = edge_distance(u, v, rows, columns) + 0.002 * noise.field(1.0)
    joints = 1 - soft_step(edge, 0.003, 0.006)
    rough = 1 + 0.12 * noise.field(0.9) + 0.05 * noise.field(0.2)
    return 0.8 * joints, (shade * rough)[..., None]


def stripes(noise: Noise):
    """Make bands along v of low contrast and random widths."""
    count = noise.integer(12, 28)
    edges = torch.cumsum(0.3 + noise.table(count), 0)
    band = torch.searchsorted(edges / edges[-1], noise.u[0].contiguous())
    tones = noise.table(count + 1)[band]
    weave = 0.05 * noise.field(0.2) + 0.04 * noise.field(1.4)
    return tones[None].expand(noise.size, -1), (1 + weave)[..., None]


def fabric(noise: Noise):
    """Make woven cloth with folds."""
    weave = torch.sin(6.283 * 48 * noise.u) * torch.sin(6.283 * 48 * noise.v)
    folds = 0.10 * noise.field(1.7) + 0.05 * noise.field(0.5)
    return 0.25 + 0.12 * weave, (1 + folds)[..., None]


def folds(noise: Noise):
    """Make a curtain: vertical folds."""
    count = noise.integer(5, 9)
    phase = 6.283 * (count * noise.u + 0.15 * noise.field(1.8, stretch=0.3))
    shade = 1 + 0.28 * torch.sin(phase) + 0.10 * torch.sin(2.7 * phase)
    return 0.2 * soft_step(noise.field(1.4), 0.5, 1.0), (shade + 0.03 * noise.field(0.2))[
        ..., None
    ]


def carpet(noise: Noise):
    """Make short pile, speckled, trodden."""
    speckle = 0.20 * noise.field(0.1) + 0.08 * noise.field(1.5)
    return soft_step(noise.field(0.4), 0.4, 1.2), (1 + speckle).clamp_min(0.4)[..., None]


def rug(noise: Noise):
    """Make a rug with border, medallions and pile; fitted to its face."""
    edge = torch.minimum(torch.minimum(noise.u, 1 - noise.u), torch.minimum(noise.v, 1 - noise.v))
    rings = torch.sin(edge * 6.283 * noise.integer(6, 14))
    a, b = noise.integer(2, 5), noise.integer(2, 7)
    motif = torch.cos(6.283 * a * noise.u) * torch.cos(6.283 * b * noise.v)
    motif = motif + 0.5 * torch.cos(6.283 * 3 * a * noise.u) + 0.2 * noise.field(1.0)
    mask = torch.where(edge < 0.12, soft_step(rings, -0.3, 0.6), soft_step(motif, 0.0, 0.3))
    return mask, (1 + 0.14 * noise.field(0.2))[..., None]


def wallpaper(noise: Noise):
    """Make a repeated motif of low contrast."""
    count = noise.integer(5, 10)
    u, v = 6.283 * count * noise.u, 6.283 * count * noise.v
    p, q = noise.uniform(0, 3), noise.integer(1, 3)
    motif = torch.cos(u) * torch.cos(v) + 0.6 * torch.cos(q * u + p) * torch.cos(2 * v)
    mask = 0.55 * soft_step(motif, 0.1, 0.35)
    return mask, (1 + 0.03 * noise.field(1.5) + 0.02 * noise.field(0.2))[..., None]


def marble(noise: Noise):
    """Make veins in a clouded stone."""
    veins = 1 - soft_step((noise.field(1.6) + 0.15 * noise.field(0.8)).abs(), 0.0, 0.16)
    return 0.7 * veins, (1 + 0.06 * noise.field(1.3) + 0.02 * noise.field(0.2))[..., None]


def terrazzo(noise: Noise):
    """Make chips of many tones in cement."""
    chips = noise.field(0.35, lowest=10)
    tone = 1 + 0.22 * torch.tanh(3 * noise.field(0.5, lowest=8))
    return soft_step(chips, 0.9, 0.3), (tone * (1 + 0.04 * noise.field(1.5)))[..., None]


def metal(noise: Noise):
    """Make painted or brushed metal with scratches."""
    brushed = 0.04 * noise.field(0.4, stretch=0.04) + 0.04 * noise.field(1.6)
    scratch = soft_step(noise.field(0.3, stretch=0.08), 2.5, 0.6)
    return 0.6 * scratch, (1 + brushed)[..., None]


def grass(noise: Noise):
    """Make grass with dry patches."""
    blades = 0.22 * noise.field(0.3, stretch=0.5) + 0.16 * noise.field(1.2)
    hue = 0.08 * noise.field(1.2)
    tint = torch.stack((1 + blades + hue, 1 + blades, 1 + blades - hue), -1)
    return 0.8 * soft_step(noise.field(1.4), 0.4, 1.6), tint.clamp_min(0.25)


def leaves(noise: Noise):
    """Make foliage: clumps with deep gaps."""
    clumps = noise.field(0.9, lowest=5) + 0.5 * noise.field(0.3, lowest=20)
    light = 0.25 + 1.1 * soft_step(clumps, -1.3, 2.2)
    hue = 0.07 * noise.field(1.0)
    tint = torch.stack((light + hue, light, light - hue), -1)
    return 0.8 * (1 - soft_step(clumps, -1.5, 0.9)), tint.clamp_min(0.1)


def bark(noise: Noise):
    """Make bark: ridges along v."""
    ridges = noise.field(0.7, stretch=0.25)
    light = 1 + 0.25 * ridges + 0.08 * noise.field(0.2)
    return 0.7 * soft_step(ridges, 0.6, 1.0), light.clamp_min(0.3)[..., None]


def clouds(noise: Noise):
    """Make clouds, as a mask."""
    cover = noise.field(1.5) + 0.3 * noise.field(0.9)
    return soft_step(cover, -0.2, 1.6), torch.ones(noise.size, noise.size, 1)
