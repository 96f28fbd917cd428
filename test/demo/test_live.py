# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page beside the demo, and a camera that Ctrl-C ends."""

import argparse
from contextlib import ExitStack
from io import StringIO
import os
import signal
import time
from urllib.request import urlopen

import pytest
from rich.console import Console

from xstreamvggt_ros.demo.live import end_with_ctrl_c, Views
from xstreamvggt_ros.inputs.camera import CameraSequence


@pytest.fixture
def console():
    return Console(file=StringIO(), width=200)


def options(folder, view=True):
    return argparse.Namespace(view=view, view_port=8500, output=folder)


@pytest.mark.ros
def test_the_page_is_there_and_its_address_is_printed(tmp_path, console):
    with ExitStack() as stack:
        views = Views(options(tmp_path), console, stack)
        views.open()
        said = console.file.getvalue()
        assert 'view at http://127.0.0.1:' in said
        address = said.split('view at ')[1].split()[0]
        with urlopen(address, timeout=30) as answer:
            assert b'viser' in answer.read().lower()
        child = views._child
    assert child.exit_code is not None


def test_nothing_is_opened_unless_it_was_asked_for(tmp_path, console):
    with ExitStack() as stack:
        views = Views(options(tmp_path, view=False), console, stack)
        views.open()
        views.stay()
    assert console.file.getvalue() == '' and list(tmp_path.iterdir()) == []


def test_a_missing_library_is_said_and_costs_no_run(tmp_path, console, monkeypatch):
    monkeypatch.setattr('xstreamvggt_ros.demo.live.find_spec', lambda name: None)
    with ExitStack() as stack:
        Views(options(tmp_path), console, stack).open()
    assert "no view: viser is not installed: pip install 'xstreamvggt_ros[view]'" in (
        console.file.getvalue()
    )


class Frames:
    ended = closed = False

    def end(self):
        self.ended = True

    def close(self):
        self.closed = True


def test_the_first_ctrl_c_ends_the_camera_and_the_next_the_demo():
    before = signal.getsignal(signal.SIGINT)
    frames = Frames()
    with ExitStack() as stack:
        end_with_ctrl_c(CameraSequence('camera 0', frames), stack)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0)
        assert frames.ended and not frames.closed
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1)
    assert frames.closed
    assert signal.getsignal(signal.SIGINT) is before
