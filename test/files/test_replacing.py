# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files that are whole or not there."""

import os

import pytest

from xstreamvggt_ros.files.replacing import replacing


def test_the_file_appears_on_leaving_and_not_before(tmp_path):
    path = tmp_path / 'new' / 'report.txt'
    with replacing(path) as temporary:
        temporary.write_text('new')
        assert temporary.name == 'report.txt'
        assert not path.exists()
    assert path.read_text() == 'new'
    assert list(path.parent.iterdir()) == [path]


def test_an_exception_keeps_the_old_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / 'report.txt'
    path.write_text('old')
    with pytest.raises(RuntimeError):
        with replacing(path) as temporary:
            temporary.write_text('half')
            raise RuntimeError
    assert path.read_text() == 'old'
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize('make', [os.mkfifo, os.mkdir, lambda path: os.symlink('/dev/null', path)])
def test_what_is_no_file_is_left_alone(tmp_path, make):
    path = tmp_path / 'report.txt'
    make(path)
    kind = os.lstat(path).st_mode
    with pytest.raises(FileExistsError, match='report.txt is there and is no file'):
        with replacing(path) as temporary:
            temporary.write_text('new')
    assert os.lstat(path).st_mode == kind
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_writer_left_behind_is_removed(tmp_path):
    (tmp_path / '.report.txt.abcd_123').mkdir()
    (tmp_path / '.report.txt.abcd_123' / 'report.txt').write_text('half')
    (tmp_path / '.report.txt.backup').mkdir()
    with replacing(tmp_path / 'report.txt') as temporary:
        temporary.write_text('whole')
    assert {each.name for each in tmp_path.iterdir()} == {'report.txt', '.report.txt.backup'}
