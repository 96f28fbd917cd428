# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Many runs: those that are finished are not made again, and those that fail stop no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
import json
import logging
from pathlib import Path

from xstreamvggt_ros.evaluation.cluster import ray_runs
from xstreamvggt_ros.evaluation.jsonable import dumps, plain
from xstreamvggt_ros.evaluation.lock import writing
from xstreamvggt_ros.evaluation.plan import Plan, PlannedRun
from xstreamvggt_ros.evaluation.record import remove_unfinished
from xstreamvggt_ros.evaluation.running import execute
from xstreamvggt_ros.evaluation.workers import Finished, local_runs, RunFailure
from xstreamvggt_ros.files.replacing import replacing

ERROR_PATTERN = '*.error.json'

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Means:
    """Say how runs are executed: `jobs` processes here, or on the Ray cluster at an address."""

    jobs: int = 1
    threads: int = 1
    ray_address: str = ''


@dataclass(frozen=True)
class SweepResult:
    """Count what became of the runs; `failed` says why."""

    made: int
    already_there: int
    failed: tuple[tuple[PlannedRun, RunFailure], ...]


def sweep(
    plan: Plan,
    output: Path,
    means: Means,
    tell: Callable[[PlannedRun, RunFailure | None, bool], None] = lambda run, failure, made: None,
    execute: Callable[[PlannedRun], object] = execute,
) -> SweepResult:
    """
    Make the runs of a plan that are not there yet; `tell` hears of each, made or found.

    A failed run leaves a file that says why, which goes when it succeeds later. Raises FolderBusy
    where another process writes to `output`.
    """
    output.mkdir(parents=True, exist_ok=True)
    with writing(output):
        remove_unfinished(output)
        missing, there = [], 0
        for run in plan.runs:
            if run.finished:
                there += 1
                # What was left by a sweep that was killed before it took this away.
                run.error_file.unlink(missing_ok=True)
                tell(run, None, False)
            else:
                missing.append(run)
                if why := run.outdated():
                    logger.warning('%s is run again: %s', run, why)
        failed = []
        for run, failure in _executed(missing, means, execute):
            if failure is None:
                run.error_file.unlink(missing_ok=True)
            else:
                failed.append((run, failure))
                _write_error(run, failure)
            tell(run, failure, True)
    return SweepResult(len(missing) - len(failed), there, tuple(failed))


def read_errors(folder: Path) -> list[dict]:
    """Read what failed runs left below a folder: 'run', 'sequence', 'label', 'message', …."""
    errors = []
    for path in sorted(folder.rglob(ERROR_PATTERN)):
        try:
            errors.append(dict(json.loads(path.read_text(encoding='utf-8'))))
        except (OSError, ValueError):
            errors.append({'run': path.name, 'message': 'and what it left cannot be read'})
    return errors


def _executed(
    runs: list[PlannedRun], means: Means, execute: Callable[[PlannedRun], object]
) -> Iterator[Finished]:
    if not runs:
        return iter(())
    if means.ray_address:
        return ray_runs(runs, execute, means.ray_address, means.threads)
    return local_runs(runs, execute, means.jobs, means.threads)


def _write_error(run: PlannedRun, failure: RunFailure) -> None:
    with replacing(run.error_file) as temporary:
        text = dumps(
            {
                'run': run.folder.name,
                'sequence': run.sequence,
                'dataset': run.dataset,
                'label': run.config.label(),
                'config': plain(run.config),
                **plain(failure),
            }
        )
        temporary.write_text(text + '\n', encoding='utf-8')
