# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A run from its first step, or the one it was resumed at, to its last."""

from __future__ import annotations

from dataclasses import asdict
import logging
from pathlib import Path
import statistics
import time

from xstreamvggt_ros.training.evaluation import answer, figures, held_out, save_pictures, shown
from xstreamvggt_ros.training.export import export
from xstreamvggt_ros.training.journal import draw_curves, Journal
from xstreamvggt_ros.training.shards import ShardFolder
from xstreamvggt_ros.training.trainer import Trainer

LOGGER = logging.getLogger(__name__)
LOG_EVERY = 50
PICTURED = 10


def train(trainer: Trainer, source, run: Path, max_minutes: float = float('inf')) -> None:
    """
    Train to the last step or for max_minutes, whichever comes first.

    Into the folder `run` go last.pt, the best weights at each size, log.jsonl and pictures.
    """
    config, journal = trainer.config, Journal(run / 'log.jsonl')
    journal.forget_after(trainer.step)
    start = time.monotonic()
    held_out_folder = ShardFolder(run / 'held_out')
    sequences = held_out(held_out_folder, config.held_out, config.held_out_frames, config.rendered)
    recent = []
    while trainer.step < config.steps:
        recent.append({**trainer.advance(source), 'time': time.monotonic() - start})
        ending = trainer.step == config.steps or time.monotonic() - start > 60 * max_minutes
        if trainer.step % LOG_EVERY == 0:
            journal.add('training', trainer.step, _mean(recent))
            recent.clear()
        if trainer.step % config.save_every == 0 or ending:
            trainer.save(run / 'last.pt')
        if trainer.step % config.validate_every == 0 or ending:
            _validate(trainer, sequences, run, journal)
        if ending:
            return


def _validate(trainer: Trainer, sequences, run: Path, journal: Journal) -> None:
    # Figures at different sizes cannot be compared, so every size has its best.
    size = trainer.config.stage(trainer.step).size
    answers = [answer(trainer.averaged, sequence, size) for sequence in sequences]
    found = figures(answers)
    name = f'{size[0]}x{size[1]}'
    kind = f'validation-{name}'
    better = found['abs_rel'] < journal.best(kind, 'abs_rel')
    journal.add(kind, trainer.step, found)
    LOGGER.info('step %d, %s: %s', trainer.step, kind, shown(found))
    if better:
        export(
            trainer.averaged,
            run / f'best-{name}.safetensors',
            step=trainer.step,
            seed=trainer.config.seed,
            size=size,
            figures=found,
            training=asdict(trainer.config),
        )
    save_pictures(answers[:PICTURED], run / 'pictures.png')
    draw_curves(journal, run / 'curves.png')


def _mean(reports: list[dict[str, float]]) -> dict[str, float]:
    # A stage may begin between two reports, and with it losses.
    names = [
        name
        for name in reports[-1]
        if name not in ('time', 'lr') and all(name in report for report in reports)
    ]
    means = {name: statistics.fmean(report[name] for report in reports) for name in names}
    return {**means, 'lr': reports[-1]['lr'], 'seconds': reports[-1]['time']}
