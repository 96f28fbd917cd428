# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One run from start to record."""

from __future__ import annotations

from datetime import datetime, timezone
import time

from xstreamvggt_ros.evaluation.code_version import code_version
from xstreamvggt_ros.evaluation.collect import collect, Collected
from xstreamvggt_ros.evaluation.environment import environment
from xstreamvggt_ros.evaluation.jsonable import plain
from xstreamvggt_ros.evaluation.plan import PlannedRun
from xstreamvggt_ros.evaluation.process_memory import MEANINGS
from xstreamvggt_ros.evaluation.record import Record, write_record
from xstreamvggt_ros.evaluation.replay import chosen_frames, replay
from xstreamvggt_ros.evaluation.run_config import RunConfig, SCHEMA
from xstreamvggt_ros.evaluation.scoring import score, score_again, worst_frames
from xstreamvggt_ros.inputs import ImageSequence

# A run keeps all pictures up to so many bytes; else the worst frames and so many spread over it.
MOST_PICTURE_BYTES = 8 * 2**20
SPREAD_PICTURES = 16


def execute(run: PlannedRun) -> Record:
    """
    Replay a sequence, score it and write its record; one that is there is only scored.

    Raises ValueError, OSError and RuntimeError with sentences for the user, and what the network
    raises. There is no record then.
    """
    if record := run.record():
        return score_again(record, run.protocol)
    started, began = datetime.now(timezone.utc), time.monotonic()
    sequence = run.spec.open()
    config = run.config
    frames = chosen_frames(sequence, config)
    collected = collect(_results(sequence, config), len(frames), config.depth_mib)
    if not (collected.frames.statuses == 'done').any():
        reasons = sorted(set(collected.frames.reasons))
        raise ValueError(f'no frame gave an estimate: {"; ".join(reasons)[:500]}')
    scores = score(
        collected.frames,
        collected.depth,
        collected.points,
        run.dataset,
        sequence.independent_frames,
        run.protocol,
    )
    info = {
        'schema': SCHEMA,
        'key': run.key,
        'code': code_version(config.mode),
        'label': config.label(),
        'config': plain(config.settings()),
        'weights': run.weights,
        'sequence': {
            'name': run.sequence,
            'dataset': run.dataset,
            'path': run.spec.path,
            'layout': run.spec.layout,
            'options': dict(run.spec.options),
            'fingerprint': run.fingerprint,
            'frames': len(frames),
            'independent_frames': sequence.independent_frames,
            'problems': list(sequence.problems),
        },
        'environment': environment(config.device, config.dtype),
        'memory': MEANINGS[config.mode],
        'started': started.isoformat(timespec='seconds'),
        'seconds': time.monotonic() - began,
        **vars(scores),
    }
    return write_record(run.folder, info, collected, _shown(collected, scores.curves))


def _results(sequence: ImageSequence, config: RunConfig):
    if config.mode == 'exact':
        return replay(sequence, config)
    # Here, because ROS is needed by this replay alone.
    from xstreamvggt_ros.evaluation.live import live_replay

    return live_replay(sequence, config)


def _shown(collected: Collected, curves: dict) -> set[int]:
    """Choose the frames whose pictures the report may want."""
    kept = sorted(collected.pictures)
    if sum(map(len, collected.pictures.values())) <= MOST_PICTURE_BYTES:
        return set(kept)
    step = max(1, len(kept) // SPREAD_PICTURES)
    return set(worst_frames(curves, SPREAD_PICTURES)) | set(kept[::step][:SPREAD_PICTURES])
