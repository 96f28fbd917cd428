# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What was recorded of a node, read once from start to end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xstreamvggt_ros.files.bags import open_bag, stamp_of
from xstreamvggt_ros.messages import read_points

# The outputs that a frame is made of.
PARTS = ('pose', 'depth/image', 'depth/camera_info', 'confidence', 'frame')
POINTS = 'points'
# Outputs of so many frames may be begun at a time; messages of one frame come close together.
MOST_OPEN = 64


@dataclass(frozen=True, eq=False)
class RecordedFrame:
    """
    One frame as the node gave it, at the network's size (H, W).

    stream: number of the stream that it belongs to. verdict: what the watch had to say against
    it, '' for nothing. depth, confidence: (H, W) float32, depth in metres along z. intrinsics:
    (3, 3) float64. position (3,) and quaternion (4,), x y z w, of the optical frame in the map.
    points: (H, W, 3) float32 in the map, of an organised cloud, where they were asked for.
    """

    stamp_ns: int
    stream: int
    verdict: str
    depth: np.ndarray
    confidence: np.ndarray
    intrinsics: np.ndarray
    position: np.ndarray
    quaternion: np.ndarray
    points: np.ndarray | None = None


def recorded_messages(
    bag: Path, node_name: str, names: Collection[str]
) -> Iterator[tuple[str, int, object]]:
    """Read the messages of a node's outputs, in the order of arrival: name, stamp, message."""
    prefix = f'/{node_name}/'
    with open_bag(bag) as reader:
        topics = {prefix + name for name in names}
        connections = [each for each in reader.connections if each.topic in topics]
        # Without a connection the library would give the messages of every topic.
        for connection, _, cdr in reader.messages(connections) if connections else ():
            message = reader.deserialize(cdr, connection.msgtype)
            yield connection.topic.removeprefix(prefix), stamp_of(cdr), message


def recorded_frames(bag: Path, node_name: str, points: bool = False) -> Iterator[RecordedFrame]:
    """Read the frames of which every output was recorded, the cloud among them with `points`."""
    wanted = (*PARTS, POINTS) if points else PARTS
    begun: dict[int, dict[str, object]] = defaultdict(dict)
    for name, stamp_ns, message in recorded_messages(bag, node_name, wanted):
        begun[stamp_ns][name] = message
        if len(begun[stamp_ns]) == len(wanted):
            yield _frame(stamp_ns, begun.pop(stamp_ns))
        while len(begun) > MOST_OPEN:
            begun.pop(next(iter(begun)))


def recorded_streams(bag: Path, node_name: str) -> list[list[int]]:
    """Read the stamps of each stream's frames, the longest stream first."""
    streams = defaultdict(list)
    for _, stamp_ns, message in recorded_messages(bag, node_name, ['frame']):
        streams[stream_of(message)].append(stamp_ns)
    return sorted(streams.values(), key=len, reverse=True)


def stream_of(message) -> int:
    """Read the number of the stream from a message of ~/frame."""
    return next(int(pair.value) for pair in message.status[0].values if pair.key == 'stream')


def map_of(message) -> np.ndarray:
    """View the depth or confidence (H, W) float32 in an image of 32FC1."""
    return message.data.view('<f4').reshape(message.height, message.width)


def _frame(stamp_ns: int, parts: dict) -> RecordedFrame:
    turn, place = parts['pose'].pose.orientation, parts['pose'].pose.position
    points = None
    if POINTS in parts:
        cloud = parts[POINTS]
        points = read_points(cloud).points.reshape(cloud.height, cloud.width, 3)
    return RecordedFrame(
        stamp_ns,
        stream_of(parts['frame']),
        parts['frame'].status[0].message,
        map_of(parts['depth/image']).copy(),
        map_of(parts['confidence']).copy(),
        np.array(parts['depth/camera_info'].k, dtype=np.float64).reshape(3, 3),
        np.array([place.x, place.y, place.z]),
        np.array([turn.x, turn.y, turn.z, turn.w]),
        points,
    )
