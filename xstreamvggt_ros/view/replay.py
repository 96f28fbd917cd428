# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A recorded run, looked at frame by frame: read from the bag where the slider is."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
import time

import numpy as np

from xstreamvggt_ros.files.bags import find_bag, open_bag
from xstreamvggt_ros.files.bags import stamp_of as raw_stamp
from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.view import reading
from xstreamvggt_ros.view.closures import Closures
from xstreamvggt_ros.view.contents import PageContents, Points
from xstreamvggt_ros.view.frames import Frames
from xstreamvggt_ros.view.tolerance import Tolerance
from xstreamvggt_ros.view.topics import camera_of, roots_of, TOPICS, value_of, ViewTopic
from xstreamvggt_ros.view.trail import MOST_POSES

SECOND = 1_000_000_000
# Outputs of one frame come within this time of each other.
TOGETHER = 2 * SECOND
NOWHERE = Points(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.uint8), np.zeros(0, np.float32))
# Of a robot's standing transforms, that many messages.
MOST_FIXED = 256


@dataclass(frozen=True, eq=False)
class ReplayedFrame:
    """A frame by when it came, its stamp, both in nanoseconds, its stream and where it was."""

    recorded: int
    stamp: int
    stream: int
    position: np.ndarray


class Replay:
    """
    Puts a frame of a bag into contents; use in a with statement.

    What is kept of the whole run is where the camera was at every frame; all else is read anew.
    """

    def __init__(
        self,
        contents: PageContents,
        path: Path,
        node: str = '',
        camera: str = '',
        map_frame: str = 'map',
        loop_closures: str = '',
    ) -> None:
        """Open a bag of the node's outputs; InputError where it holds none."""
        self._contents, self._map_frame = contents, map_frame
        self._tolerance = Tolerance()
        self._stack = ExitStack()
        self._reader = self._stack.enter_context(open_bag(_bag(path)))
        names = {each.topic for each in self._reader.connections}
        roots = [f'/{node.strip("/")}'] if node else roots_of(names)
        self._root = roots[0] if roots else ''
        if not roots or f'{self._root}/pose' not in names:
            raise InputError(
                f'{path} holds no outputs of a reconstruction node; it has: '
                f'{", ".join(sorted(names))}'
            )
        below = camera_of(names, self._root, camera) or self._root
        self._several = below != self._root
        self._topics = {
            f'{below if topic.camera else self._root}/{topic.name}': topic for topic in TOPICS
        }
        self._loop_closures = loop_closures and f'/{loop_closures.lstrip("/")}'
        if self._loop_closures and self._loop_closures not in names:
            raise InputError(
                f'{path} has no topic {self._loop_closures}; it has: {", ".join(sorted(names))}'
            )
        self._forget_closures()
        self._index()

    def __len__(self) -> int:
        """Count the frames."""
        return len(self._frames)

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the last."""
        return self.seconds(len(self) - 1)

    def at(self, seconds: float) -> int:
        """Return the frame that was the newest so many seconds after the first."""
        wanted = self._frames[0].recorded + round(seconds * SECOND)
        after = bisect_right(self._frames, wanted, key=lambda frame: frame.recorded)
        return max(0, after - 1)

    def seconds(self, frame: int) -> float:
        """Return when a frame came, in seconds after the first."""
        return (self._frames[frame].recorded - self._frames[0].recorded) / SECOND

    def show(self, frame: int) -> None:
        """Put a frame, the path that led to it and what the node then said of itself."""
        chosen = self._frames[frame]
        stamp, recorded = chosen.stamp, chosen.recorded
        # Of another stream's frames nothing is where it was.
        path = [
            each.position for each in self._frames[: frame + 1] if each.stream == chosen.stream
        ]
        self._contents.put('path', np.array(path[-MOST_POSES:], np.float32))
        if chosen.stream != self._contents.get('stream'):
            self._contents.put('stream', chosen.stream)
            # It is told whole in the end, of the last stream, which no other has a part in.
            last = self._frames[-1].stream
            self._contents.put('map', self._map if chosen.stream == last else NOWHERE)
        window = max(0, recorded - TOGETHER), recorded + TOGETHER
        frames, said = Frames(self._map_frame), None
        for message in self._fixed:
            self._move(frames, message)
        for topic, name, message in self._messages(self._near, *window, stamp):
            if topic is not None:
                self._put(topic, message)
            elif name == '/tf':
                self._move(frames, message, stamp)
            elif name == '/diagnostics' and (self._time <= recorded or said is None):
                said = reading.said_of(message, self._root) or said
        transforms = frames.in_map()
        self._contents.put('transforms', transforms)
        if self._loop_closures:
            self._read_closures(recorded + 1)
            self._contents.put('closures', self._closures.in_map(transforms))
        if said is not None:
            self._contents.put('said', said)

    def _move(self, frames: Frames, message, until: int | None = None) -> None:
        for each in message.transforms:
            if until is None or stamp_of(each) <= until:
                # One that is nowhere takes none of the others along.
                self._tolerance.run('/tf', partial(frames.take, each))

    def _forget_closures(self) -> None:
        # In a recording what was drawn stays, for its clock is not this one.
        self._closures, self._marked_until = Closures(lambda: 0.0), 0

    def _read_closures(self, until: int) -> None:
        """Take the markers of before a time: those since the last, or from the start."""
        if until < self._marked_until:
            self._forget_closures()
        for _, name, message in self._messages([self._loop_closures], self._marked_until, until):
            self._tolerance.run(name, partial(self._closures.take, message))
        self._marked_until = until

    def _index(self) -> None:
        """Read where the camera was, what stands, and the map as it was in the end."""
        pose = f'{self._root}/pose'
        stream = 0
        self._frames: list[ReplayedFrame] = []
        for topic, name, message in self._messages([pose, f'{self._root}/stream']):
            try:
                read = topic.read(message)
            except ValueError as error:
                # A frame that is nowhere cannot be stood at.
                self._tolerance.tell(topic.name, error)
                continue
            if name != pose:
                stream = read
                continue
            frame = ReplayedFrame(self._time, stamp_of(message), stream, read.position)
            self._frames.append(frame)
        if not self._frames:
            raise InputError(f'{self._root} gave no pose in this recording')
        fixed = (message for _, _, message in self._messages(['/tf_static']))
        self._fixed = deque(fixed, MOST_FIXED)
        self._map = NOWHERE
        for topic, name, message in self._messages([f'{self._root}/map']):
            self._tolerance.run(name, partial(self._keep_map, topic, message))
        shown = [
            name
            for name, topic in self._topics.items()
            if topic.kind not in ('stream', 'path', 'map')
        ]
        self._near = [*shown, '/tf', '/diagnostics']

    def _keep_map(self, topic: ViewTopic, message) -> None:
        self._map = topic.read(message)

    def _put(self, topic: ViewTopic, message) -> None:
        self._tolerance.run(
            topic.name,
            lambda: self._contents.put(topic.kind, value_of(topic, message, self._several)),
        )

    def _messages(
        self, names, start: int | None = None, stop: int | None = None, stamp: int | None = None
    ) -> Iterator[tuple[ViewTopic | None, str, object]]:
        """Read messages of a time; of the node's topics those with a stamp, where it is given."""
        connections = [each for each in self._reader.connections if each.topic in names]
        # Without a connection the library would give the messages of every topic.
        found = self._reader.messages(connections, start, stop) if connections else ()
        for connection, self._time, raw in found:
            topic = self._topics.get(connection.topic)
            try:
                if topic is not None and stamp is not None and raw_stamp(raw) != stamp:
                    continue
                message = self._reader.deserialize(raw, connection.msgtype)
            except Exception as error:  # noqa: BLE001 damaged bytes raise nearly anything
                self._tolerance.tell(connection.topic, error)
                continue
            yield topic, connection.topic, message

    def __enter__(self) -> Replay:
        return self

    def __exit__(self, *_) -> None:
        self._stack.close()


