# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files whose disk may never answer."""

import os
import threading

import pytest

from xstreamvggt_ros.files import answering
from xstreamvggt_ros.files.answering import check_regular, in_thread


def test_a_regular_file_of_any_size_will_do(tmp_path):
    for content in (b'', b'x', b'x' * 3000):
        (tmp_path / 'file').write_bytes(content)
        check_regular(tmp_path / 'file')


@pytest.mark.parametrize('make', [os.mkfifo, os.mkdir, lambda path: os.symlink('/dev/zero', path)])
def test_what_is_no_file_is_refused_without_opening_it(tmp_path, make, monkeypatch):
    make(tmp_path / 'odd')
    monkeypatch.delattr(os, 'open')
    with pytest.raises(ValueError, match='odd is no regular file'):
        check_regular(tmp_path / 'odd')


def test_what_is_not_there_is_said_as_the_system_says_it(tmp_path):
    with pytest.raises(FileNotFoundError):
        check_regular(tmp_path / 'nowhere')


@pytest.mark.parametrize('call', ['stat', 'open', 'pread'])
def test_a_disk_that_does_not_answer_is_named_after_a_while(tmp_path, monkeypatch, call):
    back = threading.Event()
    (tmp_path / 'file').write_bytes(b'x')
    usual = getattr(os, call)

    def hang(*arguments, **options):
        if threading.current_thread().name.startswith('ask for '):
            assert back.wait(20)
        return usual(*arguments, **options)

    monkeypatch.setattr(os, call, hang)
    monkeypatch.setattr(answering, 'ANSWER_S', 0.05)
    with pytest.raises(TimeoutError, match=f"'{tmp_path}/file' does not answer: .*findmnt"):
        check_regular(tmp_path / 'file')
    back.set()


def test_a_disk_that_was_asked_in_vain_is_not_asked_again_until_it_answers(tmp_path, monkeypatch):
    back, asked = threading.Event(), []
    (tmp_path / 'file').write_bytes(b'x')
    usual = os.stat

    def hang(path, **options):
        if threading.current_thread().name.startswith('ask for '):
            asked.append(path)
            assert back.wait(20)
        return usual(path, **options)

    monkeypatch.setattr(os, 'stat', hang)
    monkeypatch.setattr(answering, 'ANSWER_S', 0.05)
    for name in ('file', 'file', 'another'):
        with pytest.raises(TimeoutError, match=f'{name}. does not answer'):
            check_regular(tmp_path / name)
    assert asked == [tmp_path / 'file']

    monkeypatch.setattr(answering, 'ANSWER_S', 20.0)
    (asking,) = [each for each in threading.enumerate() if each.name.startswith('ask for ')]
    back.set()
    asking.join(20)
    check_regular(tmp_path / 'file')


def test_the_promise_of_a_thread_holds_its_result_or_its_error():
    assert in_thread(lambda: 7, 'seven').result(20) == 7
    with pytest.raises(ZeroDivisionError):
        in_thread(lambda: 1 // 0, 'none').result(20)


def test_a_promise_that_is_cancelled_waits_for_nobody():
    go, gone = threading.Event(), threading.Event()

    def work():
        assert go.wait(20)
        gone.set()

    promise = in_thread(work, 'work')
    assert promise.cancel()
    assert promise.done()
    go.set()
    assert gone.wait(20)
