# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Finished runs to read: small ones, by a network that knows the truth, or nothing."""

from filmed import Filmed
from oracles import Oracle

from xstreamvggt_ros.evaluation.collect import collect
from xstreamvggt_ros.evaluation.environment import environment
from xstreamvggt_ros.evaluation.protocol import Protocol
from xstreamvggt_ros.evaluation.record import write_record
from xstreamvggt_ros.evaluation.replay import replay
from xstreamvggt_ros.evaluation.run_config import RunConfig, SCHEMA
from xstreamvggt_ros.evaluation.scoring import score

# At this size a frame of `filmed` reaches the network as it is.
CONFIG = RunConfig(
    image_size=112, device='cpu', checkpoint='random', camera_info=False
).as_reference()
PROTOCOL = Protocol(max_points=3000)


def oracle_run(sequence=None, config=CONFIG, noise=0.0):
    """Collect what a network that knows the truth gives."""
    sequence = sequence or Filmed(count=8)
    oracle = Oracle(sequence.film, noise)
    return sequence, collect(replay(sequence, config, oracle), sequence.count, config.depth_mib)


def scores_of(sequence, collected, protocol=PROTOCOL):
    """Score what was collected."""
    return score(
        collected.frames,
        collected.depth,
        collected.points,
        sequence.dataset,
        sequence.independent_frames,
        protocol,
    )


def oracle_record(
    folder, noise=0.0, config=CONFIG, sequence=None, edit=lambda collected: collected, **changes
):
    """
    Write such a run as a record; `changes` are of its settings, for the label alone.

    edit: changes what was collected.
    """
    sequence, collected = oracle_run(sequence, config, noise)
    collected = edit(collected)
    config = config.varied(**changes)
    scores = scores_of(sequence, collected)
    info = {
        'schema': SCHEMA,
        'key': config.key(sequence.fingerprint(), 'oracle'),
        'label': config.label(),
        'config': config.settings(),
        'weights': 'oracle',
        'sequence': {
            'name': sequence.name,
            'dataset': sequence.dataset,
            'fingerprint': sequence.fingerprint(),
            'independent_frames': sequence.independent_frames,
            'problems': list(sequence.problems),
        },
        'environment': environment('cpu', 'auto'),
        'started': '2026-01-01T00:00:00+00:00',
        'seconds': 1.5,
        **vars(scores),
    }
    return write_record(folder, info, collected, set(range(sequence.count)))
