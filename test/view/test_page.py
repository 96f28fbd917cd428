# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page in a browser: points move, figures are the node's, buttons work, nothing grows."""

from dataclasses import replace
import threading
import time

from browser import Browser, needs_chromium
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from benchmarks.onlooker import PageClient
from xstreamvggt_ros.view.contents import Lens, Lines, PageContents, Points, Pose, Said
from xstreamvggt_ros.view.page import Page
from xstreamvggt_ros.view.settings import Bounds

LENS = Lens(np.array([[50.0, 0, 28], [0, 50, 21], [0, 0, 1]]), 42, 56)
BLUE = np.array([20, 20, 255], np.uint8)
AHEAD = np.array([-0.5, 0.5, -0.5, 0.5])
SAID = Said(
    1,
    'up to scale',
    {'fps': '9.7', 'cache_tokens': '2048', 'cache_unbounded_tokens': '40000', 'stream': '1'},
)


def a_wall(place, colour, count=20_000):
    """Return a wall across the view, its middle at a place."""
    rng = np.random.default_rng(0)
    points = rng.uniform((0, -1.5, -1), (0.05, 1.5, 1), (count, 3)) + place
    rgb = np.tile(np.array(colour, np.uint8), (count, 1))
    return Points(points.astype(np.float32), rgb, np.full(count, 5, np.float32))


def put_frame(contents, step, colour=(250, 40, 40)):
    position = np.array([0.1 * step, 0.0, 0.0])
    contents.put('pose', Pose(position, AHEAD))
    contents.put('lens', LENS)
    contents.put('image', np.full((42, 56, 3), 10 * (step % 20), np.uint8))
    contents.put('depth', np.full((42, 56), 2.0, np.float32) + np.eye(42, 56, dtype=np.float32))
    contents.put('points', a_wall(position + [2.0, 0, 0], colour))


@pytest.fixture
def page():
    """Give a page that is drawn from now on, its contents, and what its buttons did."""
    contents, pressed, ended = PageContents(), [], threading.Event()
    actions = {'save': lambda: pressed.append('save') or 'written to cloud.ply'}
    made = Page(
        contents, '127.0.0.1', 8200, Bounds(frame_points=20_000), actions, '/reconstruction'
    )
    thread = threading.Thread(target=made.run, args=(lambda: None, ended))
    thread.start()
    yield made, contents, pressed
    ended.set()
    thread.join()
    made.close()


@pytest.fixture
def browser():
    browser = Browser()
    yield browser
    browser.close()


def share_of(picture, channel):
    """Return the share of pixels in which a channel stands out."""
    others = np.delete(picture.astype(int), channel, axis=2).max(axis=2)
    return float((picture[..., channel].astype(int) > others + 60).mean())


@needs_chromium
def test_a_browser_sees_what_the_node_says_and_its_buttons_work(page, browser):
    made, contents, pressed = page
    browser.open(made.address)
    browser.wait(lambda: 'waiting for /reconstruction' in browser.text(), 'the page')
    assert made.watched

    contents.put('stream', 1)
    put_frame(contents, 0)
    contents.put('said', SAID)
    browser.wait(lambda: '2048 of 40000 unbounded' in browser.text(), 'the strip')
    assert 'warning up to scale' in browser.text()
    browser.wait(lambda: share_of(browser.scene(), 0) > 0.005, 'red points')
    assert share_of(browser.scene(), 1) < 0.001

    contents.put('stream', 2)
    put_frame(contents, 1, (30, 230, 30))
    browser.wait(lambda: share_of(browser.scene(), 1) > 0.005, 'green points')
    browser.wait(lambda: share_of(browser.scene(), 0) < 0.003, 'the old stream gone')

    # Lines before the wall; the button is blue, too.
    before = share_of(browser.scene(), 2)
    ends = [[(1.2, y, -0.5), (1.2, y, 0.5)] for y in np.linspace(-0.6, 0.6, 30)]
    contents.put('closures', Lines(np.array(ends, np.float32), np.full((30, 2, 3), BLUE)))
    browser.wait(lambda: share_of(browser.scene(), 2) > before + 0.004, 'loop closures')
    contents.put('closures', Lines(np.zeros((0, 2, 3)), np.zeros((0, 2, 3), np.uint8)))
    browser.wait(lambda: share_of(browser.scene(), 2) < before + 0.001, 'none any more')

    browser.click('save')
    browser.wait(lambda: 'written to cloud.ply' in browser.text(), 'an answer')
    assert pressed == ['save']

    shown = 'return [...document.images].filter((i) => i.naturalWidth === 56).length'
    browser.wait(lambda: browser.run(shown) >= 2, 'image and depth')
    assert browser.complaints() == []


