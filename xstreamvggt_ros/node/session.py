# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What exists only while the node is active."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import asdict, replace
import math
from statistics import median
import time

from rclpy.lifecycle import LifecycleNode

from xstreamvggt_ros.files.heap import give_back
from xstreamvggt_ros.intake.counters import Counters, Counts, STOPPED
from xstreamvggt_ros.intake.recent import RECENT, RecentCounts
from xstreamvggt_ros.intake.worker import Worker
from xstreamvggt_ros.memory.estimate import MIB
from xstreamvggt_ros.messages.diagnostics import diagnostic_array, StreamFigures
from xstreamvggt_ros.node.callbacks import steady_timer
from xstreamvggt_ros.node.cameras import CameraInputs
from xstreamvggt_ros.node.depth import DepthInput
from xstreamvggt_ros.node.failures import FailureLog
from xstreamvggt_ros.node.frame_reader import FrameReader
from xstreamvggt_ros.node.interface import LOAD, RESET, SAVE
from xstreamvggt_ros.node.observed import frame_figures, FrameFigures, Observed
from xstreamvggt_ros.node.outputs import Outputs
from xstreamvggt_ros.node.robot import Robot
from xstreamvggt_ros.node.scale import Scale
from xstreamvggt_ros.node.services import Command, Services
from xstreamvggt_ros.node.stages import FrameStages
from xstreamvggt_ros.node.stamped import StampedReconstruction
from xstreamvggt_ros.node.status import stream_figures
from xstreamvggt_ros.node.watch import WatchLog
from xstreamvggt_ros.parameters import Parameters
from xstreamvggt_ros.pipeline import ReconstructionPipeline
from xstreamvggt_ros.stream import read_snapshot

STATUS_PERIOD = 10.0
DIAGNOSTICS_PERIOD = 1.0
# Map and path grow with every frame, but are sent whole.
WORLD_PERIOD = 1.0
# The scale settles, and a new stream's is not known, in the worker's thread.
ROBOT_PERIOD = 1.0
# Of map to odometry, which holds between two images.
TRANSFORM_PERIOD = 0.05


