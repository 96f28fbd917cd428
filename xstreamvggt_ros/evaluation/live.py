# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Live replay: the sequence through the real node over DDS, in its own time under /clock."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
import json
from pathlib import Path
import sys
import tempfile
import time

from xstreamvggt_ros.evaluation.config import RunConfig
from xstreamvggt_ros.evaluation.live_results import recorded_estimates
from xstreamvggt_ros.evaluation.replay import (
    chosen_frames,
    first_shape,
    frame_tokens,
    resident_bytes,
    WORLD_AXES,
)
from xstreamvggt_ros.evaluation.results import Cost, Estimate, FrameResult
from xstreamvggt_ros.evaluation.truth import AlignedTruth, TruthAligner
from xstreamvggt_ros.files.bags import BagWriter
from xstreamvggt_ros.inputs.datasets import DamagedFrame, EvaluationSequence, SequenceFrame
from xstreamvggt_ros.parameters.cache import cache_values
from xstreamvggt_ros.rig.domain import free_domain, isolated
from xstreamvggt_ros.rig.lifecycle import Lifecycle, NodeError
from xstreamvggt_ros.rig.link import Link
from xstreamvggt_ros.rig.live_player import IMAGE_TOPIC, SequencePlayer
from xstreamvggt_ros.rig.pacing import Pacer
from xstreamvggt_ros.rig.processes import Child
from xstreamvggt_ros.rig.recorder import Recorder

NODE_NAME = 'reconstruction'
NODE_PROGRAM = 'from xstreamvggt_ros.node import main; raise SystemExit(main())'
ACTIVATE_TIMEOUT_S = 30.0
PATIENCE_S = 300.0
# Diagnostics come once a second; the one after this long counts every image that was sent.
SETTLE_S = 1.5
QUEUE_SIZE = 64
LOG_LINES = 15
NO_ODOMETRY = 'no odometry was recorded; a stream that began here is not told from the one before'


@dataclass
class _Watched:
    """Costs of the node as they were seen, by the monotonic time of seeing."""

    samples: list[tuple[int, Cost]] = field(default_factory=list)

    def note(self, pid: int, recorder: Recorder) -> None:
        """Look at the process and at the newest of its own figures."""
        figures = recorder.diagnostics
        self.samples.append(
            (
                time.monotonic_ns(),
                Cost(
                    cache_tokens=float(figures.get('cache_tokens', 'nan')),
                    cache_bytes=float(figures.get('cache_bytes', 'nan')),
                    resident_bytes=resident_bytes(str(pid)),
                ),
            )
        )

    def at(self, when_ns: int, latency_s: float) -> Cost:
        """
        Give what was seen at that time.

        The node reads its cache once a second and says so once a second: a frame's figures are
        the first that were seen after it, up to two seconds old, and there are some after the
        last.
        """
        later = bisect_right(self.samples, when_ns, key=lambda sample: sample[0])
        seen = self.samples[later - 1][1] if later else Cost()
        said = next((cost for _, cost in self.samples[later:] if cost.cache_bytes > 0), seen)
        return replace(
            seen,
            latency_s=latency_s,
            cache_tokens=said.cache_tokens,
            cache_bytes=said.cache_bytes,
        )


def live_replay(sequence: EvaluationSequence, config: RunConfig) -> Iterator[FrameResult]:
    """
    Run the frames of the sequence through a node of its own process, and give them in order.

    With config.queue 'newest' images come as the camera sent them and late ones are dropped; with
    'every' each waits for the one before. Raises NodeError with the end of the node's log where
    it does not start or dies, PlayerError where it falls silent; ValueError: images of no video.
    """
    if sequence.independent_frames:
        raise ValueError(f'{sequence.name} is no video; use mode exact')
    frames = chosen_frames(sequence, config)
    with tempfile.TemporaryDirectory(prefix='xstreamvggt_live_') as folder:
        bag = Path(folder, 'recording.mcap')
        with isolated(free_domain()):
            happened = _run(frames, config, bag, Path(folder))
        yield from _results(frames, config, happened, bag)


@dataclass(frozen=True, eq=False)
class _Happened:
    player: SequencePlayer
    completed_ns: dict[int, int]
    watched: _Watched


