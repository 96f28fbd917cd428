# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
RVL, which compresses 16-bit depth (Wilson, Fast Lossless Depth Image Compression, ISS 2017).

Runs of pixels without and with depth follow one another: two counts, then a difference for each
pixel of the latter.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order

# A nibble has three bits of a number and one that says whether more follow. Ten are 30 bits: more
# than a difference of pixels and its sign, or a count of them, need.
_MOST_NIBBLES = 10
# A difference takes six nibbles at most, a count no more than it counts pixels; those of the first
# and the last run may be 0.
_NIBBLES_A_PIXEL, _NIBBLES_MORE = 7, 2
# So many bytes, or numbers, are looked at together: memory is that of the picture, and these.
_BLOCK = 1 << 18


class RvlError(ValueError):
    """What is no RVL of so many pixels; says why."""


def unpack_rvl(data: bytes | memoryview, count: int) -> np.ndarray:
    """
    Decode RVL to `count` numbers (N,) uint16; RvlError where it is damaged.

    Memory and time are of the order of `count`, whatever the data are.
    """
    values = _variable_lengths(data, count)
    heads = _run_heads(values, count)
    end = heads[-1] + 2 + values[heads[-1] + 1]
    zeros, runs = values[heads], values[heads + 1]
    is_delta = np.ones(end, bool)
    is_delta[heads] = is_delta[heads + 1] = False
    coded = values[:end][is_delta]
    if len(coded) and coded.max() >= 1 << 17:
        raise RvlError('its differences have more than 16 bits and a sign')
    # Differences to the pixel before, even if far away; signs are in the lowest bit. Numbers that
    # leave 32 bits have left 16 on their way, by steps of no more than 17.
    whole = np.cumsum((coded >> 1) ^ -(coded & 1), dtype=np.int32)
    if len(whole) and not 0 <= whole.min() <= whole.max() < 1 << 16:
        raise RvlError('its numbers have more than 16 bits')
    numbers = np.zeros(count, np.uint16)
    coloured = np.tile([False, True], len(heads))
    numbers[np.repeat(coloured, np.stack((zeros, runs), 1).ravel())] = whole
    return numbers


def _run_heads(values: np.ndarray, count: int) -> np.ndarray:
    """
    Give where runs begin (R,), each with its zeros and its length, in numbers (N,) int32.

    Only the first may have no zeros, and only the last no length: pixels, and not the sender, then
    bound how many there are.
    """
    found: list[np.ndarray] = []
    at = filled = 0
    while filled < count:
        heads = at + _chain(values[at : at + _BLOCK])
        if not len(heads):
            raise RvlError(f'it ends after {filled} of {count} pixels')
        zeros, runs = values[heads].astype(np.int64), values[heads + 1].astype(np.int64)
        ends = filled + np.cumsum(zeros + runs)
        heads = heads[: np.searchsorted(ends, count) + 1]
        zeros, runs, ends = zeros[: len(heads)], runs[: len(heads)], ends[: len(heads)]
        empty = np.flatnonzero((ends > zeros + runs) & (zeros == 0) | (ends < count) & (runs == 0))
        if len(empty) or ends[-1] > count:
            at = empty[0] if len(empty) else -1
            raise RvlError(f'a run of {zeros[at]} and {runs[at]} does not fit')
        found.append(heads)
        at, filled = int(heads[-1]) + 2 + int(runs[-1]), int(ends[-1])
        if at > len(values):
            raise RvlError(f'it ends after {filled} of {count} pixels')
    return np.concatenate(found)


def _chain(values: np.ndarray) -> np.ndarray:
    """Follow runs from the first number, each to the one behind it, as far as they are here."""
    last = len(values) - 1
    if last < 1:
        return np.empty(0, np.int64)
    # Whatever leaves the block, or has no length in it, ends in the node behind all.
    after = np.full(last + 2, last + 1, np.int32)
    np.minimum(np.arange(2, last + 2) + values[1:], last + 1, out=after[:last], casting='unsafe')
    steps = csr_matrix((np.ones(len(after), np.int8), after, np.arange(len(after) + 1)))
    heads = breadth_first_order(steps, 0, return_predecessors=False)
    return heads[heads < last].astype(np.int64)


def _variable_lengths(data: bytes | memoryview, count: int) -> np.ndarray:
    """
    Join nibbles to numbers (N,) int32; words of 32 bits begin with their highest nibble.

    What is behind all that `count` pixels can take is left out, and a number that is cut.
    """
    most = -(-(_NIBBLES_A_PIXEL * count + _NIBBLES_MORE) // 8) * 4
    body = np.frombuffer(data, np.uint8)[: min(most, len(data) // 4 * 4)]
    # Each run but two has a pixel without and one with depth.
    numbers = np.empty(min(count + count // 2 + 2, 2 * len(body)), np.int32)
    rest, filled = np.empty(0, np.uint8), 0
    for begin in range(0, len(body), _BLOCK):
        words = body[begin : begin + _BLOCK].reshape(-1, 4)[:, ::-1]
        fresh = np.stack((words >> 4, words & 15), -1).reshape(-1)
        found, rest = _joined(np.concatenate((rest, fresh)))
        found = found[: len(numbers) - filled]
        numbers[filled : filled + len(found)] = found
        filled += len(found)
        if filled == len(numbers):
            break
    return numbers[:filled]


def _joined(nibbles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the numbers (N,) int32 that nibbles (M,) uint8 hold whole, and the nibbles behind."""
    ends = np.flatnonzero(nibbles < 8)
    done = ends[-1] + 1 if len(ends) else 0
    starts = np.concatenate(([0], ends[:-1] + 1))[: len(ends)]
    lengths = ends - starts + 1
    if max(lengths.max(initial=0), len(nibbles) - done) > _MOST_NIBBLES:
        raise RvlError('its numbers do not end')
    if not done:
        return np.empty(0, np.int32), nibbles
    places = np.arange(done, dtype=np.int32) - np.repeat(starts, lengths).astype(np.int32)
    parts = (nibbles[:done] & 7).astype(np.int32) << (3 * places)
    return np.add.reduceat(parts, starts), nibbles[done:]
