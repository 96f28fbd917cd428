# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs in the order in which a reader compares them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import accumulate
import math

from xstreamvggt_ros.evaluation.differences import differences
from xstreamvggt_ros.evaluation.jsonable import plain
from xstreamvggt_ros.evaluation.record import Record
from xstreamvggt_ros.evaluation.run_config import RunConfig

# What a run and its reference may differ in beside the cache.
REPLAY_FIELDS = ('mode', 'queue', 'rate')


@dataclass(frozen=True, eq=False)
class Row:
    """
    Runs of one configuration on the sequences of a data set, by the sequence's name.

    reference: the row that it is compared with, None where that was not run (or is this one).
    """

    config: RunConfig
    runs: dict[str, Record]
    reference: Row | None = None

    @property
    def label(self) -> str:
        """What tells it from the others."""
        return next(iter(self.runs.values())).info['label']

    def mean(self, figure: str) -> float:
        """Average a figure over the sequences that have it; NaN where none has."""
        return _mean(self.runs.values(), figure)

    def change(self, figure: str) -> float:
        """Give the change from the reference, as a share, over the sequences that both have."""
        pairs = self.pairs(figure)
        before = _mean((reference for _, reference in pairs), figure)
        after = _mean((run for run, _ in pairs), figure)
        return (after - before) / abs(before) if before else math.nan

    def pairs(self, figure: str) -> list[tuple[Record, Record]]:
        """Give run and reference of the sequences of which both have a figure."""
        theirs = self.reference.runs if self.reference else {}
        return [
            (run, theirs[name])
            for name, run in self.runs.items()
            if name in theirs
            and run.metrics.get(figure) is not None
            and theirs[name].metrics.get(figure) is not None
        ]


@dataclass(frozen=True, eq=False)
class Dataset:
    """The rows of a data set, references first, and the names of its sequences."""

    name: str
    rows: tuple[Row, ...]
    sequences: tuple[str, ...]

    def runs_of(self, sequence: str) -> list[Record]:
        """Give the runs on one sequence, in the order of the rows."""
        return [row.runs[sequence] for row in self.rows if sequence in row.runs]


def datasets(records: list[Record]) -> list[Dataset]:
    """Sort runs by data set, configuration and sequence."""
    found: dict[str, dict[tuple, dict[str, Record]]] = {}
    names = _names(records)
    for record in records:
        key = (record.info['weights'], record.config.canonical())
        rows = found.setdefault(record.dataset, {})
        rows.setdefault(key, {})[names[_input(record)]] = record
    return [_dataset(name, rows) for name, rows in sorted(found.items())]


class Timetable:
    """When runs were made; says of any run whether another one was made meanwhile."""

    def __init__(self, runs: Iterable[Record]) -> None:
        """Note when each began and ended."""
        spans = {run.folder: _span(run) for run in runs}
        ordered = sorted((begun, ended, folder) for folder, (begun, ended) in spans.items())
        self._begun = [begun + 1 for begun, _, _ in ordered]
        ends = ([(ended, folder)] for _, ended, folder in ordered)
        # Of the first 1, 2, ... to begin, the two that end last: one is not the run asked of.
        self._last = list(accumulate(ends, lambda last, one: sorted(last + one)[-2:]))

    def crowded(self, run: Record) -> bool:
        """Whether a different run was made at the same time, as far as whole seconds tell."""
        begun, ended = _span(run)
        earlier = bisect_left(self._begun, ended)
        last = self._last[earlier - 1] if earlier else []
        return any(folder != run.folder and begun + 1 < end for end, folder in last)


def disturbed(row: Row, times: Timetable) -> str:
    """Say why a row's times are not of its configuration alone, '' where they are."""
    if any(times.crowded(run) for run in row.runs.values()):
        return 'beside others'
    return 'busy machine' if any(run.starved for run in row.runs.values()) else ''


def _span(run: Record) -> tuple[float, float]:
    begun = datetime.fromisoformat(run.info['started']).timestamp()
    return begun, begun + run.info['seconds']


def with_differences(records: list[Record]) -> list[Record]:
    """Add to the figures of each run how far it is from its reference, where that is there."""
    references = {
        (_input(record), _like(record), record.config.mode): record
        for record in records
        if record.config.is_reference
    }
    found = []
    for record in records:
        one = _input(record), _like(record)
        reference = references.get((*one, record.config.mode), references.get((*one, 'exact')))
        if reference is not None and reference is not record:
            metrics = {**record.metrics, **differences(record, reference)}
            record = replace(record, info={**record.info, 'metrics': plain(metrics)})
        found.append(record)
    return found


def _like(record: Record) -> tuple:
    return _comparable(record.info['weights'], record.config.canonical())


def _names(records: list[Record]) -> dict[tuple, str]:
    """Name each input by its sequence, and others of the same name by what they hold too."""
    names: dict[tuple, str] = {}
    taken: set[tuple[str, str]] = set()
    for record in records:
        dataset, name, fingerprint = _input(record)
        if (dataset, name, fingerprint) in names:
            continue
        shown = f'{name} ({fingerprint[:8]})' if (dataset, name) in taken else name
        taken.add((dataset, name))
        names[dataset, name, fingerprint] = shown
    return names


def _input(record: Record) -> tuple[str, str, str]:
    return record.dataset, record.sequence, record.info['sequence'].get('fingerprint', '')


def _dataset(name: str, grouped: dict[tuple, dict[str, Record]]) -> Dataset:
    references = {
        (_comparable(weights, config), config.mode): Row(config, runs)
        for (weights, config), runs in grouped.items()
        if config.is_reference
    }
    rows = []
    for (weights, config), runs in grouped.items():
        like = _comparable(weights, config)
        reference = references.get((like, config.mode)) or references.get((like, 'exact'))
        own = reference is not None and reference.config == config
        rows.append(Row(config, runs, None if own else reference))
    rows.sort(key=_order)
    sequences = sorted({sequence for row in rows for sequence in row.runs})
    return Dataset(name, tuple(rows), tuple(sequences))


def _comparable(weights: str, config: RunConfig) -> tuple:
    """Reset what a run and its reference may differ in."""
    default = RunConfig()
    # What is remembered of the camera is no matter of how much, or in how many bits.
    cache = replace(default.cache, camera_cache=config.cache.camera_cache)
    replayed = {name: getattr(default, name) for name in REPLAY_FIELDS}
    return weights, replace(config, cache=cache, budget_share=None, **replayed)


def _order(row: Row) -> tuple:
    config = row.config
    size = row.mean('cache_mib')
    return (
        config.network_size,
        config.mode,
        not config.is_reference,
        -(size if math.isfinite(size) else 0.0),
        row.label,
    )


def _mean(runs: Iterable[Record], figure: str) -> float:
    values = [run.metrics.get(figure) for run in runs]
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else math.nan
