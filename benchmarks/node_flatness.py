# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The memory of the node's process over hours: python -m benchmarks.flatness --node."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
import os
from pathlib import Path
import threading
import time

from diagnostic_msgs.msg import DiagnosticArray
import numpy as np
from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Image, PointCloud2
from std_msgs.msg import Header

from benchmarks.flatness_report import heap_file, samples_file, tell
from benchmarks.processes import memory, processor_seconds
from benchmarks.steadiness import append_sample, read_samples, Sample
from benchmarks.view_report import tell_of_view
from benchmarks.viewing import Viewing
from xstreamvggt_ros.files.bags import stamp_of
from xstreamvggt_ros.geometry.stamps import NANOSECONDS
from xstreamvggt_ros.messages import picture_image
from xstreamvggt_ros.rig.camera_player import CameraPlayer, Shot
from xstreamvggt_ros.rig.domain import free_domain, isolated
from xstreamvggt_ros.rig.driven_node import DrivenNode, node_command, NODE_NAME
from xstreamvggt_ros.rig.link import Link
from xstreamvggt_ros.rig.pacing import Pacer
from xstreamvggt_ros.rig.player import AtMost
from xstreamvggt_ros.rig.shipped import shipped_parameters
from xstreamvggt_ros.synthetic import render_sequence, SequenceConfig

TOPIC = '/camera/image_raw'
FIRST_STAMP_NS = 10**18
SAMPLE_S = 10.0
# In a stretch with the page open or closed, at least.
SAMPLES = 6
PATIENCE_S = 300.0
# So few that a rendered room fills the map within the frames that settle.
MAP_POINTS = 20_000
RENDERED = 48
# An image is sent while another is worked on, and no more.
WINDOW = 2
LATCHED = QoSProfile(depth=1, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)


def main(options: argparse.Namespace) -> int:
    """Watch a node, then tell of all that was watched into the same folder."""
    options.output.mkdir(parents=True, exist_ok=True)
    file = samples_file(options.output)
    before = read_samples(file)
    try:
        watch_node(options, file, 1 + max((each.part for each in before), default=-1))
    except KeyboardInterrupt:
        print('interrupted; the same command goes on in a new part')
    if options.view:
        tell_of_view(options.output)
    return tell(options)


def watch_node(options: argparse.Namespace, file: Path, part: int) -> None:
    """Play a rendered room to and fro into a node, and note every ten seconds how it does."""
    images = _room(*options.image)
    with ExitStack() as stack:
        stack.enter_context(isolated(free_domain()))
        link = stack.enter_context(Link('xstreamvggt_flatness'))
        pacer = Pacer()
        command = node_command(shipped_parameters(), _overrides(options))
        if options.heap:
            command[1:3] = ['-m', 'benchmarks.heap_probe', str(heap_file(options.output, part))]
        node = stack.enter_context(DrivenNode(link, command, options.output / f'node_{part}.log'))
        node.bring_up(PATIENCE_S)
        player = CameraPlayer(link, TOPIC)
        also, period_s = [], SAMPLE_S
        if options.view:
            open_s = 60 * options.stretch
            closed_s = 60 * (options.closed or options.stretch)
            period_s = min(period_s, open_s / SAMPLES, closed_s / SAMPLES)
            viewing = Viewing(
                options.output, part, options.settle, open_s, closed_s, options.client
            )
            also.append(stack.enter_context(viewing).note)
        notes = _Notes(node.pid, file, part, player, pacer, period_s, also)
        link.node.create_subscription(
            DiagnosticArray, f'/{NODE_NAME}/frame', notes.on_frame, 10, raw=True
        )
        listeners = [
            stack.enter_context(_Listener(f'listener_{index}'))
            for index in range(options.subscribers)
        ]
        node.watch = notes.take
        shots = _shots(images, 60 * options.minutes)
        player.play(shots, AtMost(link, options.rate), pacer, WINDOW, PATIENCE_S)
        notes.take(last=True)
        for listener in listeners:
            print(f'a subscriber had {listener.clouds} clouds and a map of {listener.map_points}')


