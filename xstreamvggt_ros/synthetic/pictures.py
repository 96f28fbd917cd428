# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The looks of made things that fill a face: doors, windows, books, pictures, facades.

As in `patterns`, each returns (mask, tint). Row 0 is at the bottom of a wall.
"""

from __future__ import annotations

import torch

from xstreamvggt_ros.synthetic.noise import edge_distance, Noise, soft_step


def muted(noise: Noise, count: int, strength: float = 0.35) -> torch.Tensor:
    """Draw `count` muted tints (count, 3) from dark to light, mostly warm or bluish."""
    value = 0.25 + 1.2 * noise.table(count, 1)
    warm = (noise.table(count, 1) * 2 - 0.7) * torch.tensor([1.0, 0.1, -1.0])
    green = 0.4 * (noise.table(count, 1) - 0.5) * torch.tensor([-0.5, 1.0, -0.5])
    return (value * (1 + strength * (warm + green) * (0.3 + noise.table(count, 1)))).clamp_min(
        0.05
    )


def panel(noise: Noise):
    """Make a door or cupboard front with raised fields, lit from above."""
    rows, columns = noise.integer(1, 3), noise.integer(1, 2)
    _, u, v = noise.cells(rows, columns)
    edge = edge_distance(u, v, rows, columns)
    inset = soft_step(edge, 0.045, 0.012)
    frame = (edge > 0.045) & (edge < 0.062)
    shade = torch.where(frame, torch.where(v > 0.5, 0.62, 1.15), 0.94 + 0.06 * (1 - inset))
    grain = 1 + 0.04 * noise.field(0.9, stretch=0.08) + 0.02 * noise.field(0.2)
    return torch.zeros_like(shade), (shade * grain)[..., None]


def drawers(noise: Noise):
    """Make fronts of drawers or cupboards with dark gaps and handles."""
    rows, columns = noise.integer(2, 4), noise.integer(1, 3)
    _, u, v = noise.cells(rows, columns)
    gaps = 1 - soft_step(edge_distance(u, v, rows, columns), 0.004, 0.006)
    handle = ((u - 0.5).abs() < 0.16) & ((v - 0.72).abs() < 0.035)
    shade = (1 + 0.04 * (v - 0.5)) * (1 + 0.04 * noise.field(0.9, stretch=0.1))
    return torch.where(handle, 0.75, 0.9 * gaps), shade[..., None]


def books(noise: Noise):
    """Make backs of books, upright, of different heights before a dark shelf."""
    count = noise.integer(16, 30)
    edges = torch.cumsum(0.35 + noise.table(count), 0)
    edges = edges / edges[-1]
    book = torch.searchsorted(edges, noise.u[0].contiguous())
    starts = torch.cat((torch.zeros(1), edges[:-1]))
    inside = (noise.u[0] - starts[book]) / (edges[book] - starts[book])
    height = (0.62 + 0.34 * noise.table(count))[book][None]
    tint = muted(noise, count, 0.5)[book][None].expand(noise.size, -1, -1)
    label = (noise.v - (0.3 + 0.4 * noise.table(count))[book][None]).abs() < 0.06
    tint = torch.where(
        (label & (noise.table(count)[book] > 0.4)[None])[..., None], 1.5 - 0.7 * tint, tint
    )
    round_back = (0.7 + 0.3 * torch.sin(3.14 * inside))[None]
    present = (noise.v < height) & (noise.table(count)[book] > 0.07)[None]
    shade = torch.where(present, round_back, torch.full_like(noise.u, 0.06))
    return torch.zeros_like(shade), (tint * shade[..., None]).clamp_min(0.03)


def goods(noise: Noise):
    """Make boxes and packets on a shelf."""
    rows, columns = noise.integer(2, 4), noise.integer(3, 6)
    cell, u, v = noise.cells(rows, columns, noise.uniform())
    tint = muted(noise, rows * columns, 0.4)[cell]
    gap = 1 - soft_step(edge_distance(u, v, rows, columns), 0.004, 0.01)
    label = ((u - 0.5).abs() < 0.3) & ((v - 0.45).abs() < 0.2)
    tint = torch.where(label[..., None], 0.5 * tint + 0.6, tint)
    shade = (1 - 0.85 * gap) * (1 + 0.05 * noise.field(1.0))
    return torch.zeros_like(shade), tint * shade[..., None]


def poster(noise: Noise):
    """Make a picture: a blurred landscape of colours with shapes upon it, in a border."""
    base = muted(noise, 3, 0.5)
    low = soft_step(noise.field(1.9) + 2 * (noise.v - 0.5), -0.4, 1.0)
    mid = soft_step(noise.field(1.5), -0.2, 0.6)
    tint = base[0] * (1 - low[..., None]) + base[1] * low[..., None]
    tint = tint * (1 - 0.5 * mid[..., None]) + 0.5 * mid[..., None] * base[2]
    for colour in muted(noise, noise.integer(3, 8), 0.6):
        u, v = noise.uniform(0.1, 0.9), noise.uniform(0.1, 0.9)
        a, b = noise.uniform(0.03, 0.25), noise.uniform(0.03, 0.25)
        du, dv = ((noise.u - u) / a).abs(), ((noise.v - v) / b).abs()
        inside = torch.maximum(du, dv) < 1 if noise.uniform() < 0.5 else du**2 + dv**2 < 1
        tint = torch.where(inside[..., None], colour, tint)
    edge = torch.minimum(torch.minimum(noise.u, 1 - noise.u), torch.minimum(noise.v, 1 - noise.v))
    border = edge < noise.uniform(0.02, 0.08)
    frame = torch.full((3,), 0.2 if noise.uniform() < 0.5 else 1.3)
    tint = torch.where(border[..., None], frame, tint * (1 + 0.12 * noise.field(0.9))[..., None])
    return torch.zeros_like(noise.u), tint.clamp_min(0.03)


def notice(noise: Noise):
    """Make paper or board with lines of writing and a figure."""
    lines = noise.integer(14, 26)
    _, _, v = noise.cells(lines, 1)
    row = (noise.v * lines).long()
    words = noise.table(lines, noise.size).repeat_interleave(3, 1)[:, : noise.size] > 0.42
    length = (0.3 + 0.6 * noise.table(lines))[row]
    ink = words[row, (noise.u * noise.size).long().clamp_max(noise.size - 1)]
    ink = ink & ((v - 0.5).abs() < 0.24) & (noise.u > 0.08) & (noise.u < 0.08 + length)
    shade = torch.where(ink, 0.3, 1.0) * (1 + 0.03 * noise.field(1.3))
    top = noise.uniform(0.1, 0.6)
    left = noise.uniform(0.1, 0.5)
    figure = (noise.v > top) & (noise.v < top + 0.3) & (noise.u > left) & (noise.u < left + 0.4)
    tint = torch.where(figure[..., None], muted(noise, 1, 0.5)[0], shade[..., None])
    return torch.zeros_like(shade), tint * (1 + 0.04 * noise.field(1.0))[..., None]


def window(noise: Noise):
    """Make a window from within: bright panes with something outside, mullions."""
    rows, columns = noise.integer(1, 3), noise.integer(1, 3)
    _, u, v = noise.cells(rows, columns)
    skyline = 0.45 + 0.10 * noise.field(1.5)[0][None]
    below = soft_step(skyline - noise.v, 0.0, 0.02)[..., None]
    outside = 0.28 + 0.12 * noise.field(1.2)[..., None] * torch.tensor([0.7, 1.0, 0.6])
    sky = (0.8 + 0.4 * noise.v[..., None]) * torch.tensor([0.92, 1.0, 1.08])
    tint = below * outside + (1 - below) * sky
    bars = 1 - soft_step(edge_distance(u, v, rows, columns), 0.014, 0.006)
    return bars, torch.lerp(tint, torch.ones(3), bars[..., None]).clamp_min(0.05)


def facade(noise: Noise):
    """Make a storey or several of a house wall: windows with frames and sills in the wall."""
    rows, columns = noise.integer(2, 3), noise.integer(2, 4)
    cell, u, v = noise.cells(rows, columns)
    a, b = noise.uniform(0.22, 0.36), noise.uniform(0.26, 0.36)
    du, dv = (u - 0.5).abs() / a, (v - 0.52).abs() / b
    inside = torch.maximum(du, dv)
    bar = ((u - 0.5).abs() < 0.02) | ((v - 0.6).abs() < 0.015)
    glass = (0.12 + 0.30 * noise.table(rows * columns)[cell] + 0.25 * (v - 0.3))[..., None]
    glass = glass * torch.tensor([0.85, 1.0, 1.12]) * (1 + 0.1 * noise.field(1.4))[..., None]
    wall = (1 + 0.06 * noise.field(1.5) + 0.05 * noise.field(0.3))[..., None].expand(-1, -1, 3)
    wall = (
        wall * (1 - 0.5 * ((v > 0.52 - b - 0.09) & (v < 0.52 - b - 0.05) & (du < 1.1)))[..., None]
    )
    tint = torch.where(((inside < 1) & ~bar)[..., None], glass, wall)
    mask = ((inside < 1.14) & ((inside >= 1) | bar)).float()
    return mask, tint.clamp_min(0.03)


def cardboard(noise: Noise):
    """Make a parcel: cardboard, tape, perhaps a label."""
    tape = ((noise.u - 0.5).abs() < 0.06).float()
    left, low = noise.uniform(0.05, 0.25), noise.uniform(0.1, 0.6)
    label = (noise.u > left) & (noise.u < left + 0.25) & (noise.v > low) & (noise.v < low + 0.2)
    mask = torch.maximum(0.55 * tape, label.float())
    return mask, (1 + 0.07 * noise.field(1.2) + 0.04 * noise.field(0.3, stretch=0.1))[..., None]


def grille(noise: Noise):
    """Make a radiator, shutter or vent: ribs along v."""
    _, u, _ = noise.cells(1, noise.integer(10, 22))
    shade = 0.72 + 0.42 * torch.sin(3.14 * u) + 0.03 * noise.field(1.2)
    return 0.8 * (1 - soft_step(torch.minimum(u, 1 - u), 0.03, 0.12)), shade[..., None]


def screen(noise: Noise):
    """Make a screen that shows some windows of text."""
    tint = torch.full((noise.size, noise.size, 3), 0.12) * (1 + 0.2 * noise.v[..., None])
    for colour in muted(noise, noise.integer(1, 3), 0.4):
        left, low = noise.uniform(0.05, 0.5), noise.uniform(0.1, 0.4)
        pane = (noise.u - left).clamp(0, 0.45) == (noise.u - left)
        pane = pane & ((noise.v - low).clamp(0, 0.5) == (noise.v - low))
        text = (noise.field(0.4, stretch=6.0, lowest=8) > 0.5).float()[..., None]
        tint = torch.where(pane[..., None], colour * (1 - 0.5 * text), tint)
    return torch.zeros_like(noise.u), tint.clamp_min(0.03)
