# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A library of tileable textures with prefiltered levels, and its sampling."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch

from xstreamvggt_ros.synthetic import patterns, pictures
from xstreamvggt_ros.synthetic.noise import Noise

SIZE = 256
LEVELS = 7
# How many variants of each the library holds.
VARIANTS = {
    patterns.plaster: 3,
    patterns.concrete: 4,
    patterns.asphalt: 3,
    patterns.planks: 5,
    patterns.wood: 4,
    patterns.tiles: 5,
    patterns.checker: 2,
    patterns.bricks: 4,
    patterns.blocks: 4,
    patterns.stripes: 3,
    patterns.fabric: 3,
    patterns.folds: 2,
    patterns.carpet: 3,
    patterns.rug: 4,
    patterns.wallpaper: 3,
    patterns.marble: 2,
    patterns.terrazzo: 2,
    patterns.metal: 2,
    patterns.grass: 3,
    patterns.leaves: 3,
    patterns.bark: 2,
    patterns.clouds: 2,
    pictures.panel: 4,
    pictures.drawers: 4,
    pictures.books: 6,
    pictures.goods: 4,
    pictures.poster: 14,
    pictures.notice: 4,
    pictures.window: 4,
    pictures.facade: 6,
    pictures.cardboard: 2,
    pictures.grille: 2,
    pictures.screen: 2,
}


@dataclass(frozen=True)
class TextureLibrary:
    """
    Hold all textures with their levels, each half as wide as the one before.

    `texels` (M, 4) half precision: factors of r, g, b and the mask. Level l of texture t begins at
    `starts[l]` + t * `sizes[l]`^2, both float32: M must stay below 2^24. `names` lists each
    pattern's textures.
    """

    texels: torch.Tensor
    starts: torch.Tensor
    sizes: torch.Tensor
    names: dict[str, tuple[int, ...]]

    def indices(self, name: str) -> tuple[int, ...]:
        """Return the textures of that name; raises ValueError for an unknown one."""
        if name not in self.names:
            raise ValueError(f'no texture {name!r}: choose one of {", ".join(self.names)}')
        return self.names[name]

    def sample(self, texture, u, v, footprint) -> torch.Tensor:
        """
        Look up `texture` (M,) at `u`, `v` (M,) in tiles, filtered over `footprint` (M,) tiles.

        Returns (4, M): r, g, b factor, mask. Linear between texels and between levels.
        """
        level = torch.log2(footprint * SIZE).clamp_(0, LEVELS - 1.001)
        fine = level.floor()
        level -= fine
        fine = fine.long()
        # Indices are worked out in float32, which is exact here and several times faster.
        texture, u, v = texture.float(), u - u.floor(), v - v.floor()
        index, weight = torch.empty((2, 8, len(u)), device=u.device)
        self._corners(texture, u, v, fine, 1 - level, index[:4], weight[:4])
        self._corners(texture, u, v, fine + 1, level, index[4:], weight[4:])
        texels = torch.nn.functional.embedding_bag(
            index.int().T.contiguous(),
            self.texels,
            per_sample_weights=weight.to(self.texels.dtype).T.contiguous(),
            mode='sum',
        )
        return texels.float().T.contiguous()

    def _corners(self, texture, u, v, level, share, index, weight):
        """Set the four texels about a place in one level and how much of each to take, (4, M)."""
        size = self.sizes[level]
        x, y = (u * size).sub_(0.5), (v * size).sub_(0.5)
        left, low = x.floor(), y.floor()
        x -= left
        y -= low
        left += size * (left < 0)
        low += size * (low < 0)
        right, high = left + 1, low + 1
        right -= size * (right >= size)
        high -= size * (high >= size)
        start = self.starts[level] + texture * size * size
        low, high = low * size + start, high * size + start
        top = share * y
        bottom = share - top
        torch.stack((low + left, low + right, high + left, high + right), out=index)
        torch.stack((bottom * (1 - x), bottom * x, top * (1 - x), top * x), out=weight)


@lru_cache(maxsize=4)
def texture_library(seed: int, device: str = 'cpu') -> TextureLibrary:
    """Return the library of that seed; made once per process and device."""
    noise = Noise(SIZE, seed)
    images, names = [], {}
    for pattern, count in VARIANTS.items():
        names[pattern.__name__] = tuple(range(len(images), len(images) + count))
        images += [_texture(*pattern(noise)) for _ in range(count)]
    level = torch.stack(images)
    if level.numel() // 4 * 4 / 3 >= 2**24:
        raise ValueError(f'{len(images)} textures are too many for float32 indices: use fewer')
    rows, starts, sizes = [], [], []
    for _ in range(LEVELS):
        starts.append(sum(len(row) for row in rows))
        sizes.append(level.shape[-1])
        rows.append(level.permute(0, 2, 3, 1).reshape(-1, 4).half())
        level = torch.nn.functional.avg_pool2d(level, 2)
    return TextureLibrary(
        texels=torch.cat(rows).to(device),
        starts=torch.tensor(starts, dtype=torch.float32, device=device),
        sizes=torch.tensor(sizes, dtype=torch.float32, device=device),
        names=names,
    )


def _texture(mask: torch.Tensor, tint: torch.Tensor) -> torch.Tensor:
    """Return (4, S, S) from a pattern's mask (S, S) and tint (S, S, 1 or 3)."""
    tint = tint.expand(-1, -1, 3).clamp(0.02, 2.0)
    return torch.cat((tint, mask.clamp(0, 1)[..., None]), -1).permute(2, 0, 1)
