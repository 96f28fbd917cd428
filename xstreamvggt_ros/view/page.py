# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page: a scene, pictures, a strip of figures, and controls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
import threading
import time

import numpy as np
import rich
import viser

from xstreamvggt_ros.view.contents import KINDS, Looker, PageContents
from xstreamvggt_ros.view.leaving import Leaving
from xstreamvggt_ros.view.pace import Pace
from xstreamvggt_ros.view.pictures import confidence_picture, depth_picture
from xstreamvggt_ros.view.ports import free_port
from xstreamvggt_ros.view.scene import behind, ViewScene
from xstreamvggt_ros.view.settings import Bounds, Chosen, LAYERS
from xstreamvggt_ros.view.strip import strip
from xstreamvggt_ros.view.tolerance import Tolerance

NOTICE_S = 10.0
PICTURES = {
    'image': lambda picture: picture,
    'depth': depth_picture,
    'confidence': confidence_picture,
}
START, TARGET = (-1.0, -0.7, 0.8), (1.5, 0.0, 0.0)
NOTHING = np.zeros((9, 12, 3), np.uint8)

# What a button does; the sentence that it returns is shown.
Action = Callable[[], str]


class Page:
    """
    Serves the contents to browsers; `draw` sends what is new.

    Sending never waits for a browser, and `run` draws when those that there are have drawn: what
    comes meanwhile is replaced by what is newer.
    """

    def __init__(
        self,
        contents: PageContents,
        host: str,
        port: int,
        bounds: Bounds,
        actions: Mapping[str, Action],
        waiting_for: str,
    ) -> None:
        """
        Listen on host and port, or on the next free one; buttons have the actions' names.

        InputError where there is none, or no such host.
        """
        self._contents, self._bounds, self._waiting_for = contents, bounds, waiting_for
        self._look, self._tolerance = Looker(contents), Tolerance()
        with _quietly():
            self._server = viser.ViserServer(host=host, port=free_port(host, port), verbose=False)
        # Over the shoulder of a camera that looks along x from the origin, as the first one does.
        self._server.initial_camera.position = START
        self._server.initial_camera.look_at = TARGET
        self._scene = ViewScene(self._server.scene, bounds)
        self._chosen = Chosen()
        self._pace, self._sent = Pace(), 0
        self._leaving = Leaving()
        self._server.on_client_disconnect(lambda _: self._leaving.note())
        self._build(actions)
        self.dark(True)

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return f'http://{self._server.get_host()}:{self._server.get_port()}'

    @property
    def watched(self) -> bool:
        """Whether any browser looks at it."""
        return bool(self._server.get_clients())

    @property
    def gui(self) -> viser.GuiApi:
        """Where further controls may be added."""
        return self._server.gui

    def close(self) -> None:
        """Stop serving."""
        self._pace.close()
        with _quietly():
            self._server.stop()

    def run(self, update: Callable[[], None], ended: threading.Event) -> None:
        """Have the contents updated and draw them, again and again, until it is ended."""
        while not ended.is_set():
            begin = time.monotonic()
            # What cannot be drawn was looked at, and is not in the way of what comes after it.
            self._tolerance.run('what was said', update)
            if not self._pace.waiting:
                self._tolerance.run('the page', self.draw)
            self._leaving.tidy()
            ended.wait(max(0.0, 1 / self._bounds.rate - (time.monotonic() - begin)))

    def draw(self) -> None:
        """Send what is new since the last time."""
        look = self._look
        chosen = self._choice()
        if chosen != self._chosen:
            self._chosen = chosen
            self._scene.choose(chosen)
        self._scene.draw(look)
        pictures = {name: look.new(name) for name in PICTURES}
        for name, picture in pictures.items():
            if picture is not None:
                self._pictures[name].image = PICTURES[name](picture)
                self._pictures[name].visible = True
        self._draw_camera(pictures['image'])
        text = strip(self._contents.get('said'), self._waiting_for)
        if text != self._strip.content:
            self._strip.content = text
        if chosen.follow:
            self._follow()
        put = sum(map(self._contents.count, KINDS))
        if put != self._sent:
            self._sent = put
            self._pace.ask(self._server.get_clients().values())

    def dark(self, dark: bool) -> None:
        """Be dark, or light."""
        self._server.gui.configure_theme(
            dark_mode=dark, show_logo=False, show_share_button=False, control_width='medium'
        )

    def _build(self, actions: Mapping[str, Action]) -> None:
        gui = self._server.gui
        gui.set_panel_label('xstreamvggt_ros')
        self._strip = gui.add_html(strip(None, self._waiting_for))
        for name, action in actions.items():
            self._add_button(name, action)
        with gui.add_folder('Pictures'):
            self._pictures = {
                name: gui.add_image(NOTHING, label=name, format='jpeg', visible=False)
                for name in PICTURES
            }
        with gui.add_folder('View'):
            self._following = gui.add_checkbox('follow the camera', False)
            dark = gui.add_checkbox('dark', True)
            self._size = gui.add_slider('point size, mm', 1, 100, 1, 10)
            self._least = gui.add_slider('least confidence', 1.0, 10.0, 0.1, 1.0)
            self._shown = {name: gui.add_checkbox(name, True) for name in LAYERS}
        dark.on_update(lambda _: self.dark(dark.value))

    def _add_button(self, name: str, action: Action) -> None:
        button = self._server.gui.add_button(name)

        @button.on_click
        def _(event: viser.GuiEvent) -> None:
            said = action()
            if event.client is not None:
                event.client.add_notification(name, said, auto_close_seconds=NOTICE_S)

    def _choice(self) -> Chosen:
        return Chosen(
            self._size.value / 1000,
            self._least.value,
            self._following.value,
            frozenset(name for name, box in self._shown.items() if box.value),
        )

    def _draw_camera(self, picture: np.ndarray | None) -> None:
        """Draw the camera where there is a new picture or, without pictures, a new pose."""
        pose, lens = self._contents.get('pose'), self._contents.get('lens')
        if lens is not None and lens.frame is not None:
            pose = (self._contents.get('transforms') or {}).get(lens.frame)
        if pose is None or lens is None:
            return
        without = self._contents.get('image') is None and self._look.new('lens') is not None
        if picture is not None or without:
            self._scene.draw_camera(pose, lens, picture)

    def _follow(self) -> None:
        if (pose := self._contents.get('pose')) is None:
            return
        position, target = behind(pose, self._scene.distance)
        for client in self._server.get_clients().values():
            with client.atomic():
                client.camera.position = position
                client.camera.look_at = target


@contextmanager
def _quietly() -> Iterator[None]:
    """Leave it to the program to say where the page is: viser says so too, in other words."""
    console = rich.get_console()
    before, console.quiet = console.quiet, True
    try:
        yield
    finally:
        console.quiet = before
