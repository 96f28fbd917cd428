# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Estimate frames a second and memory on devices that nobody here has: python -m benchmarks.planning.

A frame's operations, bytes and kernels are counted on tensors without memory; a device's published
peaks and what one H200 was measured to make of its own turn them into time. **Estimated, not
measured**: a figure may be half or twice what a device then does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.budgets import Held
from benchmarks.launches import count_launches
from benchmarks.speed.parts import weight_bytes
from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.memory.estimate import estimate, GIB, Settings
from xstreamvggt_ros.model import ModelConfig, StreamVGGT

META = torch.device('meta')
DTYPE = torch.bfloat16
# Height and width of 4:3 images for the network.
SIZES = ((392, 518), (294, 392), (168, 224))
# Beside the products, passes over the same numbers: norms, GELU, casts, unpacking.
PASSES = 2
_PRODUCTS = ('mm', 'addmm', 'bmm', 'baddbmm', 'convolution')


@dataclass(frozen=True)
class Device:
    """
    What a device has, by its maker.

    tera: 1e12 operations a second, dense, bf16 or fp16 with sums in fp32. gigabytes: a second,
    read or written. gib: of memory, of which `system` are the operating system's where the two
    share it.
    """

    name: str
    tera: float
    gigabytes: float
    gib: int
    system: float = 0.0


# GeForce at half the rate that their tables give, which is with sums in fp16; Jetson's is a
# quarter of the published sparse int8 (Orin, its GPU alone) and an eighth of sparse FP4 (Thor).
DEVICES = (
    Device('H200', 989, 4800, 141),
    Device('RTX 4060', 30, 272, 8),
    Device('RTX 4070', 58, 504, 12),
    Device('RTX 4090', 165, 1008, 24),
    Device('L4', 121, 300, 24),
    Device('A100', 312, 1555, 40),
    Device('Orin NX', 15, 102, 16, system=2.5),
    Device('Orin AGX', 42.5, 205, 64, system=2.5),
    Device('Thor', 259, 273, 128, system=2.5),
)


@dataclass(frozen=True)
class Measured:
    """
    What one device made of its peaks: a captured frame in milliseconds, and the products' part.

    tera: published, for other devices are known by that only. kernels: counted, as `Work` does.
    """

    milliseconds: float
    products: float
    operations: float
    tera: float
    kernels: int

    @property
    def efficiency(self) -> float:
        """The share of the published rate that the products reach."""
        return self.operations / (self.tera * 1e12) / (1e-3 * self.products)

    @property
    def kernel(self) -> float:
        """Milliseconds of each kernel beside the products."""
        return (self.milliseconds - self.products) / self.kernels


# One H200 at commit 8785636, 518x392, 2,048 tokens, attention_value, 4 bits, bf16, captured.
H200 = Measured(milliseconds=31.7, products=9.0, operations=2.644e12, tera=989, kernels=6943)


@dataclass(frozen=True)
class Work:
    """What a steady frame asks of a device: operations, bytes read or written, kernels."""

    operations: float
    moved: float
    kernels: int

    def milliseconds(self, device: Device) -> float:
        """Estimate a captured frame: products or bytes, whichever takes longer, and kernels."""
        products = self.operations / (H200.efficiency * device.tera * 1e12)
        bytes_ = self.moved / (1e9 * device.gigabytes)
        return 1e3 * max(products, bytes_) + H200.kernel * self.kernels


