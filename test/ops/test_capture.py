# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is captured is captured on its own device; what fails leaves torch as it was."""

from fake_cuda import FakeCuda
import pytest
import torch

from xstreamvggt_ros.ops.capture import Captures, on_device


@pytest.fixture
def cuda(monkeypatch):
    return FakeCuda().install(monkeypatch)


def as_before(cuda):
    """Say whether nothing is left of a capture that failed."""
    return (cuda.current, cuda.streams, cuda.underway) == (0, cuda.default, set())


@pytest.mark.parametrize('index', [0, 1])
def test_work_is_captured_on_its_device_whichever_is_current(cuda, index):
    ran = []
    captures = Captures(torch.device('cuda', index))

    replay, result = captures.capture(lambda: cuda.launch(index, lambda: ran.append(index)) or 'r')

    assert (ran, result) == ([], 'r')
    replay()
    assert ran == [index]
    assert as_before(cuda)


def test_work_is_warmed_up_beside_the_stream_of_the_day(cuda):
    ran = []
    captures = Captures(torch.device('cuda', 1))
    captures.warm(lambda: cuda.launch(1, lambda: ran.append(cuda.streams[1])), 2)
    assert len(ran) == 2
    assert not set(ran) & set(cuda.default)


def test_two_captures_share_a_pool_that_is_given_back_in_the_end(cuda):
    captures = Captures(torch.device('cuda', 0))
    for _ in range(2):
        captures.capture(lambda: cuda.launch(0, lambda: None))
    assert list(cuda.users.values()) == [2]
    before = cuda.emptied
    captures.release()
    assert cuda.emptied == before + 1


def test_all_captures_of_a_device_are_made_on_one_stream(cuda):
    found = []
    for index in (0, 1, 0, 1):
        captures = Captures(torch.device('cuda', index))
        captures.capture(
            lambda index=index: (
                cuda.launch(index, lambda: None) or found.append(cuda.streams[index])
            )
        )
    assert found[:2] == found[2:]
    assert found[0] is not found[1]


def test_a_graph_that_has_nothing_in_it_is_refused(cuda):
    captures = Captures(torch.device('cuda', 1))
    with pytest.raises(RuntimeError, match='nothing was captured.*another device'):
        captures.capture(lambda: cuda.launch(0, lambda: None))
    assert as_before(cuda)
    assert not any(cuda.users.values())


@pytest.mark.parametrize('error', [None, ValueError('no such thing'), KeyboardInterrupt()])
def test_after_work_that_fails_stream_and_allocator_are_as_before(cuda, error):
    def work():
        cuda.launch(0, lambda: None)
        if error is not None:
            raise error
        cuda.wait(0)

    captures = Captures(torch.device('cuda', 0))
    with pytest.raises(type(error or RuntimeError()), match=None if error else 'not permitted'):
        captures.capture(work)

    assert as_before(cuda)
    assert not any(cuda.users.values())
    replay, _ = captures.capture(lambda: cuda.launch(0, lambda: None))
    assert as_before(cuda)


def test_one_that_fails_after_another_leaves_that_its_pool(cuda):
    captures = Captures(torch.device('cuda', 0))
    captures.capture(lambda: cuda.launch(0, lambda: None))
    with pytest.raises(RuntimeError, match='not permitted'):
        captures.capture(lambda: cuda.wait(0))
    assert list(cuda.users.values()) == [1]
    assert as_before(cuda)


def test_only_cuda_devices_are_made_current(cuda):
    with on_device(torch.device('cuda', 1)):
        assert cuda.current == 1
    with on_device(torch.device('cpu')), on_device(torch.device('meta')):
        assert cuda.current == 0
