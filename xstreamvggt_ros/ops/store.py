# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rounding, packing and scattering of a frame's tokens, and what is noted of them: one kernel."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
import triton
import triton.language as tl

from xstreamvggt_ros.ops.dispatch import launch, next_power_of_two, power_of_two
from xstreamvggt_ros.ops.stored import Stored

_SKIPPED, _PLAIN, _PACKED = 0, 1, 2
_ROWS = 32


@triton.jit
def _rounded(number):
    """Round to the nearest integer, ties to even, below 2**22."""
    return (number + 12582912.0) - 12582912.0


@triton.jit
def _centred(numbers, gain, offset, place, live, HAS_CHANNELS: tl.constexpr):
    if HAS_CHANNELS:
        factor = tl.load(gain + place, mask=live, other=1).to(tl.float32)
        numbers = tl.div_rn(
            numbers - tl.load(offset + place, mask=live, other=0).to(tl.float32), factor
        )
    return numbers


@triton.jit
def _store_packed(
    source, row, target, head, there, codes, minimum, step, gain, offset,
    DIM: tl.constexpr, BITS: tl.constexpr, HAS_CHANNELS: tl.constexpr,
):  # fmt: skip
    """Round rows (H, D) of tokens, as cache.codecs.affine does, into rows of slots."""
    parts: tl.constexpr = 8 // BITS
    width: tl.constexpr = DIM // parts
    top: tl.constexpr = 2**BITS - 1
    live = there[:, None]
    channel = tl.arange(0, DIM)[None, :]
    whole = tl.load(source + row[:, None] * DIM + channel, mask=live, other=0).to(tl.float32)
    whole = _centred(whole, gain, offset, head[:, None] * DIM + channel, live, HAS_CHANNELS)
    low, high = tl.min(whole, axis=1), tl.max(whole, axis=1)
    least = tl.minimum(tl.maximum(low, -65504.0), 65504.0).to(tl.float16)
    size = tl.minimum(tl.div_rn(high - low, top * 1.0 + tl.zeros_like(low)), 65504.0)
    size = size.to(tl.float16)
    # A group of equal numbers has step 0: any divisor then gives code 0, which reads as minimum.
    divisor = tl.maximum(size.to(tl.float32), 5.9604644775390625e-08)[:, None]
    base = least.to(tl.float32)[:, None]
    byte = tl.arange(0, width)[None, :]
    packed = tl.zeros([row.shape[0], width], dtype=tl.int32)
    for part in tl.static_range(parts):
        channel = part * width + byte
        piece = tl.load(source + row[:, None] * DIM + channel, mask=live, other=0).to(tl.float32)
        piece = _centred(piece, gain, offset, head[:, None] * DIM + channel, live, HAS_CHANNELS)
        code = _rounded(tl.div_rn(piece - base, divisor + tl.zeros_like(piece)))
        code = tl.minimum(tl.maximum(code, 0.0), top * 1.0).to(tl.int32)
        packed = packed | (code << (part * BITS))
    tl.store(codes + target[:, None] * width + byte, packed.to(tl.uint8), mask=live)
    tl.store(minimum + target, least, mask=there)
    tl.store(step + target, size, mask=there)


@triton.jit
def _store_plain(source, row, target, there, out, DIM: tl.constexpr):
    channel = tl.arange(0, DIM)[None, :]
    number = tl.load(source + row[:, None] * DIM + channel, mask=there[:, None], other=0)
    place = target[:, None] * DIM + channel
    tl.store(out + place, number.to(out.dtype.element_ty), mask=there[:, None])


@triton.jit
def _note_tokens(
    begin, count, slots, clock, frames, grids, keys, mean_key,
    HEADS: tl.constexpr, DIM: tl.constexpr, NOTES_KEY: tl.constexpr, TOKENS: tl.constexpr,
):  # fmt: skip
    """Note frame and grid index of tokens, and the mean of their keys over the heads."""
    token = begin + tl.arange(0, TOKENS)
    there = token < count
    slot = tl.load(slots + token, mask=there, other=0)
    newest = tl.load(clock).to(tl.int32)
    tl.store(frames + slot, newest + tl.zeros([TOKENS], dtype=tl.int32), mask=there)
    tl.store(grids + slot, token.to(tl.int32), mask=there)
    if NOTES_KEY:
        channel = tl.arange(0, DIM)[None, :]
        total = tl.zeros([TOKENS, DIM], dtype=tl.float32)
        for head in range(HEADS):
            place = (token[:, None] * HEADS + head) * DIM + channel
            total += tl.load(keys + place, mask=there[:, None], other=0).to(tl.float32)
        place = slot[:, None] * DIM + channel
        mean = (total / HEADS).to(mean_key.dtype.element_ty)
        tl.store(mean_key + place, mean, mask=there[:, None])


