# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Live replay: the sequence through the real node over DDS, in its own time under /clock."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
import tempfile
import time

import numpy as np

from xstreamvggt_ros.evaluation.process_memory import take_peak_resident_bytes
from xstreamvggt_ros.evaluation.replay import (
    chosen_frames,
    first_shape,
    frame_tokens,
    WORLD_AXES,
)
from xstreamvggt_ros.evaluation.results import Cost, Estimate, FrameResult, pose
from xstreamvggt_ros.evaluation.run_config import RunConfig
from xstreamvggt_ros.evaluation.truth import AlignedTruth, TruthAligner
from xstreamvggt_ros.inputs import DamagedFrame, ImageSequence, SequenceFrame
from xstreamvggt_ros.parameters.cache import cache_values
from xstreamvggt_ros.rig.camera_messages import shots
from xstreamvggt_ros.rig.camera_player import CameraPlayer
from xstreamvggt_ros.rig.clock import BagClock
from xstreamvggt_ros.rig.domain import free_domain, isolated
from xstreamvggt_ros.rig.driven_node import (
    node_command,
    NODE_NAME,
    parameters_file,
    RecordedNode,
)
from xstreamvggt_ros.rig.lifecycle import NodeError
from xstreamvggt_ros.rig.node_log import tail
from xstreamvggt_ros.rig.recorder import Recorder
from xstreamvggt_ros.rig.recording import recorded_frames, RecordedFrame

CLOCK_HZ = 100.0
PATIENCE_S = 300.0
QUEUE_SIZE = 64
LOG_LINES = 15


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
                    cache_evicted=float(figures.get('cache_evictions', 'nan')),
                    cache_bytes=float(figures.get('cache_bytes', 'nan')),
                    resident_bytes=take_peak_resident_bytes(str(pid)),
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
            cache_evicted=said.cache_evicted,
            cache_bytes=said.cache_bytes,
        )


def live_replay(sequence: ImageSequence, config: RunConfig) -> Iterator[FrameResult]:
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
            happened = _run(sequence, frames, config, bag, Path(folder))
        yield from _results(frames, config, happened, bag)


@dataclass(frozen=True, eq=False)
class _Happened:
    sent_ns: dict[int, int]
    damaged: dict[int, str]
    completed_ns: dict[int, int]
    watched: _Watched


def _run(
    sequence: ImageSequence,
    frames: Sequence[SequenceFrame],
    config: RunConfig,
    bag: Path,
    folder: Path,
) -> _Happened:
    log = folder / 'node.log'
    watched, damaged = _Watched(), {}
    lossless = config.queue == 'every'
    try:
        with RecordedNode('xstreamvggt_evaluation', bag, PATIENCE_S) as rig:
            player = CameraPlayer(rig.link, sequence.topic, sequence.transport)
            # Without loss the clock stands still while the node works.
            clock = BagClock(rig.link, 0 if lossless else CLOCK_HZ, config.rate)
            node = rig.start(_command(sequence, frames, config, folder), log)
            node.watch = lambda: watched.note(node.pid, rig.recorder)
            node.bring_up(PATIENCE_S)
            player.play(shots(frames, damaged), clock, rig.pacer, int(lossless), PATIENCE_S)
            rig.finish(player.sent_ns)
            return _Happened(player.sent_ns, damaged, rig.recorder.completed_ns, watched)
    except NodeError as error:
        end = '\n'.join([f'{error}; the end of its log:', *tail(log, LOG_LINES)])
        raise NodeError(end) from error


def _command(
    sequence: ImageSequence, frames: Sequence[SequenceFrame], config: RunConfig, folder: Path
) -> list[str]:
    cache = config.cache_config(len(frames), frame_tokens(config, first_shape(frames)))
    model = ('preset', 'checkpoint', 'revision', 'device', 'dtype', 'image_size', 'attention')
    values = {
        'use_sim_time': True,
        **{f'model.{name}': getattr(config, name) for name in model},
        **cache_values(cache),
        'input.image_topics': [sequence.topic],
        'input.image_transport': sequence.transport,
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
    return node_command(parameters_file(folder / 'parameters.yaml', values))


def _results(
    frames: Sequence[SequenceFrame], config: RunConfig, happened: _Happened, bag: Path
) -> Iterator[FrameResult]:
    recorded = recorded_frames(bag, NODE_NAME, config.point_source == 'pointmap')
    aligner = TruthAligner(config.network_size, config.camera_info)
    waiting: dict[int, RecordedFrame] = {}
    for index, frame in enumerate(frames):
        if frame.stamp_ns in happened.damaged:
            reason = f'damaged: {happened.damaged[frame.stamp_ns]}'
            yield FrameResult(index, frame, AlignedTruth(), 'failed', reason=reason)
            continue
        estimate = None
        if frame.stamp_ns in happened.completed_ns:
            # Frames are answered in order; what is ahead of its turn waits.
            while frame.stamp_ns not in waiting and (ready := next(recorded, None)):
                waiting[ready.stamp_ns] = ready
            estimate = _estimate(waiting.pop(frame.stamp_ns))
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
        reason = '; '.join(filter(None, ('the node gave no output', unknown)))
        return FrameResult(index, frame, truth, 'dropped', reason=reason)
    completed_ns = happened.completed_ns[frame.stamp_ns]
    latency_s = 1e-9 * (completed_ns - happened.sent_ns[frame.stamp_ns])
    return FrameResult(
        index,
        frame,
        truth,
        'done',
        replace(estimate, picture=aligner.picture(image, frame.camera)),
        happened.watched.at(completed_ns, latency_s),
        unknown,
    )


def _estimate(recorded: RecordedFrame) -> Estimate:
    """Take what is scored from a recorded frame; the picture was not recorded."""
    return Estimate(
        recorded.depth,
        recorded.confidence,
        recorded.intrinsics,
        pose(recorded.position, recorded.quaternion),
        np.empty((0, 0, 3), np.uint8),
        recorded.points,
        recorded.stream,
        recorded.verdict,
    )
