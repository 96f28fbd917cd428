# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Unpacking as one Triton kernel; imported only where Triton runs."""

from __future__ import annotations

from torch import Tensor
import triton
import triton.language as tl

from xstreamvggt_ros.ops.dispatch import launch
from xstreamvggt_ros.ops.stored import Stored

_ROWS_PER_PROGRAM = 32


@triton.jit
def _unpack(
    row, rows, codes, minimum, step, gain, offset, group, out,
    HEADS: tl.constexpr, BYTES: tl.constexpr, BITS: tl.constexpr,
    HAS_CHANNELS: tl.constexpr, HAS_GROUPS: tl.constexpr,
):  # fmt: skip
    """Unpack rows of BYTES bytes, one per slot and head, into BYTES * 8 / BITS numbers each."""
    parts: tl.constexpr = 8 // BITS
    dim: tl.constexpr = BYTES * parts
    head = row % HEADS
    byte = tl.arange(0, BYTES)
    live = (row < rows)[:, None]
    packed = tl.load(codes + row[:, None] * BYTES + byte[None, :], mask=live, other=0)
    if HAS_GROUPS:
        owner = tl.load(group + row // HEADS, mask=row < rows, other=0).to(tl.int64) * HEADS + head
    else:
        low = tl.load(minimum + row, mask=row < rows, other=0).to(tl.float32)[:, None]
        width = tl.load(step + row, mask=row < rows, other=0).to(tl.float32)[:, None]
    for part in tl.static_range(parts):
        code = ((packed >> (part * BITS)) & ((1 << BITS) - 1)).to(tl.float32)
        channel = part * BYTES + byte[None, :]
        if HAS_GROUPS:
            place = owner[:, None] * dim + channel
            low = tl.load(minimum + place, mask=live, other=0).to(tl.float32)
            width = tl.load(step + place, mask=live, other=0).to(tl.float32)
        number = low + width * code
        if HAS_CHANNELS:
            place = head[:, None] * dim + channel
            factor = tl.load(gain + place, mask=live, other=0).to(tl.float32)
            number = number * factor + tl.load(offset + place, mask=live, other=0).to(tl.float32)
        tl.store(out + row[:, None] * dim + channel, number.to(out.dtype.element_ty), mask=live)


@triton.jit
def _unpack_both(
    k_codes, k_minimum, k_step, k_gain, k_offset, k_group, k_out,
    v_codes, v_minimum, v_step, v_gain, v_offset, v_group, v_out, rows,
    HEADS: tl.constexpr, BLOCK: tl.constexpr,
    K_BYTES: tl.constexpr, K_BITS: tl.constexpr,
    K_HAS_CHANNELS: tl.constexpr, K_HAS_GROUPS: tl.constexpr,
    V_BYTES: tl.constexpr, V_BITS: tl.constexpr,
    V_HAS_CHANNELS: tl.constexpr, V_HAS_GROUPS: tl.constexpr,
):  # fmt: skip
    """Unpack keys where axis 1 is 0, values where it is 1."""
    # A long stream without a budget has more numbers than 32 bits count.
    row = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    if tl.program_id(1) == 0:
        _unpack(row, rows, k_codes, k_minimum, k_step, k_gain, k_offset, k_group, k_out,
                HEADS, K_BYTES, K_BITS, K_HAS_CHANNELS, K_HAS_GROUPS)  # fmt: skip
    else:
        _unpack(row, rows, v_codes, v_minimum, v_step, v_gain, v_offset, v_group, v_out,
                HEADS, V_BYTES, V_BITS, V_HAS_CHANNELS, V_HAS_GROUPS)  # fmt: skip


def unpack_both(keys: Stored, keys_out: Tensor, values: Stored, values_out: Tensor) -> None:
    """Fill keys_out and values_out (T, H, D), contiguous, with what the first T slots hold."""
    _launch(((keys, keys_out), (values, values_out)))


def unpack_one(stored: Stored, out: Tensor) -> None:
    """Fill out (T, H, D), contiguous, with what the first T slots hold."""
    _launch(((stored, out),))


def _launch(sides: tuple[tuple[Stored, Tensor], ...]) -> None:
    """Unpack one side or two, of as many slots and heads."""
    held, heads, _ = sides[0][1].shape
    arguments, options = [], {}
    # Of one side alone the second is never looked at.
    for name, (stored, out) in zip('KV', (*sides, *sides), strict=False):
        codes = stored.rows
        gain, offset = stored.channels or (codes, codes)
        group = codes if stored.group is None else stored.group
        arguments += [codes, stored.minimum, stored.step, gain, offset, group, out]
        options |= {
            f'{name}_BYTES': codes.shape[-1],
            f'{name}_BITS': stored.bits,
            f'{name}_HAS_CHANNELS': stored.channels is not None,
            f'{name}_HAS_GROUPS': stored.group is not None,
        }
    grid = (triton.cdiv(held * heads, _ROWS_PER_PROGRAM), len(sides))
    launch(
        _unpack_both, grid, *arguments, held * heads,
        HEADS=heads, BLOCK=_ROWS_PER_PROGRAM, **options,
    )  # fmt: skip
