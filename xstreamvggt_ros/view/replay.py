# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A recorded run, looked at frame by frame: read from the bag where the slider is."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
import time

import numpy as np

from xstreamvggt_ros.files.bags import open_bag
from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.view import reading
from xstreamvggt_ros.view.contents import Contents
from xstreamvggt_ros.view.frames import Frames
from xstreamvggt_ros.view.topics import camera_of, roots_of, Topic, TOPICS

SECOND = 1_000_000_000
# Outputs of one frame come within this time of each other.
TOGETHER = 5 * SECOND
# What is shown of the whole run, as it was in the end.
WORLD = ('map',)


class Replay:
    """
    Puts a frame of a bag into contents; use in a with statement.

    What is kept of the whole run is where the camera was at every frame; all else is read anew.
    """

    def __init__(
        self,
        contents: Contents,
        path: Path,
        node: str = '',
        camera: str = '',
        map_frame: str = 'map',
    ) -> None:
        """Open a bag of the node's outputs; InputError where it holds none."""
        self._contents, self._map_frame = contents, map_frame
        self._stack = ExitStack()
        self._reader = self._stack.enter_context(open_bag(path))
        names = {each.topic for each in self._reader.connections}
        roots = [f'/{node.strip("/")}'] if node else roots_of(names)
        self._root = roots[0] if roots else ''
        if not roots or f'{self._root}/pose' not in names:
            raise InputError(
                f'{path} holds no outputs of a reconstruction node; it has: '
                f'{", ".join(sorted(names))}'
            )
        camera = camera_of(names, self._root, camera)
        self._topics = {
            f'{camera if topic.camera else self._root}/{topic.name}': topic for topic in TOPICS
        }
        self._index()

    def __len__(self) -> int:
        """Count the frames."""
        return len(self._stamps)

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the last."""
        return (self._stamps[-1] - self._stamps[0]) / SECOND

    def at(self, seconds: float) -> int:
        """Return the frame that was the newest so many seconds after the first."""
        wanted = self._stamps[0] + round(seconds * SECOND)
        return max(0, min(bisect_left(self._stamps, wanted + 1) - 1, len(self) - 1))

    def seconds(self, frame: int) -> float:
        """Return when a frame was, in seconds after the first."""
        return (self._stamps[frame] - self._stamps[0]) / SECOND

    def show(self, frame: int) -> None:
        """Put a frame, the path that led to it and what the node then said of itself."""
        stamp, recorded = self._stamps[frame], self._recorded[frame]
        path = self._path[: frame + 1]
        # Of another stream's frames nothing is where it was.
        begin = self._begins[frame]
        self._contents.put('path', path[begin:])
        self._contents.put('stream', begin)
        window = max(0, recorded - TOGETHER), recorded + TOGETHER
        frames, said = Frames(self._map_frame), None
        for topic, name, message in self._messages(self._near, *window):
            if topic is not None and topic.kind != 'stream':
                if stamp_of_message(message) == stamp:
                    self._contents.put(topic.kind, topic.read(message))
            elif name == '/tf':
                _move(frames, message, stamp)
            elif name == '/diagnostics' and (self._time <= recorded or said is None):
                said = reading.said_of(message, self._root) or said
        self._contents.put('transforms', frames.in_map())
        if said is not None:
            self._contents.put('said', said)

    def _index(self) -> None:
        """Read where the camera was, and the map as it was in the end."""
        pose = f'{self._root}/pose'
        found, streams, latest = {}, {}, 0
        for topic, name, message in self._messages([pose, f'{self._root}/stream'], None, None):
            if name == pose:
                found[stamp_of_message(message)] = self._time, topic.read(message).position
                streams[stamp_of_message(message)] = latest
            else:
                latest = topic.read(message)
        if not found:
            raise InputError(f'{self._root} gave no pose in this recording')
        self._stamps = sorted(found)
        self._recorded = [found[stamp][0] for stamp in self._stamps]
        self._path = np.array([found[stamp][1] for stamp in self._stamps], np.float32)
        numbers = [streams[stamp] for stamp in self._stamps]
        self._begins = [numbers.index(number) for number in numbers]
        world = [f'{self._root}/{name}' for name in WORLD]
        for topic, _, message in self._messages(world, None, None):
            self._contents.put(topic.kind, topic.read(message))
        shown = [
            name for name, topic in self._topics.items() if topic.kind not in ('path', *WORLD)
        ]
        self._near = [*shown, '/tf', '/diagnostics']

    def _messages(
        self, names, start: int | None, stop: int | None
    ) -> Iterator[tuple[Topic | None, str, object]]:
        connections = [each for each in self._reader.connections if each.topic in names]
        # Without a connection the library would give the messages of every topic.
        found = self._reader.messages(connections, start, stop) if connections else ()
        for connection, self._time, raw in found:
            message = self._reader.deserialize(raw, connection.msgtype)
            yield self._topics.get(connection.topic), connection.topic, message

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


def stamp_of_message(message) -> int:
    """Return the stamp of a message's header, in nanoseconds."""
    stamp = message.header.stamp
    return stamp.sec * SECOND + stamp.nanosec


def _move(frames: Frames, message, until: int) -> None:
    for each in message.transforms:
        if stamp_of_message(each) <= until:
            pose = reading.pose_of(each.transform)
            frames.put(each.child_frame_id, each.header.frame_id, pose)