class Playing:
    """Moves on through a replay at the speed at which it was recorded."""

    def __init__(self, replay: Replay) -> None:
        """Begin at the first frame, standing still."""
        self._replay = replay
        self.frame, self.playing = 0, False
        self._shown: int | None = None
        self._begun = 0.0

    def go(self, frame: int) -> None:
        """Stand at a frame, or go on from there."""
        self.frame = frame
        self._begun = time.monotonic() - self._replay.seconds(frame)

    def play(self, playing: bool) -> None:
        """Go on, from the first frame where it is at the last, or stand still."""
        if playing and self.frame == len(self._replay) - 1:
            self.frame = 0
        self.playing = playing
        self.go(self.frame)

    def update(self) -> None:
        """Show the frame whose time it is."""
        if self.playing:
            self.frame = self._replay.at(time.monotonic() - self._begun)
            self.playing = self.frame < len(self._replay) - 1
        if self.frame != self._shown:
            self._shown = self.frame
            self._replay.show(self.frame)


def _bag(path: Path) -> Path:
    if not path.exists():
        raise InputError(f'{path} does not exist')
    if (found := find_bag(path)) is None:
        raise InputError(f'{path} is no bag: neither .mcap nor .db3, nor a folder of them')
    return found


def stamp_of(message) -> int:
    """Return the stamp of a message's header, in nanoseconds."""
    stamp = message.header.stamp
    return stamp.sec * SECOND + stamp.nanosec
