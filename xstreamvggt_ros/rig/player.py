# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The player: messages on their topics, each when it is due and the node is ready for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
import time
from typing import Protocol

from rclpy.publisher import Publisher

from xstreamvggt_ros.rig.delivery import await_delivery
from xstreamvggt_ros.rig.link import Link
from xstreamvggt_ros.rig.pacing import Pacer

# What plays over and over does not do so as fast as the machine can.
SHORTEST_LOOP_S = 0.1
# How late an answer is noticed at most.
ANSWER_STEP_S = 0.005


class PlayerError(RuntimeError):
    """The messages cannot be delivered; the text says why and what to do."""


@dataclass(frozen=True, eq=False)
class Cue:
    """
    What is sent at one time, in order: topics and messages, or their serialised bytes, as it is.

    at_ns: when, in the recording's own time. stamp_ns: that of the image in it, by which the node
    answers; None where it answers nothing.
    """

    at_ns: int
    messages: tuple[tuple[str, object], ...]
    stamp_ns: int | None = None


class PlayTiming(Protocol):
    """When a cue is due."""

    def begin(self, start_ns: int) -> None:
        """Have it be `start_ns` of the recording now."""

    def wait_until(self, at_ns: int) -> None:
        """Return when it is `at_ns` of the recording, at once where it was."""


class AtMost:
    """Let cues follow one another as they come, at most `rate_hz` a second; 0: no limit."""

    def __init__(self, link: Link, rate_hz: float = 0.0):
        """Begin now."""
        self._link = link
        self._period_s = 1.0 / rate_hz if rate_hz else 0.0
        self._due = 0.0

    def begin(self, start_ns: int) -> None:
        """Begin now, whatever the recording's time."""
        self._due = time.monotonic()

    def wait_until(self, at_ns: int) -> None:
        """Return when a period has passed since the cue before."""
        self._link.spin_for(self._due - time.monotonic())
        # What was late is not made up for in a burst.
        self._due = max(self._due, time.monotonic()) + self._period_s


class Player:
    """
    Send cues on `publishers`, by topic.

    With a `window`, an image is sent only while fewer than that many are on their way by the
    `pacer`, which others keep up to date; `patience_s` bounds the wait. `sent_ns` holds, by stamp,
    the monotonic time at which an image was sent.
    """

    def __init__(
        self,
        link: Link,
        publishers: Mapping[str, Publisher],
        timing: PlayTiming,
        pacer: Pacer | None = None,
        window: int = 0,
        patience_s: float = 120.0,
    ):
        """Send nothing yet."""
        self.sent_ns: dict[int, int] = {}
        self._link = link
        self._publishers = publishers
        self._timing = timing
        self._pacer = pacer or Pacer()
        self._window = window
        self._patience_s = patience_s

    def play(
        self,
        cues: Callable[[], Iterable[Cue]],
        start_ns: int | None = None,
        loop: bool = False,
        again: Callable[[], None] = lambda: None,
    ) -> int:
        """
        Send everything that `cues` gives, over and over with `loop`; return how many messages.

        The time begins at `start_ns`, or with the first cue. `again` is called before each
        repetition; what is empty is not repeated. Raises PlayerError where nobody listens to an
        image's topic any more, or answers come no more.
        """
        sent = self._play_once(cues(), start_ns, loop)
        while loop and sent:
            again()
            sent += self._play_once(cues(), start_ns, loop)
        await_delivery(self._publishers.values())
        return sent

    def _play_once(self, cues: Iterable[Cue], start_ns: int | None, loop: bool) -> int:
        began = time.monotonic()
        sent = 0
        for cue in cues:
            if not sent:
                self._timing.begin(cue.at_ns if start_ns is None else start_ns)
            if cue.stamp_ns is not None:
                self._await_window()
            self._timing.wait_until(cue.at_ns)
            self._send(cue)
            sent += len(cue.messages)
        if loop:
            self._link.spin_for(began + SHORTEST_LOOP_S - time.monotonic())
        return sent

    def _await_window(self) -> None:
        """Wait until another image may be sent."""
        if self._window and not self._link.spin_until(
            lambda: self._pacer.in_flight < self._window, self._patience_s, ANSWER_STEP_S
        ):
            raise PlayerError(
                f'{self._pacer.in_flight} images were neither answered nor counted as dropped on '
                f'/diagnostics for {self._patience_s:g} s; see the log of the node, or give it '
                'more time with --patience'
            )

    def _send(self, cue: Cue) -> None:
        for topic, message in cue.messages:
            publisher = self._publishers[topic]
            # The last of a cue with a stamp is the image.
            if cue.stamp_ns is not None and message is cue.messages[-1][1]:
                if not publisher.get_subscription_count():
                    raise PlayerError(f'nobody listens on {topic} any more')
                self._pacer.publish(cue.stamp_ns)
                self.sent_ns[cue.stamp_ns] = time.monotonic_ns()
            publisher.publish(message)
