# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A run from its first step, or the one it was resumed at, to its last."""

from __future__ import annotations

from dataclasses import asdict
import logging
from pathlib import Path
import statistics
import time

from xstreamvggt_ros.training.beginning import last_file
from xstreamvggt_ros.training.evaluation import answer, figures, held_out, save_pictures, shown
from xstreamvggt_ros.training.export import Export
from xstreamvggt_ros.training.journal import draw_curves, Journal
from xstreamvggt_ros.training.renderers import Renderers
from xstreamvggt_ros.training.schedule import Minutes
from xstreamvggt_ros.training.shards import ShardFolder
from xstreamvggt_ros.training.trainer import Trainer

LOGGER = logging.getLogger(__name__)
LOG_EVERY = 50
PICTURED = 10


def train(
    trainer: Trainer,
    source,
    run: Path,
    max_minutes: float = float('inf'),
    renderers: Renderers | None = None,
) -> None:
    """
    Train to the end of the schedule or for max_minutes, whichever comes first.

    Into the folder `run` go the file to go on from, the best weights at each size, log.jsonl and
    pictures. ValueError where averaged weights no longer fit half precision, as `Export` says.
    """
    config, journal = trainer.config, Journal(run / 'log.jsonl')
    journal.forget_after(trainer.step)
    last = last_file(run, isinstance(trainer.schedule, Minutes))
    window = _Window()
    while not trainer.finished:
        window.add(trainer.advance(source))
        ending = trainer.finished or window.minutes > max_minutes
        if trainer.step % LOG_EVERY == 0 or ending:
            figures = window.figures()
            journal.add('training', trainer.step, figures)
            LOGGER.info('step %d: %s', trainer.step, shown(figures))
            if renderers is not None:
                renderers.check()
        if trainer.step % config.save_every == 0 or ending:
            trainer.save(last)
        if trainer.step % config.validate_every == 0 or ending:
            if renderers is not None:
                renderers.wait_for_held_out()
            _validate(trainer, run, journal)
        if ending:
            return


class _Window:
    """The reports since the last line of the log; reading them waits for the device."""

    def __init__(self) -> None:
        self._reports: list[dict] = []
        self._begun = self._since = time.monotonic()

    @property
    def minutes(self) -> float:
        """Minutes since training began."""
        return (time.monotonic() - self._begun) / 60

    def add(self, report: dict) -> None:
        self._reports.append(report)

    def figures(self) -> dict[str, float]:
        """Return means, the last rate, frames a second and seconds so far, and begin again."""
        reports, self._reports = self._reports, []
        # A stage may begin between two reports, and with it losses.
        names = [name for name in reports[-1] if all(name in report for report in reports)]
        means = {
            name: statistics.fmean(float(report[name]) for report in reports)
            for name in names
            if name not in ('lr', 'frames')
        }
        now = time.monotonic()
        rate = sum(report['frames'] for report in reports) / max(1e-9, now - self._since)
        self._since = now
        ends = {'lr': reports[-1]['lr'], 'seconds': now - self._begun}
        return {**means, **ends, 'frames_per_second': rate}


def _validate(trainer: Trainer, run: Path, journal: Journal) -> None:
    """
    Score the averaged weights as they would be written, and write them where they are the best.

    ValueError, naming them, where weights do not fit half precision: nothing is noted or written.
    """
    config = trainer.config
    # Figures at different sizes cannot be compared, so every size has its best.
    size = trainer.stage.size
    sequences = held_out(
        ShardFolder(run / 'held_out'), config.held_out, config.held_out_frames, config.rendered
    )
    averaged = Export(trainer.averaged)
    answers = [answer(averaged.model, sequence, size) for sequence in sequences]
    found = figures(answers)
    name = f'{size[0]}x{size[1]}'
    kind = f'validation-{name}'
    better = found['abs_rel'] < journal.best(kind, 'abs_rel')
    journal.add(kind, trainer.step, found)
    LOGGER.info('step %d, %s: %s', trainer.step, kind, shown(found))
    if better:
        averaged.write(
            run / f'best-{name}.safetensors',
            step=trainer.step,
            seed=trainer.config.seed,
            size=size,
            figures=found,
            training=asdict(trainer.config),
        )
    save_pictures(answers[:PICTURED], run / 'pictures.png')
    draw_curves(journal, run / 'curves.png')
