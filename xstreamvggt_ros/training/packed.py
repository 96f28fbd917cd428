# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What a run goes on from, in one small file.

Weights are rounded to as many bits as fit; ten, with a scale for every block, are about what bf16
resolves, in which the network computes. Moments of the optimisers are left out:
they are formed anew while rates rise again.
"""

from __future__ import annotations

from collections.abc import Iterator
import json
from pathlib import Path

import torch
from torch import nn, Tensor
from torch.nn import functional

LIMIT = 16 << 20
# Bits of the averaged weights and of what those trained differ by, the best that fits is taken.
# 0: training goes on from the averaged ones.
CHOICES = ((16, 12), (16, 8), (12, 8), (12, 4), (12, 0), (10, 0), (8, 0))
BLOCK = 128
# Codes that are packed together fill whole bytes.
TOGETHER = 4


def save_packed(
    path: Path, parts: dict[str, nn.Module], notes: dict[str, object], limit: int = LIMIT
) -> None:
    """
    Write the modules 'averaged', 'model' and others, of at most `limit` bytes in all.

    notes: what read_notes gives back. A crash leaves the previous file. ValueError where the
    network is too large for the limit.
    """
    from safetensors.torch import save

    averaged, trained = _flat(parts['averaged']), _flat(parts['model'])
    others = {name: _flat(part) for name, part in parts.items() if name not in _BY_BITS}
    for bits in CHOICES:
        if sum(_size(len(averaged), count) for count in bits) > limit:
            continue
        tensors = {}
        tensors |= pack('averaged', averaged, bits[0])
        if bits[1]:
            known = unpack('averaged', tensors, len(averaged), bits[0])
            tensors |= pack('model', trained - known, bits[1])
        for name, flat in others.items():
            tensors |= pack(name, flat, 16)
        content = save(tensors, {'notes': json.dumps(notes), 'bits': json.dumps(bits)})
        if len(content) <= limit:
            partial = path.with_suffix('.partial')
            partial.write_bytes(content)
            partial.rename(path)
            return
    raise ValueError(
        f'a network of {len(averaged)} weights does not fit a file of {limit >> 20} MiB to go on '
        'from; give --steps instead of --minutes, which keeps everything'
    )


def load_packed(path: Path, parts: dict[str, nn.Module]) -> None:
    """Fill modules from a file of save_packed; 'averaged' must be among them."""
    from safetensors import safe_open
    from safetensors.torch import load_file

    tensors = load_file(path)
    with safe_open(path, 'pt') as file:
        bits = json.loads(file.metadata()['bits'])
    count = _count(parts['averaged'])
    averaged = unpack('averaged', tensors, count, bits[0])
    _fill(parts['averaged'], averaged)
    for name, part in parts.items():
        if name == 'model':
            moved = unpack('model', tensors, count, bits[1]) if bits[1] else 0
            _fill(part, averaged + moved)
        elif name != 'averaged':
            _fill(part, unpack(name, tensors, _count(part), 16))


def read_notes(path: Path) -> dict:
    """Return the notes of a file of save_packed."""
    from safetensors import safe_open

    with safe_open(path, 'pt') as file:
        return json.loads(file.metadata()['notes'])


def pack(name: str, values: Tensor, bits: int) -> dict[str, Tensor]:
    """Round values (n,) to `bits`, even and at most 16, a scale for each block of them."""
    padded = functional.pad(values, (0, _padded(len(values)) - len(values)))
    blocks = padded.view(-1, BLOCK)
    scale = blocks.abs().amax(1) / _largest(bits)
    codes = (blocks / scale.clamp_min(torch.finfo(torch.float32).tiny)[:, None]).round_()
    codes = codes.clamp_(-_largest(bits), _largest(bits)).long() + _largest(bits)
    groups = codes.view(-1, TOGETHER)
    shifts = bits * torch.arange(TOGETHER, device=values.device)
    # Sixteen bits fill the sign, too, which moves nothing.
    words = (groups << shifts).sum(1)
    packed = words.view(torch.uint8).view(-1, 8)[:, : bits * TOGETHER // 8].contiguous()
    return {f'{name}.codes': packed.cpu(), f'{name}.scale': scale.cpu()}


def unpack(name: str, tensors: dict[str, Tensor], count: int, bits: int) -> Tensor:
    """Return the `count` values that pack took."""
    packed, scale = tensors[f'{name}.codes'], tensors[f'{name}.scale']
    whole = torch.zeros(len(packed), 8, dtype=torch.uint8)
    whole[:, : packed.shape[1]] = packed
    shifts = bits * torch.arange(TOGETHER)
    codes = (whole.view(torch.int64) >> shifts) & ((1 << bits) - 1)
    values = (codes - _largest(bits)).view(-1, BLOCK).float() * scale[:, None]
    return values.flatten()[:count]


_BY_BITS = ('averaged', 'model')


def _largest(bits: int) -> int:
    return (1 << (bits - 1)) - 1


def _size(count: int, bits: int) -> int:
    return count * bits // 8 + 4 * (count // BLOCK) if bits else 0


def _weights(part: nn.Module) -> Iterator[Tensor]:
    return iter(part.state_dict().values())


def _padded(count: int) -> int:
    return -(-count // BLOCK) * BLOCK


def _count(part: nn.Module) -> int:
    return sum(_padded(weight.numel()) for weight in _weights(part))


@torch.no_grad()
def _flat(part: nn.Module) -> Tensor:
    """Lay weights in a row, each in blocks of its own."""
    rows = (weight.flatten().float() for weight in _weights(part))
    padded = [functional.pad(row, (0, _padded(len(row)) - len(row))) for row in rows]
    return torch.cat(padded).cpu()


@torch.no_grad()
def _fill(part: nn.Module, flat: Tensor) -> None:
    at = 0
    for weight in _weights(part):
        weight.copy_(flat[at : at + weight.numel()].view(weight.shape))
        at += _padded(weight.numel())