class Session:
    """
    The time between activate and deactivate: subscription, worker, service, status, diagnostics.

    `parameters` gives the configuration as it is now; `patience` bounds in seconds how long a
    service waits for the frame in hand.
    """

    def __init__(
        self,
        node: LifecycleNode,
        parameters: Callable[[], Parameters],
        pipeline: ReconstructionPipeline,
        reader: FrameReader,
        scale: Scale,
        outputs: Outputs,
        patience: float,
    ) -> None:
        """Listen, and start the worker."""
        self._node = node
        self._pipeline = pipeline
        self._reader = reader
        self._scale = scale
        self._outputs = outputs
        self._parameters = parameters
        logger = node.get_logger()
        self._failures = FailureLog(logger.warning, logger.error)
        self._counters = Counters()
        reader.times.remark = self._counters.remark
        reader.stamps.rest()
        self._reported = self._counters.snapshot()
        self._reported_at = time.monotonic()
        self._recent = RecentCounts(self._reported_at, self._reported, reader.streams.count)
        self._read_cache()
        self._newest = FrameFigures()
        self._last_error = ''
        self._failed_at = -math.inf
        self._watch = WatchLog(logger)
        self._active = True
        self._status: Future | None = None
        self._world_sent: Future | None = None
        with ExitStack() as stack:
            self._cameras = CameraInputs(
                node, lambda: parameters().input, self._counters, reader.stamps.judge
            )
            stack.callback(self._cameras.destroy)
            self._depth = DepthInput(node, lambda: parameters().input)
            stack.callback(self._depth.destroy)
            stack.callback(outputs.forget_transform)
            self._robot = Robot(node, lambda: parameters().output, lambda: scale.asks_odometry)
            stack.callback(self._robot.destroy)
            services = Services(node, self._commands(), self._post, self._cameras.enable, patience)
            stack.callback(services.destroy)
            for period, what, callback in (
                (STATUS_PERIOD, 'log the status', self._on_status),
                (DIAGNOSTICS_PERIOD, 'publish diagnostics', self._publish_diagnostics),
                (WORLD_PERIOD, 'publish map and path', self._on_world),
                (ROBOT_PERIOD, 'listen to the robot', self._robot.follow),
                (TRANSFORM_PERIOD, 'repeat the transform', outputs.repeat_transform),
            ):
                timer = steady_timer(node, period, what, callback)
                stack.callback(node.destroy_timer, timer)
            self._worker = Worker(
                self._cameras.mailbox,
                FrameStages(
                    reader, pipeline, self._cameras, self._depth, scale, self._publish, logger.info
                ),
                self._on_failure,
                self._counters,
            )
            self._entities = stack.pop_all()
        logger.info(f'waiting for images on {self._cameras.topics}')

    def apply(self, old: Parameters, new: Parameters) -> None:
        """Follow a change of parameters."""
        self._cameras.follow(old.input)
        self._robot.follow()

    def stop(self, patience: float) -> None:
        """
        Cease to listen and end the worker.

        Raises WorkerBusy where it has not come to its end after `patience` seconds.
        """
        self._active = False
        self._entities.close()
        try:
            self._worker.stop(patience)
            self._read_cache()
            self._publish_world()
        finally:
            self._node.get_logger().info(str(self._counters.snapshot()))
            if self._node.context.ok():
                self._publish_diagnostics()

    def _publish(self, stamped: StampedReconstruction) -> None:
        robot = self._robot.look(stamped)
        self._outputs.publish(stamped, robot, self._scale.holds_for(stamped.reconstruction))
        if stamped.reconstruction.camera_index == 0:
            self._newest = frame_figures(stamped.reconstruction)
        self._scale.follow(stamped, self._depth, robot)
        self._watch.note(stamped.reconstruction.report)
        # Reading the cache's tensors costs as much as it has layers; once a period will do.
        if time.monotonic() >= self._cache_due:
            self._read_cache()

    def _read_cache(self) -> None:
        """Note what the cache holds; only the worker may, and after its end anybody."""
        self._cache = self._pipeline.cache_stats()
        self._cache_due = time.monotonic() + DIAGNOSTICS_PERIOD

    def _publish_diagnostics(self) -> None:
        """Tell the newest figures, as the worker has left them behind."""
        counts = self._counters.snapshot()
        recent = self._recent.note(time.monotonic(), counts, self._reader.streams.count)
        figures = self._figures(
            replace(self._observe(counts), recent=recent, report=self._watch.take())
        )
        stamp = self._node.get_clock().now().to_msg()
        self._outputs.publish_diagnostics(
            diagnostic_array(figures, self._node.get_fully_qualified_name().lstrip('/'), stamp)
        )

    def _observe(self, counts: Counts) -> Observed:
        just = time.monotonic() - self._failed_at < RECENT
        return Observed(
            counts,
            self._cache,
            self._newest,
            last_error=self._last_error if just else '',
            scale=self._scale.state,
            stream=self._reader.streams.state,
            transforms=self._robot.problem,
            silent_for=self._cameras.silent_for,
            problems=self._cameras.problems,
            active=self._active,
        )

    def _figures(self, observed: Observed) -> StreamFigures:
        return stream_figures(self._parameters(), observed)

    def _on_failure(self, error: Exception) -> str:
        # A signal ends the context at once, and publishing with it.
        if not self._node.context.ok():
            return STOPPED
        reason = self._failures.report(error)
        self._last_error = f'{reason}: {error}'.partition('\n')[0]
        self._failed_at = time.monotonic()
        return reason

    def _commands(self) -> tuple[Command, ...]:
        return (
            Command(RESET, self._reset, 'not reset'),
            Command(SAVE, self._save, 'not saved'),
            Command(LOAD, self._load, 'not loaded'),
        )

    def _post(self, function: Callable[[], str]) -> Future:
        return self._worker.post(function)

    def _reset(self) -> str:
        self._reader.reset()
        self._outputs.clear()
        give_back()
        return 'a new stream begins with the next image'

    def _save(self) -> str:
        """Write the stream to output.directory; name the files."""
        self._read_cache()
        record = {
            'parameters': asdict(self._parameters()),
            'figures': asdict(self._figures(self._observe(self._counters.snapshot()))),
        }
        files = self._outputs.world.save(self._pipeline, record)
        return 'saved ' + ', '.join(str(file) for file in files)

    def _load(self) -> str:
        """Go on with the stream of input.snapshot."""
        path = self._parameters().input.snapshot
        if not path:
            raise ValueError('input.snapshot is empty; set it to a file that ~/save wrote')
        height, width = self._reader.resume(read_snapshot(path))
        self._outputs.clear()
        return (
            f'the stream of {path} goes on with the next image that is {width}x{height} for the '
            'network; another size begins a new stream'
        )

    def _on_world(self) -> None:
        """Have the worker send map and path: they are its own."""
        if self._world_sent is None or self._world_sent.done():
            self._world_sent = self._worker.post(self._publish_world)

    def _publish_world(self) -> None:
        try:
            self._outputs.world.publish()
        except Exception as error:
            # A signal ends the context at once, and publishing with it.
            if self._node.context.ok():
                self._node.get_logger().error(f'map and path could not be sent: {error}')

    def _on_status(self) -> None:
        """Have the worker say it: nobody else may look into the network's memory."""
        if self._status is None or self._status.done():
            self._status = self._worker.post(self._log_status)
        else:
            self._node.get_logger().info(
                f'the network has been busy with one image for {STATUS_PERIOD:g} s or more; '
                f'{self._counters.snapshot()}'
            )

    def _log_status(self) -> None:
        counts, now = self._counters.snapshot(), time.monotonic()
        done = counts.processed - self._reported.processed
        rate = done / (now - self._reported_at)
        self._reported, self._reported_at = counts, now
        recent = counts.latencies[-done:] if done else ()
        latency = f'latency {1e3 * median(recent):.0f} ms, ' if recent else ''
        cache = self._pipeline.cache_stats()
        self._node.get_logger().info(
            f'{rate:.1f} images/s, {latency}{counts}; cache: {cache.tokens} tokens of all '
            f'layers in {cache.bytes / MIB:.1f} MiB, {cache.evictions} evicted'
        )
