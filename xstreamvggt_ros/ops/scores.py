# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scores of held tokens by the new frame's pooled queries, over all heads at once, in Triton."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
import triton
import triton.language as tl

from xstreamvggt_ros.ops.dispatch import launch, next_power_of_two, power_of_two

# The least side of a block that is multiplied.
_LEAST_SIDE = 16
# More probes than that have no room beside each other.
_MOST_PROBES = 128
_KEYS, _SPLITS = 64, 8
_SCORED = 32
_ROWS_PER_PART, _ROWS = 256, 32


@dataclass(frozen=True)
class Probes:
    """
    How queries are pooled to probes.

    The first `special` stay as they are, of the others each `pool_size` are averaged, the rest by
    themselves.
    """

    special: int
    pool_size: int

    def count(self, tokens: int) -> int:
        """Return how many probes that many queries are pooled to."""
        return self.special + -(-(tokens - self.special) // self.pool_size)

    def fits(self, tokens: int, dim: int) -> bool:
        """Whether the kernels take queries (H, N, D) of that many tokens and that width."""
        return self.count(tokens) <= _MOST_PROBES and power_of_two(dim) and dim >= _LEAST_SIDE


@triton.jit
def _probe_sums(
    queries, keys, pooled, highest, sums, tokens, total, probes, special, scale,
    q_head, q_token, HEADS: tl.constexpr, DIM: tl.constexpr, POOL: tl.constexpr,
    PROBES: tl.constexpr, KEYS: tl.constexpr, SPLITS: tl.constexpr,
):  # fmt: skip
    """Pool the queries of a head, and take what their softmax over a share of the keys sums to."""
    head, split = tl.program_id(0).to(tl.int64), tl.program_id(1)
    probe, channel = tl.arange(0, PROBES), tl.arange(0, DIM)
    alone = probe < special
    first = tl.where(alone, probe, special + (probe - special) * POOL)
    size = tl.where(alone, 1, tl.minimum(tokens - first, POOL))
    size = tl.where(probe < probes, size, 0)
    query = tl.zeros([PROBES, DIM], dtype=tl.float32)
    for member in range(POOL):
        there = (member < size)[:, None]
        place = (first + member).to(tl.int64)[:, None] * q_token + channel[None, :]
        query += tl.load(queries + head * q_head + place, mask=there, other=0).to(tl.float32)
    query = query / tl.maximum(size, 1).to(tl.float32)[:, None]
    # Rounded as queries are, once pooled and once scaled.
    query = query.to(pooled.dtype.element_ty).to(tl.float32) * scale
    query = query.to(pooled.dtype.element_ty)
    if split == 0:
        place = (head * PROBES + probe)[:, None] * DIM + channel[None, :]
        tl.store(pooled + place, query)
    most = tl.full([PROBES], float('-inf'), dtype=tl.float32)
    summed = tl.zeros([PROBES], dtype=tl.float32)
    for begin in range(split * KEYS, total, SPLITS * KEYS):
        token = begin + tl.arange(0, KEYS).to(tl.int64)
        place = (token[None, :] * HEADS + head) * DIM + channel[:, None]
        key = tl.load(keys + place, mask=(token < total)[None, :], other=0)
        score = tl.dot(query, key, input_precision='ieee')
        score = tl.where((token < total)[None, :], score, float('-inf'))
        above = tl.maximum(most, tl.max(score, axis=1))
        summed = summed * tl.exp(most - above) + tl.sum(tl.exp(score - above[:, None]), axis=1)
        most = above
    place = (head * SPLITS + split) * PROBES + probe
    tl.store(highest + place, most)
    tl.store(sums + place, summed)


@triton.jit
def _mass_by_size(
    pooled, keys, highest, sums, sizes, out, held, probes,
    HEADS: tl.constexpr, DIM: tl.constexpr, PROBES: tl.constexpr, SPLITS: tl.constexpr,
    SCORED: tl.constexpr,
):  # fmt: skip
    """Score held tokens: the mean over heads of the mean softmax mass times the value's size."""
    token = tl.program_id(0).to(tl.int64) * SCORED + tl.arange(0, SCORED)
    probe, channel = tl.arange(0, PROBES), tl.arange(0, DIM)
    split = tl.arange(0, SPLITS)
    live = token < held
    total = tl.zeros([SCORED], dtype=tl.float32)
    for head in range(HEADS):
        place = (head * SPLITS + split)[:, None] * PROBES + probe[None, :]
        # A share without keys has nothing above -inf, and sums to nothing.
        parts = tl.load(highest + place)
        most = tl.max(parts, axis=0)
        weight = tl.sum(tl.load(sums + place) * tl.exp(parts - most[None, :]), axis=0)
        place = (token[:, None] * HEADS + head) * DIM + channel[None, :]
        key = tl.load(keys + place, mask=live[:, None], other=0)
        query = tl.load(pooled + (head * PROBES + probe)[None, :] * DIM + channel[:, None])
        score = tl.dot(key, query, input_precision='ieee')
        mass = tl.exp(score - most[None, :]) / weight[None, :]
        mass = tl.sum(tl.where((probe < probes)[None, :], mass, 0.0), axis=1) / probes
        size = tl.load(sizes + token * HEADS + head, mask=live, other=0).to(tl.float32)
        total += mass * size
    tl.store(out + token, total / HEADS, mask=live)


def mass_scores(queries: Tensor, keys: Tensor, sizes: Tensor, pooling: Probes) -> Tensor:
    """
    Return the score (T,) of held tokens by attention received times the value's size.

    queries (H, N, D), keys (T + N, H, D), contiguous, the held ones first, sizes (T, H). Scores
    and softmax are taken in fp32 of products in the queries' type.
    """
    heads, tokens, dim = queries.shape
    held, total, probes = len(sizes), len(keys), pooling.count(tokens)
    block = max(next_power_of_two(probes), _LEAST_SIDE)
    pooled = queries.new_empty(heads, block, dim)
    highest, sums = keys.new_empty(2, heads, _SPLITS, block, dtype=torch.float32)
    launch(
        _probe_sums, (heads, _SPLITS), queries, keys, pooled, highest, sums,
        tokens, total, probes, pooling.special, dim**-0.5, queries.stride(0), queries.stride(1),
        HEADS=heads, DIM=dim, POOL=pooling.pool_size, PROBES=block, KEYS=_KEYS, SPLITS=_SPLITS,
        num_warps=8,
    )  # fmt: skip
    out = keys.new_empty(held, dtype=torch.float32)
    launch(
        _mass_by_size, (triton.cdiv(held, _SCORED),), pooled, keys, highest, sums, sizes, out,
        held, probes,
        HEADS=heads, DIM=dim, PROBES=block, SPLITS=_SPLITS, SCORED=_SCORED,
    )  # fmt: skip
    return out


@triton.jit
def _direction(
    queries, parts, rows, tokens, special, q_head, q_token,
    HEADS: tl.constexpr, DIM: tl.constexpr, POOL: tl.constexpr, BLOCK: tl.constexpr,
    PER_PART: tl.constexpr, ROWS: tl.constexpr,
):  # fmt: skip
    """Sum a share of the queries, each by its weight in the mean of the probes."""
    part = tl.program_id(0).to(tl.int64)
    channel = tl.arange(0, BLOCK)
    rest = (tokens - special) % POOL
    probes = special + (tokens - special + POOL - 1) // POOL
    total = tl.zeros([BLOCK], dtype=tl.float32)
    for begin in range(0, PER_PART, ROWS):
        row = part * PER_PART + begin + tl.arange(0, ROWS)
        token, head = row // HEADS, row % HEADS
        pooled = tl.where(token < tokens - rest, POOL, rest)
        weight = tl.where(token < special, 1.0, 1.0 / tl.maximum(pooled, 1).to(tl.float32))
        live = (row < rows)[:, None] & (channel < DIM)[None, :]
        place = head[:, None] * q_head + token[:, None] * q_token + channel[None, :]
        query = tl.load(queries + place, mask=live, other=0).to(tl.float32)
        total += tl.sum(query * weight[:, None], axis=0)
    tl.store(parts + part * BLOCK + channel, total / (HEADS * probes))


@triton.jit
def _along(
    parts, mean_keys, out, held, count,
    DIM: tl.constexpr, BLOCK: tl.constexpr, SCORED: tl.constexpr,
):  # fmt: skip
    """Score held tokens by the inner product of their mean key with the sum of the parts."""
    token = tl.program_id(0).to(tl.int64) * SCORED + tl.arange(0, SCORED)
    channel = tl.arange(0, BLOCK)
    direction = tl.zeros([BLOCK], dtype=tl.float32)
    for part in range(count):
        direction += tl.load(parts + part * BLOCK + channel)
    live = (token < held)[:, None] & (channel < DIM)[None, :]
    key = tl.load(mean_keys + token[:, None] * DIM + channel[None, :], mask=live, other=0)
    score = tl.sum(key.to(tl.float32) * direction[None, :], axis=1)
    tl.store(out + token, score, mask=token < held)


def direction_scores(queries: Tensor, mean_keys: Tensor, special: int, pool_size: int) -> Tensor:
    """
    Return <mean probe, mean key> (T,), both means over the heads too, in fp32.

    queries (H, N, D), pooled as `Probes` says; mean_keys (T, D), contiguous.
    """
    heads, tokens, dim = queries.shape
    held, rows = len(mean_keys), heads * tokens
    count, block = triton.cdiv(rows, _ROWS_PER_PART), next_power_of_two(dim)
    parts = queries.new_empty(count, block, dtype=torch.float32)
    launch(
        _direction, (count,), queries, parts, rows, tokens, special,
        queries.stride(0), queries.stride(1),
        HEADS=heads, DIM=dim, POOL=pool_size, BLOCK=block, PER_PART=_ROWS_PER_PART, ROWS=_ROWS,
    )  # fmt: skip
    out = queries.new_empty(held, dtype=torch.float32)
    launch(
        _along, (triton.cdiv(held, _SCORED),), parts, mean_keys, out, held, count,
        DIM=dim, BLOCK=block, SCORED=_SCORED,
    )  # fmt: skip
    return out
