# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is compressed becomes no more than what was meant."""

import pytest

from xstreamvggt_ros.files import compression
from xstreamvggt_ros.files.compression import decompress, decompress_file, zstd

ZEROS = bytes(4_000_000)


def test_a_file_that_becomes_implausibly_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(compression, 'MAX_BYTES', 1_000_000)
    (tmp_path / 'bag.mcap.zstd').write_bytes(zstd.compress(ZEROS))

    with pytest.raises(ValueError, match='more than 1000000 bytes'):
        decompress_file(tmp_path / 'bag.mcap.zstd', tmp_path / 'bag.mcap')

    assert (tmp_path / 'bag.mcap').stat().st_size <= 1_000_000


def test_one_of_a_usual_size_comes_back(tmp_path):
    (tmp_path / 'bag.mcap.zstd').write_bytes(zstd.compress(ZEROS))
    decompress_file(tmp_path / 'bag.mcap.zstd', tmp_path / 'bag.mcap')
    assert (tmp_path / 'bag.mcap').read_bytes() == ZEROS


def test_a_chunk_becomes_no_more_than_it_claims():
    with pytest.raises(ValueError, match='more than the 100 bytes'):
        decompress(zstd.compress(ZEROS), 'zstd', 100)
