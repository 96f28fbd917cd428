# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Folders in which something is being written, and those that the dead have left."""

from concurrent.futures import ThreadPoolExecutor
import fcntl
import time

import pytest

from xstreamvggt_ros.files.unfinished import unfinished


def ours(name):
    return name.startswith('.ours')


def made(parent, name):
    def make():
        (parent / name).mkdir()
        return parent / name

    return make


def test_the_folder_is_there_until_it_is_left(tmp_path):
    with unfinished(tmp_path, made(tmp_path, '.ours'), ours) as folder:
        assert folder == tmp_path / '.ours'
        (folder / 'half').touch()
    assert not any(tmp_path.iterdir())


def test_what_the_dead_left_is_removed_and_nothing_else(tmp_path):
    (tmp_path / '.ours_dead').mkdir()
    (tmp_path / '.ours_dead' / 'half').touch()
    (tmp_path / '.ours_file').touch()
    (tmp_path / 'yours').mkdir()
    (tmp_path / '.ours_link').symlink_to('yours')
    with unfinished(tmp_path, made(tmp_path, '.ours_living'), ours):
        with unfinished(tmp_path, made(tmp_path, '.ours_too'), ours):
            names = {'.ours_file', '.ours_link', '.ours_living', '.ours_too', 'yours'}
            assert {each.name for each in tmp_path.iterdir()} == names


def test_one_in_another_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(time, 'sleep', lambda seconds: pytest.fail('it waits'))
    with unfinished(tmp_path, made(tmp_path, '.ours'), ours) as folder:
        with unfinished(folder, made(folder, '.ours'), ours):
            pass


def test_a_folder_that_is_taken_for_one_of_the_dead_is_made_again(tmp_path):
    taken = []

    def make():
        folder = made(tmp_path, f'.ours_{len(taken)}')()
        if not taken:
            folder.rmdir()
        taken.append(folder)
        return folder

    with unfinished(tmp_path, make, ours) as folder:
        assert folder.name == '.ours_1'


def test_many_at_once_keep_theirs(tmp_path):
    def work(turn):
        with unfinished(tmp_path, made(tmp_path, f'.ours_{turn}'), ours) as folder:
            (folder / 'half').touch()
            return (folder / 'half').exists()

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(200)))
    assert not any(tmp_path.iterdir())


def test_without_locks_nothing_is_mended(tmp_path, monkeypatch):
    def none(*_):
        raise OSError('no locks available')

    monkeypatch.setattr(fcntl, 'flock', none)
    (tmp_path / '.ours_dead').mkdir()
    with unfinished(tmp_path, made(tmp_path, '.ours'), ours):
        assert (tmp_path / '.ours_dead').exists()
    assert [each.name for each in tmp_path.iterdir()] == ['.ours_dead']


def test_a_folder_that_cannot_be_made_says_why(tmp_path):
    with pytest.raises(FileNotFoundError):
        with unfinished(tmp_path / 'no', made(tmp_path / 'no', '.ours'), ours):
            raise AssertionError('there is no folder')
