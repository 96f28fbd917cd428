# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tileable random fields and grids from which textures are made."""

from __future__ import annotations

import torch


class Noise:
    """Draw square tileable fields of one size from one generator."""

    def __init__(self, size: int, seed: int):
        self.size = size
        self.generator = torch.Generator().manual_seed(seed)
        ticks = (torch.arange(size, dtype=torch.float32) + 0.5) / size
        self.v, self.u = torch.meshgrid(ticks, ticks, indexing='ij')

    def uniform(self, least: float = 0.0, most: float = 1.0) -> float:
        """Draw one number."""
        return least + (most - least) * float(torch.rand((), generator=self.generator))

    def integer(self, least: int, most: int) -> int:
        """Draw one integer from `least` to `most`, both included."""
        return int(torch.randint(least, most + 1, (), generator=self.generator))

    def table(self, *shape: int) -> torch.Tensor:
        """Draw uniform numbers in [0, 1)."""
        return torch.rand(shape, generator=self.generator)

    def field(self, falloff: float, stretch: float = 1.0, lowest: float = 1.0) -> torch.Tensor:
        """
        Return (S, S) noise of mean 0 and deviation 1 with amplitude 1 / frequency^falloff.

        `stretch` above 1 draws it out along v; frequencies below `lowest` cycles are left out.
        """
        size = self.size
        white = torch.randn(size, size, generator=self.generator)
        rows = torch.fft.fftfreq(size, 1.0 / size)[:, None] * stretch
        columns = torch.fft.rfftfreq(size, 1.0 / size)[None]
        frequency = torch.sqrt(rows**2 + columns**2)
        gain = frequency.clamp_min(1e-3).pow(-falloff) * (frequency >= lowest)
        noise = torch.fft.irfft2(torch.fft.rfft2(white) * gain, s=(size, size))
        return noise / noise.std().clamp_min(1e-6)

    def cells(self, rows: int, columns: int, shift: float = 0.0) -> tuple[torch.Tensor, ...]:
        """
        Cut the tile into a grid whose odd rows are shifted by `shift` columns.

        Returns the cell's index (S, S) in [0, rows * columns) and the place within the cell,
        (S, S) each in [0, 1), along u and along v.
        """
        v = self.v * rows
        row = v.floor()
        u = (self.u * columns + shift * (row % 2)) % columns
        column = u.floor()
        return (row * columns + column).long(), u - column, v - row


def edge_distance(u: torch.Tensor, v: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """Return the distance to a cell's edge as a fraction of the tile."""
    return torch.minimum(torch.minimum(u, 1 - u) / columns, torch.minimum(v, 1 - v) / rows)


def soft_step(value: torch.Tensor, edge: float, width: float) -> torch.Tensor:
    """Go smoothly from 0 below `edge` to 1 above `edge` + `width`."""
    x = ((value - edge) / width).clamp(0, 1)
    return x * x * (3 - 2 * x)
