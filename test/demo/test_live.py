# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page beside the demo, and a camera that Ctrl-C ends."""

import argparse
from contextlib import ExitStack
from io import StringIO
from itertools import islice
import os
import signal
import time
from urllib.request import urlopen

import numpy as np
import pytest
from rich.console import Console

from xstreamvggt_ros.demo.cli import main
from xstreamvggt_ros.demo.live import ctrl_c_ends, Views
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
    with ctrl_c_ends(CameraSequence('camera 0', frames)):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0)
        assert frames.ended and not frames.closed
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1)
    assert frames.closed
    assert signal.getsignal(signal.SIGINT) is before


class Camera:
    """What cv2.VideoCapture is of a camera that always has an image."""

    released = False

    def __init__(self, index):
        """Open it."""

    def isOpened(self):
        return True

    def read(self):
        time.sleep(0.01)
        return True, np.zeros((42, 56, 3), np.uint8)

    def release(self):
        Camera.released = True


class Page:
    """The page's process while somebody looks, presses Ctrl-C once, and would look on."""

    def __init__(self):
        self._left = 5

    @property
    def exit_code(self):
        self._left -= 1
        if self._left == 3:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0)
        return None if self._left > 0 else 0


@pytest.fixture
def terminal():
    """Have Ctrl-C do what it does in a terminal; shells ignore it for what they run behind."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.ros
def test_a_camera_that_was_played_is_off_and_one_ctrl_c_closes_the_page(
    terminal, tmp_path, monkeypatch, capsys
):
    def play(source, options, *_):
        assert len(list(islice(source.frames, options.max_frames))) == 3
        assert not Camera.released

    def files_are_made(source, *_):
        assert Camera.released
        assert [frame.image().shape for frame in source.frames] == [(42, 56, 3)] * 3
        return True

    monkeypatch.setattr(Camera, 'released', False)
    monkeypatch.setattr('cv2.VideoCapture', Camera)
    monkeypatch.setattr('xstreamvggt_ros.demo.run.run', play)
    monkeypatch.setattr('xstreamvggt_ros.demo.outcome.conclude', files_are_made)
    monkeypatch.setattr(Views, 'open', lambda views: setattr(views, '_child', Page()))

    arguments = ['--input', 'camera', '--max-frames', '3', '--domain', '7', '--view']
    assert main([*arguments, '--output', str(tmp_path)]) == 0

    said = capsys.readouterr().out
    assert 'stays open until Ctrl-C' in said and 'the view was closed' in said
