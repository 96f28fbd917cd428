# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The time slider of a recorded run."""

from __future__ import annotations

from collections.abc import Callable

import viser

from xstreamvggt_ros.view.replay import Playing, Replay


def add_slider(gui: viser.GuiApi, replay: Replay, playing: Playing) -> Callable[[], None]:
    """Add a slider and a button; returns what lets them follow the run."""
    last = max(1, len(replay) - 1)
    with gui.add_folder('Time'):
        slider = gui.add_slider('frame', 0, last, 1, 0)
        time = gui.add_markdown(_time(replay, 0))
        button = gui.add_button('play')

    @slider.on_update
    def _(event: viser.GuiEvent) -> None:
        # What `follow` sets comes from no browser.
        if event.client is not None:
            playing.go(min(int(slider.value), len(replay) - 1))

    @button.on_click
    def _(_: viser.GuiEvent) -> None:
        playing.play(not playing.playing)

    def follow() -> None:
        label = 'stop' if playing.playing else 'play'
        if button.label != label:
            button.label = label
        if slider.value != playing.frame:
            slider.value = playing.frame
        text = _time(replay, playing.frame)
        if time.content != text:
            time.content = text

    return follow


def _time(replay: Replay, frame: int) -> str:
    return f'{replay.seconds(frame):.2f} s of {replay.duration:.2f} s'