class _Notes:
    """Take a sample of the node when one is due, and the latencies in between."""

    def __init__(
        self,
        pid: int,
        file: Path,
        part: int,
        player: CameraPlayer,
        pacer: Pacer,
        period_s: float,
        also: Iterable[Callable[[Sample], None]],
    ):
        self._pid = pid
        self._period_s = period_s
        self._also = tuple(also)
        self._file = file
        self._part = part
        self._player = player
        self._pacer = pacer
        self._latencies: list[float] = []
        self._frames = 0
        self._began = self._due = 0.0

    def on_frame(self, cdr: bytes) -> None:
        """Note an answer: what is said of a frame comes after its other outputs."""
        stamp_ns = stamp_of(cdr)
        self._pacer.answer(stamp_ns)
        # Nothing is kept of a frame that is done with.
        sent_ns = self._player.sent_ns.pop(stamp_ns, None)
        if sent_ns is not None:
            self._latencies.append(1e-6 * (time.monotonic_ns() - sent_ns))
            self._frames += 1

    def take(self, last: bool = False) -> None:
        """Write a sample where one is due."""
        now = time.monotonic()
        if not self._frames or (now < self._due and not last):
            return
        self._began = self._began or now
        self._due = now + self._period_s
        held = memory(self._pid)
        sample = Sample(
            part=self._part,
            seconds=now - self._began,
            frames=self._frames,
            anonymous_bytes=held['RssAnon'],
            shared_bytes=held['RssShmem'],
            file_descriptors=len(os.listdir(f'/proc/{self._pid}/fd')),
            latencies_ms=tuple(round(each, 2) for each in self._latencies),
            load=os.getloadavg()[0],
            processor_seconds=processor_seconds(self._pid),
        )
        self._latencies.clear()
        append_sample(self._file, sample)
        for note in self._also:
            note(sample)


class _Listener(threading.Thread):
    """A subscriber to cloud and map in a participant of its own; use in a with statement."""

    def __init__(self, name: str):
        super().__init__()
        self._link = Link(name)
        self._ended = False
        self.clouds = 0
        self._map = b''
        create = self._link.node.create_subscription
        create(PointCloud2, f'/{NODE_NAME}/points', self._on_cloud, 5, raw=True)
        create(PointCloud2, f'/{NODE_NAME}/map', self._on_map, LATCHED, raw=True)

    @property
    def map_points(self) -> int:
        """Count the points of the newest map."""
        return deserialize_message(self._map, PointCloud2).width if self._map else 0

    def run(self) -> None:
        """Take what comes."""
        self._link.spin_until(lambda: self._ended, float('inf'))

    def _on_cloud(self, cdr: bytes) -> None:
        self.clouds += 1

    def _on_map(self, cdr: bytes) -> None:
        self._map = cdr

    def __enter__(self) -> _Listener:
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self._ended = True
        self.join()
        self._link.__exit__()


def _overrides(options: argparse.Namespace) -> list[str]:
    return [
        f'input.image_topics:=[{TOPIC}]',
        'input.queue:=every',
        f'output.map_max_points:={MAP_POINTS if options.map else 0}',
        *options.param,
    ]


def _room(height: int, width: int) -> list[Image]:
    """Render a room and make messages of its images, there and back again."""
    rendered = render_sequence(
        SequenceConfig(seed=2**30, frames=RENDERED, height=height, width=width)
    )
    messages = [
        picture_image(np.asarray(pixels), Header(frame_id='camera_optical_frame'))
        for pixels in rendered.images
    ]
    return [*messages, *messages[-2:0:-1]]


def _shots(images: list[Image], seconds: float) -> Iterator[Shot]:
    """Give images for a while, a tenth of a second of their own time apart."""
    end, index = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        message = images[index % len(images)]
        stamp_ns = FIRST_STAMP_NS + index * NANOSECONDS // 10
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, NANOSECONDS)
        yield Shot(stamp_ns, message)
        index += 1
