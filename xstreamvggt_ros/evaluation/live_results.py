# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A recording of the node's outputs as results, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from xstreamvggt_ros.evaluation.results import Estimate, pose
from xstreamvggt_ros.files.bags import open_bag, stamp_of
from xstreamvggt_ros.intake.arrivals import LOOP_BACK
from xstreamvggt_ros.messages.odometry import UNKNOWN

# The outputs that an estimate is made of.
ODOMETRY = 'odometry'
PARTS = ('pose', ODOMETRY, 'depth/image', 'depth/camera_info', 'confidence')
POINTS = 'points'
# Outputs of so many frames may be begun at a time; messages of one frame come close together.
MOST_OPEN = 64


def recorded_estimates(
    bag: Path, node_name: str, own_points: bool
) -> Iterator[tuple[int, Estimate]]:
    """
    Read a recording once; give stamp and estimate (without its picture) of each whole frame.

    With own_points the cloud, which has to be organised, is kept beside the depth. Worlds are
    counted by odometry, which has no velocity in the first frame of each; a frame without
    odometry is not whole, and a world that began with it is not counted.
    """
    wanted = (*PARTS, POINTS) if own_points else PARTS
    prefix = f'/{node_name}/'
    begun: dict[int, dict[str, object]] = {}
    world, before_ns = 0, None
    with open_bag(bag) as reader:
        topics = {prefix + name for name in wanted}
        connections = [each for each in reader.connections if each.topic in topics]
        for connection, _, cdr in reader.messages(connections) if connections else ():
            stamp_ns = stamp_of(cdr)
            parts = begun.setdefault(stamp_ns, {})
            name = connection.topic.removeprefix(prefix)
            parts[name] = reader.deserialize(cdr, connection.msgtype)
            if name == ODOMETRY:
                world += _begins_world(parts[name], stamp_ns, before_ns)
                parts[name], before_ns = world, stamp_ns
            if len(parts) == len(wanted):
                yield stamp_ns, _estimate(begun.pop(stamp_ns))
            while len(begun) > MOST_OPEN:
                begun.pop(next(iter(begun)))


def _estimate(parts: dict) -> Estimate:
    depth = _map(parts['depth/image'])
    turn, place = parts['pose'].pose.orientation, parts['pose'].pose.position
    points = None
    if POINTS in parts:
        cloud = parts[POINTS]
        rows = cloud.data.reshape(cloud.height, cloud.width, cloud.point_step)
        # x, y, z come first in this node's clouds.
        points = np.ascontiguousarray(rows[..., :12]).view('<f4')
    return Estimate(
        depth,
        _map(parts['confidence']),
        np.array(parts['depth/camera_info'].k, dtype=np.float64).reshape(3, 3),
        pose(np.array([place.x, place.y, place.z]), np.array([turn.x, turn.y, turn.z, turn.w])),
        np.empty((0, 0, 3), np.uint8),
        points,
        parts[ODOMETRY],
    )


def _begins_world(odometry, stamp_ns: int, before_ns: int | None) -> bool:
    """Tell whether a frame has no velocity because it is the first of its world."""
    velocity = odometry.twist.twist
    still = not any(
        getattr(part, axis) for part in (velocity.linear, velocity.angular) for axis in 'xyz'
    )
    # Nor has it one where no time has passed since the frame before; a step back that is larger
    # begins a world.
    timeless = before_ns is not None and 0 <= before_ns - stamp_ns <= LOOP_BACK
    # Where there is no depth the variance is unknown, too, but the velocity is not 0 to the bit.
    return still and not timeless and odometry.twist.covariance[0] >= UNKNOWN


def _map(message) -> np.ndarray:
    return message.data.view('<f4').reshape(message.height, message.width).copy()