def _run(
    frames: Sequence[SequenceFrame], config: RunConfig, bag_path: Path, folder: Path
) -> _Happened:
    log = folder / 'node.log'
    watched, pacer = _Watched(), Pacer()
    lossless = config.queue == 'every'
    try:
        with ExitStack() as stack:
            link = stack.enter_context(Link('xstreamvggt_evaluation'))
            bag = stack.enter_context(BagWriter(bag_path))
            # Before the lifecycle's client: that the node answers it implies that the node
            # knows these subscriptions too, so that no first output is lost.
            recorder = Recorder(link, NODE_NAME, bag, pacer)
            player = SequencePlayer(link, frames, lossless, config.rate)
            node = stack.enter_context(Child(_command(frames, config, folder), log))

            def watch() -> None:
                watched.note(node.pid, recorder)
                if node.exit_code is not None:
                    raise NodeError(f'the node ended by itself, with exit code {node.exit_code}')

            link.watch = watch
            lifecycle = Lifecycle(link, NODE_NAME)
            lifecycle.change('configure', PATIENCE_S)
            lifecycle.change('activate', ACTIVATE_TIMEOUT_S)
            player.play(pacer, PATIENCE_S)
            _await_outputs(link, player, recorder)
            stopped_at = time.monotonic()
            lifecycle.change('deactivate', PATIENCE_S)
            # The last figures are sent after the transition.
            link.spin_until(lambda: recorder.diagnostics_at > stopped_at, SETTLE_S)
            watched.note(node.pid, recorder)
            link.watch = lambda: None
            return _Happened(player, recorder.completed_ns, watched)
    except NodeError as error:
        tail = log.read_text(encoding='utf-8', errors='replace').splitlines()[-LOG_LINES:]
        raise NodeError('\n'.join([f'{error}; the end of its log:', *tail])) from error


def _await_outputs(link: Link, player: SequencePlayer, recorder: Recorder) -> None:
    """Wait until every image is answered, or the node has counted all that it will not answer."""
    counted_all_at = time.monotonic() + SETTLE_S

    def settled() -> bool:
        if player.sent_ns.keys() <= recorder.completed_ns.keys():
            return True
        if recorder.diagnostics_at < counted_all_at:
            return False
        return recorder.settled >= int(recorder.diagnostics['frames_in'])

    link.spin_until(settled, PATIENCE_S)


def _command(frames: Sequence[SequenceFrame], config: RunConfig, folder: Path) -> list[str]:
    cache = config.cache_config(len(frames), frame_tokens(config, first_shape(frames)))
    model = ('preset', 'checkpoint', 'revision', 'device', 'dtype', 'image_size', 'attention')
    values = {
        'use_sim_time': True,
        **{f'model.{name}': getattr(config, name) for name in model},
        **cache_values(cache),
        'input.image_topics': [IMAGE_TOPIC],
        'input.queue': config.queue,
        'input.queue_size': QUEUE_SIZE,
        'input.use_camera_info': config.camera_info,
        'output.world_axes': WORLD_AXES,
        'output.point_source': config.point_source,
        'output.confidence_percentile': 0.0,
        'keyframe.enabled': config.keyframe_threshold is not None,
        'watch.on_failure': config.on_failure,
    }
    if config.keyframe_threshold is not None:
        values['keyframe.threshold'] = config.keyframe_threshold
    # JSON is YAML, and keeps an empty string apart from nothing.
    file = folder / 'parameters.yaml'
    file.write_text(json.dumps({'/**': {'ros__parameters': values}}), encoding='utf-8')
    arguments = ['--ros-args', '--disable-external-lib-logs', '--params-file', str(file)]
    return [sys.executable, '-c', NODE_PROGRAM, *arguments]


def _results(
    frames: Sequence[SequenceFrame], config: RunConfig, happened: _Happened, bag: Path
) -> Iterator[FrameResult]:
    estimates = recorded_estimates(bag, NODE_NAME, config.point_source == 'pointmap')
    aligner = TruthAligner(config.network_size, config.camera_info)
    waiting: dict[int, Estimate] = {}
    for index, frame in enumerate(frames):
        if frame.stamp_ns in happened.player.damaged:
            reason = f'damaged: {happened.player.damaged[frame.stamp_ns]}'
            yield FrameResult(index, frame, AlignedTruth(), 'failed', reason=reason)
            continue
        estimate = None
        if frame.stamp_ns in happened.completed_ns:
            # Frames are answered in order; what is ahead of its turn waits.
            while frame.stamp_ns not in waiting and (ready := next(estimates, None)):
                waiting[ready[0]] = ready[1]
            estimate = waiting.pop(frame.stamp_ns, None)
        yield _result(index, frame, estimate, happened, aligner)


def _result(
    index: int,
    frame: SequenceFrame,
    estimate: Estimate | None,
    happened: _Happened,
    aligner: TruthAligner,
) -> FrameResult:
    try:
        image = frame.image()
    except DamagedFrame as error:
        return FrameResult(index, frame, AlignedTruth(), 'failed', reason=f'damaged: {error}')
    truth, unknown = aligner.of_frame(frame, image.shape[:2])
    if estimate is None:
        # The recorder waits for all but the odometry, which is not sent for every frame.
        answered = frame.stamp_ns in happened.completed_ns
        missing = NO_ODOMETRY if answered else 'the node gave no output'
        reason = '; '.join(filter(None, (missing, unknown)))
        return FrameResult(index, frame, truth, 'dropped', reason=reason)
    completed_ns = happened.completed_ns[frame.stamp_ns]
    latency_s = 1e-9 * (completed_ns - happened.player.sent_ns[frame.stamp_ns])
    return FrameResult(
        index,
        frame,
        truth,
        'done',
        replace(estimate, picture=aligner.picture(image, frame.camera)),
        happened.watched.at(completed_ns, latency_s),
        unknown,
    )
