# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""RVL as its publishers make it."""

import struct

import numpy as np


class Nibbles:
    """Words of 32 bits, the highest nibble first, as the paper's listing writes them."""

    def __init__(self):
        self.words, self.word, self.count = [], 0, 0

    def put(self, value):
        while True:
            nibble, value = value & 7, value >> 3
            self.word = (self.word << 4) | nibble | (8 if value else 0)
            self.count += 1
            if self.count == 8:
                self.words.append(self.word)
                self.word = self.count = 0
            if not value:
                return

    def bytes(self):
        words = [*self.words, self.word << 4 * (8 - self.count)] if self.count else self.words
        return struct.pack(f'<{len(words)}I', *words)


def pack_rvl(numbers):
    """Compress pixel by pixel, as the paper's listing does."""
    numbers, at, before, out = [int(each) for each in numbers.ravel()], 0, 0, Nibbles()
    while at < len(numbers):
        zeros = run = 0
        while at + zeros < len(numbers) and not numbers[at + zeros]:
            zeros += 1
        at += zeros
        while at + run < len(numbers) and numbers[at + run]:
            run += 1
        out.put(zeros)
        out.put(run)
        for number in numbers[at : at + run]:
            delta, before = number - before, number
            out.put(2 * delta if delta >= 0 else -2 * delta - 1)
        at += run
    return out.bytes()


def pack_rvl_at_once(numbers):
    """Compress as `pack_rvl` does, of numbers (N,) in which depth and none take turns."""
    zeros = np.ones(len(numbers) // 2, np.int64)
    deltas = np.diff(numbers[1::2].astype(np.int64), prepend=0)
    coded = np.where(deltas >= 0, 2 * deltas, -2 * deltas - 1)
    values = np.stack((zeros, zeros, coded), 1).ravel()
    parts = (values[:, None] >> 3 * np.arange(7)) & 7
    lengths = np.maximum(1, 7 - np.argmax(parts[:, ::-1] > 0, 1)) * (values > 0) + (values == 0)
    more = np.arange(7) < lengths[:, None] - 1
    nibbles = (parts + 8 * more)[np.arange(7) < lengths[:, None]]
    nibbles = np.pad(nibbles, (0, -len(nibbles) % 8)).reshape(-1, 8).astype(np.uint32)
    return (nibbles << 4 * np.arange(7, -1, -1, dtype=np.uint32)).sum(1).astype('<u4').tobytes()