def test_a_page_keeps_no_more_the_longer_it_runs():
    contents, bounds = (
        PageContents(),
        Bounds(map_points=2000, frames=3, frame_points=500, frusta=6),
    )
    page = Page(contents, '127.0.0.1', 8300, bounds, {}, 'a node')
    buffer = page._server._websock_server._broadcast_buffer
    held, sent = [], []
    try:
        for step in range(240):
            put_frame(contents, step)
            turned = Rotation.from_euler('z', step, degrees=True).as_quat()
            frames = {'map': Pose(np.zeros(3), turned), f'frame_{step}': Pose(np.zeros(3), turned)}
            contents.put('transforms', frames)
            contents.put('map', a_wall(np.array([0.1 * step, 0, 0]), (9, 9, 9)))
            contents.put('path', np.cumsum(np.full((step + 2, 3), 0.1, np.float32), axis=0))
            page.draw()
            if step % 40 == 39:
                held.append(len(page._server.scene._handle_from_node_name))
                sent.append(len(buffer.message_from_id))
    finally:
        page.close()
    # Places in the scene are used again; messages are replaced by newer ones of the same place.
    assert max(held[2:]) <= max(held[:2]) + 40
    assert max(sent[2:]) < 2.5 * max(sent[:2])


def test_what_cannot_be_drawn_does_not_end_the_page(page, caplog):
    made, contents, _ = page
    put_frame(contents, 0)
    contents.put('depth', np.zeros((2, 3, 4, 5), np.float32))
    contents.put('path', np.zeros((3, 7), np.float32))
    contents.put('lens', Lens(np.zeros((3, 3)), 0, 0))
    end = time.monotonic() + 60
    while 'the page cannot be shown' not in caplog.text and time.monotonic() < end:
        time.sleep(0.01)
    contents.put('said', SAID)
    while '2048 of 40000' not in made._strip.content and time.monotonic() < end:
        time.sleep(0.01)
    assert '2048 of 40000' in made._strip.content


def test_one_of_several_cameras_stands_where_its_own_frame_is(page, monkeypatch):
    made, contents, _ = page
    stood = []
    monkeypatch.setattr(
        made._scene, 'draw_camera', lambda pose, *_: stood.append(pose.position[1])
    )
    front = replace(LENS, frame='front')
    put_frame(contents, 0)
    contents.put('lens', front)
    contents.put('transforms', {'front': Pose(np.array([0.0, 7.0, 0.0]), AHEAD)})
    end = time.monotonic() + 60
    while 7 not in np.ravel(stood) and time.monotonic() < end:
        contents.put('image', np.zeros((42, 56, 3), np.uint8))
        time.sleep(0.02)
    assert 7 in np.ravel(stood)


def test_drawing_waits_for_nobody(page):
    made, contents, _ = page
    begin = time.monotonic()
    for step in range(30):
        put_frame(contents, step)
    assert time.monotonic() - begin < 5


def test_who_draws_slowly_is_sent_the_newest_and_no_more(page):
    made, contents, _ = page
    taken = {}
    for answers in (True, False):
        with PageClient(made.address, answers) as client:
            client.take(10)
            end, taken[answers] = time.monotonic() + 4, 0
            step = 0
            while time.monotonic() < end:
                put_frame(contents, step)
                taken[answers] += client.take(0.1)
                step += 1
    # A frame is drawn for it after five seconds, as for a page that is frozen.
    assert 0 < taken[False] < taken[True] / 2


def test_it_listens_to_this_machine_alone(page):
    made, _, _ = page
    assert made.address.startswith('http://127.0.0.1:')
