# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The view beside a node that is watched, looked at and not, in turns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
import sys
import threading
import time

from benchmarks.onlooker import LOOKING
from benchmarks.processes import family, memory, processor_seconds, together
from benchmarks.steadiness import append_sample, Sample
from xstreamvggt_ros.rig.processes import Child

PROGRAM, ADDRESS = 'xstreamvggt_ros.view', 'view at '
START_S, LOOK_S = 300.0, 0.1
MOST_TRIES = 5
SETTLING, OPENING, OPEN, CLOSING, CLOSED = 'settling', 'opening', 'open', 'closing', 'closed'


@dataclass(frozen=True)
class ViewSample:
    """
    What was seen of node, view and page at one time, with the latencies since the time before.

    state: of the page in all that time; stretch: counts the times in which it was open or
    closed; onlooker: who looks. Bytes are of anonymous memory; those of the page are of all
    processes of the browser. Seconds of the processor are since each began.
    """

    part: int
    seconds: float
    frames: int
    state: str
    stretch: int
    onlooker: str
    latencies_ms: tuple[float, ...]
    node_bytes: int
    view_bytes: int
    page_bytes: int
    node_processor: float
    view_processor: float
    page_processor: float


def open_in(stretch: int) -> bool:
    """Say whether the page is open: first and fourth of four, so that no drift is taken for it."""
    return stretch % 4 in (0, 3)


def view_file(folder: Path) -> Path:
    """Say where such samples are kept."""
    return folder / 'view.jsonl'


class Viewing:
    """
    Run `xstreamvggt_view`, and open and close its page; use in a with statement.

    `note` is told of every sample of the node; a stretch begins when the page has been opened or
    closed, after the frames `settle`, and takes `open_s` or `closed_s`.
    """

    def __init__(
        self, folder: Path, part: int, settle: int, open_s: float, closed_s: float, client: bool
    ):
        """Start the view in the environment of now; `client`: look without a browser."""
        self._folder, self._part, self._settle = folder, part, settle
        self._lasts_s = {OPEN: open_s, CLOSED: closed_s}
        self._state, self._stretch, self._until = SETTLING, -1, 0.0
        self._onlooker, self._client = '', client
        self._page: Child | None = None
        self._closing: threading.Thread | None = None
        log = folder / f'view_{part}.log'
        self._view = Child([sys.executable, '-m', PROGRAM], log)
        self._address = self._awaited(self._view, log, ADDRESS, START_S)

    def note(self, sample: Sample) -> None:
        """Write down how node, view and page do, and open or close the page where it is time."""
        if self._view.exit_code is not None:
            raise RuntimeError(f'the view ended by itself: see {self._folder}')
        page_bytes, page_processor = self._page_holds()
        written = ViewSample(
            part=self._part,
            seconds=sample.seconds,
            frames=sample.frames,
            state=self._state,
            stretch=self._stretch,
            onlooker=self._onlooker,
            latencies_ms=sample.latencies_ms,
            node_bytes=sample.anonymous_bytes,
            view_bytes=memory(self._view.pid)['RssAnon'],
            page_bytes=page_bytes,
            node_processor=sample.processor_seconds,
            view_processor=processor_seconds(self._view.pid),
            page_processor=page_processor,
        )
        append_sample(view_file(self._folder), written)
        self._go_on(sample)

    def _page_holds(self) -> tuple[int, float]:
        """Sum up the browser's processes, without the program that opens it."""
        return together(family(self._page.pid)[1:]) if self._page is not None else (0, 0.0)

    def _go_on(self, sample: Sample) -> None:
        now = sample.seconds
        if self._state == SETTLING and sample.frames >= self._settle:
            self._begin_next(now)
        elif self._state == OPENING:
            self._await_onlooker(now)
        elif self._state == CLOSING and not self._closing.is_alive():
            self._page = None
            self._begin(CLOSED, now)
        elif self._state in (OPEN, CLOSED) and now >= self._until:
            self._begin_next(now)

    def _begin_next(self, now: float) -> None:
        self._stretch += 1
        if open_in(self._stretch) and self._page is None:
            self._open()
            self._state, self._tries = OPENING, 1
        elif not open_in(self._stretch) and self._page is not None:
            # The node's frames do not wait for a browser to end.
            self._closing = threading.Thread(target=self._page.stop)
            self._closing.start()
            self._state = CLOSING
        else:
            self._begin(self._state, now)

    def _begin(self, state: str, now: float) -> None:
        self._state, self._until = state, now + self._lasts_s[state]

    @property
    def _page_log(self) -> Path:
        return self._folder / f'page_{self._part}.log'

    def _open(self) -> None:
        command = [sys.executable, '-m', 'benchmarks.onlooker', self._address]
        self._page = Child(command + ['--client'] * self._client, self._page_log)

    def _await_onlooker(self, now: float) -> None:
        """Begin a stretch once somebody looks; a browser that did not start is started again."""
        if said := _said(self._page_log, LOOKING):
            self._onlooker = said
            self._begin(OPEN, now)
        elif self._page.exit_code is not None:
            if self._tries == MOST_TRIES:
                raise RuntimeError(f'nobody looks at the page: see {self._page_log}')
            self._page.stop()
            self._open()
            self._tries += 1

    def _awaited(self, child: Child, log: Path, words: str, patience_s: float) -> str:
        end = time.monotonic() + patience_s
        while not (said := _said(log, words)):
            if child.exit_code is not None or time.monotonic() > end:
                child.stop()
                raise RuntimeError(f'the view did not start: see {log}')
            time.sleep(LOOK_S)
        return said

    def __enter__(self) -> Viewing:
        return self

    def __exit__(self, *_) -> None:
        if self._closing is not None:
            self._closing.join()
        if self._page is not None:
            self._page.stop()
        self._view.stop()


def _said(log: Path, words: str) -> str:
    for line in log.read_text(encoding='utf-8', errors='replace').splitlines():
        if line.startswith(words):
            return line.removeprefix(words)
    return ''
