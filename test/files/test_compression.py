# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is compressed becomes no more than what was meant."""

from lz4 import frame
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


def test_one_of_black_images_comes_back_whatever_is_claimed():
    assert decompress(zstd.compress(ZEROS), 'zstd', len(ZEROS)) == ZEROS
    assert decompress(zstd.compress(ZEROS), 'zstd', 2**30) == ZEROS
    assert decompress(frame.compress(ZEROS), 'lz4', 2**30) == ZEROS


@pytest.mark.parametrize('kind', ['zstd', 'lz4'])
def test_a_chunk_becomes_no_more_than_one_of_its_size_does(monkeypatch, kind):
    data = {'zstd': zstd.compress, 'lz4': frame.compress}[kind](ZEROS)
    monkeypatch.setattr(compression, 'PLAUSIBLE_BYTES', 1_000_000)
    monkeypatch.setattr(compression, 'MOST_TIMES', 10)
    with pytest.raises(ValueError, match=f'than 1000000 bytes, which nothing of its {len(data)}'):
        decompress(data, kind, 2**30)


def test_a_chunk_becomes_no_more_than_it_claims():
    with pytest.raises(ValueError, match='more than the 100 bytes'):
        decompress(zstd.compress(ZEROS), 'zstd', 100)
