# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The map and the path, which grow over a stream and wait for late listeners."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from xstreamvggt_ros.messages import header_with, ns_from_time, path, point_cloud, time_from_ns
from xstreamvggt_ros.node.interface import MAP, PATH
from xstreamvggt_ros.node.publishers import Publishers
from xstreamvggt_ros.node.qos import wanted
from xstreamvggt_ros.node.stamped import StampedReconstruction
from xstreamvggt_ros.parameters import OutputParameters
from xstreamvggt_ros.stream import Resumable
from xstreamvggt_ros.world.accumulation import Accumulation
from xstreamvggt_ros.world.clouds import Cloud
from xstreamvggt_ros.world.saving import save_stream


class WorldOutputs:
    """
    Keep the map and the path of the stream and publish them on `~/map` and `~/path`, latched.

    `parameters` gives the configuration as it is now. Sending a whole map costs too much to do it
    for every frame: whoever owns this calls `publish` at the rate that is wanted.
    """

    def __init__(self, publishers: Publishers, parameters: Callable[[], OutputParameters]) -> None:
        """Create the publishers, with nothing to send."""
        self._parameters = parameters
        self._map = publishers.managed(MAP)
        self._path = publishers.managed(PATH)
        self.accumulation = Accumulation(*self._limits())
        self._stamp_ns = 0
        # Nothing of a stream without frames is news to anybody.
        self._map_sent = self._path_sent = self.accumulation.version

    def keeps_map(self) -> bool:
        """Whether `add` has use for clouds."""
        return self._parameters().map_max_points > 0

    def add(self, stamped: StampedReconstruction, cloud: Cloud | None) -> None:
        """Take in a frame and, where the map is kept, its cloud."""
        self.accumulation.limit(*self._limits())
        if stamped.timed:
            self._stamp_ns = ns_from_time(stamped.stamp)
        self.accumulation.add(
            stamped.reconstruction, cloud, self._stamp_ns if stamped.timed else None
        )

    def clear(self) -> None:
        """Forget every frame."""
        self.accumulation.clear()

    def save(self, stream: Resumable, record: Mapping[str, Any]) -> list[Path]:
        """Write map, trajectory, the stream's memory and `record` into output.directory."""
        return save_stream(self._parameters().directory, self.accumulation, stream, record)

    def publish(self) -> None:
        """Send what has changed since it was last sent, to those who listen."""
        version = self.accumulation.version
        header = header_with(time_from_ns(self._stamp_ns), self._parameters().map_frame)
        if self._map_sent != version and wanted(self._map):
            cloud = self.accumulation.cloud()
            self._map.publish(point_cloud(cloud.points, cloud.colours, cloud.confidence, header))
            self._map_sent = version
        if self._path_sent != version and wanted(self._path):
            self._path.publish(path(self.accumulation.path, header))
            self._path_sent = version

    def _limits(self) -> tuple[float, int, int]:
        parameters = self._parameters()
        return parameters.map_voxel_size, parameters.map_max_points, parameters.path_length