@triton.jit
def _store_frame(
    slots, clock, frames, grids,
    keys, k_rows, k_minimum, k_step, k_gain, k_offset, mean_key,
    values, v_rows, v_minimum, v_step, v_gain, v_offset, value_size, count,
    HEADS: tl.constexpr, DIM: tl.constexpr, BLOCK: tl.constexpr, TOKENS: tl.constexpr,
    K_HOW: tl.constexpr, K_BITS: tl.constexpr, K_HAS_CHANNELS: tl.constexpr,
    V_HOW: tl.constexpr, V_BITS: tl.constexpr, V_HAS_CHANNELS: tl.constexpr,
    NOTES_KEY: tl.constexpr, NOTES_SIZE: tl.constexpr,
):  # fmt: skip
    """Store keys where axis 1 is 0, values where it is 1, and what is noted where it is 2."""
    what = tl.program_id(1)
    row = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    token, head = row // HEADS, row % HEADS
    there = token < count
    target = tl.load(slots + token, mask=there, other=0) * HEADS + head
    if what == 0:
        if K_HOW == 2:
            _store_packed(keys, row, target, head, there, k_rows, k_minimum, k_step,
                          k_gain, k_offset, DIM, K_BITS, K_HAS_CHANNELS)  # fmt: skip
        elif K_HOW == 1:
            _store_plain(keys, row, target, there, k_rows, DIM)
    elif what == 1:
        if NOTES_SIZE:
            place = row[:, None] * DIM + tl.arange(0, DIM)[None, :]
            number = tl.load(values + place, mask=there[:, None], other=0).to(tl.float32)
            size = tl.minimum(tl.sum(tl.abs(number), axis=1), 65504.0)
            tl.store(value_size + target, size.to(value_size.dtype.element_ty), mask=there)
        if V_HOW == 2:
            _store_packed(values, row, target, head, there, v_rows, v_minimum, v_step,
                          v_gain, v_offset, DIM, V_BITS, V_HAS_CHANNELS)  # fmt: skip
        elif V_HOW == 1:
            _store_plain(values, row, target, there, v_rows, DIM)
    else:
        # There are as many programs as rows ask for; tokens are fewer.
        begin = tl.program_id(0).to(tl.int64) * TOKENS
        _note_tokens(begin, count, slots, clock, frames, grids, keys, mean_key,
                     HEADS, DIM, NOTES_KEY, TOKENS)  # fmt: skip


@dataclass(frozen=True)
class Destination:
    """
    Where a frame's keys and values go, None where they are stored by other means.

    frames, grids: (S,) int32, frame and grid index of each slot. mean_key (S, D), value_size
    (S, H): what is noted of each token, None where nothing is.
    """

    keys: Stored | None
    values: Stored | None
    frames: Tensor
    grids: Tensor
    mean_key: Tensor | None
    value_size: Tensor | None


def fits(head_dim: int) -> bool:
    """Whether the kernel takes heads of that width."""
    return power_of_two(head_dim)


def store_frame(
    slots: Tensor, newest: Tensor, keys: Tensor, values: Tensor, to: Destination
) -> None:
    """
    Store keys and values (N, H, D), contiguous, of a frame in slots (N,).

    newest is the frame's index, a scalar int64. Numbers are rounded as the codecs do.
    """
    count, heads, dim = keys.shape
    arguments, options = [], {}
    for name, tokens, stored, noted in (
        ('K', keys, to.keys, to.mean_key),
        ('V', values, to.values, to.value_size),
    ):
        how = _SKIPPED if stored is None else _PACKED if stored.bits < 16 else _PLAIN
        rows = tokens if stored is None else stored.rows
        minimum, step = (stored.minimum, stored.step) if how == _PACKED else (rows, rows)
        channels = stored.channels if how == _PACKED else None
        arguments += [tokens, rows, minimum, step, *(channels or (rows, rows))]
        arguments.append(rows if noted is None else noted)
        options |= {
            f'{name}_HOW': how,
            f'{name}_BITS': stored.bits if how == _PACKED else 8,
            f'{name}_HAS_CHANNELS': channels is not None,
        }
    launch(
        _store_frame, (triton.cdiv(count * heads, _ROWS), 3), slots, newest, to.frames, to.grids,
        *arguments, count,
        HEADS=heads, DIM=dim, BLOCK=_ROWS, TOKENS=_tokens(heads),
        NOTES_KEY=to.mean_key is not None, NOTES_SIZE=to.value_size is not None, **options,
    )  # fmt: skip


def _tokens(heads: int) -> int:
    """Return how many tokens a program notes, so that those that store rows are enough."""
    return next_power_of_two(triton.cdiv(_ROWS, heads))
