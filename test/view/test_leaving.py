# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pages that were opened and closed leave nothing behind."""

import gc
import threading
import time
import weakref

import pytest

from benchmarks.onlooker import PageClient
from xstreamvggt_ros.view.contents import PageContents
from xstreamvggt_ros.view.page import Page
from xstreamvggt_ros.view.settings import Bounds

PATIENCE_S = 60.0


@pytest.fixture
def page():
    """Give a page that is drawn from now on."""
    ended = threading.Event()
    made = Page(PageContents(), '127.0.0.1', 8600, Bounds(), {}, 'a node')
    thread = threading.Thread(target=made.run, args=(lambda: None, ended))
    thread.start()
    yield made
    ended.set()
    thread.join()
    made.close()


@pytest.fixture
def no_collection():
    """Have nobody else collect what only holds itself."""
    gc.disable()
    yield
    gc.enable()


def reached(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def test_of_pages_that_were_closed_nothing_is_kept(page, no_collection):
    kept = []
    for _ in range(3):
        with PageClient(page.address) as client:
            client.take(10)
            assert reached(lambda: page.watched)
            kept += map(weakref.ref, page._server.get_clients().values())
        assert reached(lambda: not page.watched)
    assert len(kept) == 3
    assert reached(lambda: not any(each() for each in kept))
