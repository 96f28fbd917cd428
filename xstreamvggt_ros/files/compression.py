# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Zstandard and LZ4, never beyond the size that is allowed."""

from __future__ import annotations

from pathlib import Path
import sys

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ZSTD_MAGIC = b'\x28\xb5\x2f\xfd'
# What a chunk or a message may become; a damaged or hostile one may claim anything.
MAX_BYTES = 2**30
# Images of one colour become a thousandth; what becomes far less is there to fill a memory or a
# disk. A compressed file may become larger than MAX_BYTES, by its own size.
MOST_TIMES = 1000
# Up to so many a chunk or a message may become anyhow: dozens of black images.
PLAUSIBLE_BYTES = 2**26
PIECE_BYTES = 2**20


def decompress(data: bytes, kind: str, size: int = MAX_BYTES) -> bytes:
    """Decompress 'zstd', 'lz4' or '' to at most `size` bytes; ValueError where there are more."""
    if not 0 <= size <= MAX_BYTES:
        raise ValueError(f'{size} bytes are claimed, more than the {MAX_BYTES} that are read')
    most = min(size, max(PLAUSIBLE_BYTES, MOST_TIMES * len(data)))
    if not kind:
        most, raw = size, data
    elif kind == 'zstd':
        raw = zstd.ZstdDecompressor().decompress(data, max_length=most + 1)
    elif kind == 'lz4':
        from lz4.frame import LZ4FrameDecompressor

        raw = LZ4FrameDecompressor().decompress(data, max_length=most + 1)
    else:
        raise ValueError(f'compression {kind!r} is not known; zstd and lz4 are')
    if len(raw) > most:
        than = f'the {size} bytes that are claimed'
        if most < size:
            than = f'{most} bytes, which nothing of its {len(data)} does'
        raise ValueError(f'it becomes more than {than}')
    return raw


def decompress_file(path: Path, target: Path) -> None:
    """Decompress a .zstd file; ValueError where it becomes implausibly many bytes."""
    most = max(MAX_BYTES, MOST_TIMES * path.stat().st_size)
    with zstd.open(path, 'rb') as source, target.open('wb') as file:
        while piece := source.read(PIECE_BYTES):
            if file.tell() + len(piece) > most:
                raise ValueError(
                    f'it becomes more than {most} bytes, which no bag of its size does'
                )
            file.write(piece)
