# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Unpacking as one Triton kernel; imported only where Triton runs."""

from __future__ import annotations

from torch import Tensor
import triton
import triton.language as tl

_ROWS_PER_PROGRAM = 32


@triton.jit
def _unpack_rows(
    codes, minimum, step, gain, offset, group, out, rows,
    HEADS: tl.constexpr, BYTES: tl.constexpr, BITS: tl.constexpr,
    HAS_CHANNELS: tl.constexpr, HAS_GROUPS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Unpack rows of BYTES bytes, one per slot and head, into BYTES * 8 / BITS numbers each."""
    parts: tl.constexpr = 8 // BITS
    dim: tl.constexpr = BYTES * parts
    # A long stream without a budget has more numbers than 32 bits count.
    row = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
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


def unpack_rows(
    codes: Tensor, minimum: Tensor, step: Tensor, bits: int, out: Tensor,
    channels: tuple[Tensor, Tensor] | None, group: Tensor | None,
) -> None:  # fmt: skip
    """Fill out (T, H, D), contiguous; the arguments are those of unpacking.unpack_into."""
    held, heads, width = codes.shape
    gain, offset = channels if channels is not None else (step, step)
    grid = (triton.cdiv(held * heads, _ROWS_PER_PROGRAM),)
    _unpack_rows[grid](
        codes, minimum, step, gain, offset, codes if group is None else group, out, held * heads,
        HEADS=heads, BYTES=width, BITS=bits, HAS_CHANNELS=channels is not None,
        HAS_GROUPS=group is not None, BLOCK=_ROWS_PER_PROGRAM,
    )  # fmt: skip