@cache
def work_of(size: tuple[int, int], config: CacheConfig, preset: str = 'streamvggt') -> Work:
    """Count a steady frame of images (H, W), the point head off."""
    shape = ModelConfig.preset(preset)
    with META:
        model = StreamVGGT(shape).eval().requires_grad_(False)
        image = torch.empty(1, 1, 3, *size)
    model.set_precision(DTYPE)
    tokens = shape.tokens_per_frame(*size)
    held = _held(config, tokens)
    counter, moved = FlopCounterMode(display=False), _Moved(model)
    attention = _Attention(moved)
    with torch.no_grad(), counter, moved, attention:
        model.advance(image, Held(held, 0), False, point_head=False)
    # A frame's cache is read and unpacked, and attended to as written.
    stored = 2 * held * shape.embed_dim * shape.depth
    cached = stored * (config.bits / 8 + 2 * DTYPE.itemsize)
    launches = count_launches(shape, config, size, DTYPE)
    return Work(
        counter.get_total_flops() + attention.operations,
        weight_bytes(model, False) + cached + PASSES * moved.numbers * DTYPE.itemsize,
        sum(launches.values()),
    )


def _held(config: CacheConfig, tokens: int) -> int:
    return config.budget_tokens or int(config.budget_frames * tokens)


class _Moved(TorchDispatchMode):
    """Count the numbers that products read and write, their weights apart."""

    def __init__(self, model: StreamVGGT) -> None:
        super().__init__()
        self.numbers = 0
        self._weights = {_memory(each) for each in model.parameters()}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if func.overloadpacket.__name__ in _PRODUCTS:
            parts = [each for each in tree_leaves((args, out)) if isinstance(each, Tensor)]
            self.note(*(each for each in parts if _memory(each) not in self._weights))
        return out

    def note(self, *tensors: Tensor) -> None:
        self.numbers += sum(each.numel() for each in tensors)


class _Attention(TorchFunctionMode):
    """Count attention as the one kernel that it is on CUDA, which never writes its scores."""

    def __init__(self, moved: _Moved) -> None:
        super().__init__()
        self.operations = 0
        self._moved = moved

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is not functional.scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        queries, keys, values = args[:3]
        self.operations += 4 * queries.numel() * keys.shape[-2]
        self._moved.note(queries, keys, values, queries)
        return torch.empty_like(queries)


def _memory(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata


def planning_table(config: CacheConfig | None = None) -> str:
    """Set frames a second and memory, device by device and size by size."""
    config = config or CacheConfig.recommended()
    names = [f'{width}x{height}' for height, width in SIZES]
    rows = [
        '| device | memory | ' + ' | '.join(f'{name}, frames/s | GiB' for name in names) + ' |',
        '|---' * (2 + 2 * len(SIZES)) + '|',
    ]
    rows += [f'| {device.name} | {device.gib} GB | {_row(device, config)} |' for device in DEVICES]
    return '\n'.join(rows)


def _row(device: Device, config: CacheConfig) -> str:
    return ' | '.join(_cells(device, config))


def _cells(device: Device, config: CacheConfig) -> Iterator[str]:
    for size in SIZES:
        needed = estimate(
            Settings(ModelConfig.preset('streamvggt'), config, max(size), DTYPE)
        ).total
        rate = 1e3 / work_of(size, config).milliseconds(device)
        fits = needed <= (device.gib - device.system) * GIB
        yield f'{rate:.0f}' if rate >= 10 else f'{rate:.1f}'
        yield f'{needed / GIB:.1f}' if fits else f'{needed / GIB:.1f}, too much'


def notes(config: CacheConfig | None = None) -> str:
    """Say what the table is of, and what was counted."""
    config = config or CacheConfig.recommended()
    counted = '; '.join(
        f'{width}x{height} {work.operations / 1e12:.2f} TFLOP, {work.moved / 1e9:.1f} GB, '
        f'{work.kernels:,} kernels'
        for height, width in SIZES
        for work in [work_of((height, width), config)]
    )
    return (
        'streamvggt, bfloat16, point head off, captured, the recommended cache. Estimated, not '
        f'measured, but for what one H200 showed at commit 8785636: products at '
        f'{H200.efficiency:.0%} of the published rate, {1e3 * H200.kernel:.1f} us for each kernel '
        f'beside. Counted a frame: {counted}.'
    )


def main() -> None:
    """Print the table."""
    print(notes())
    print()
    print(planning_table())


if __name__ == '__main__':
    main()
