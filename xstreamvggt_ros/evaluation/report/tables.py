# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The report's tables: figures, their change from the reference, and what was published."""

from __future__ import annotations

from dataclasses import dataclass
import math

from xstreamvggt_ros.evaluation.report.figures import Figure, Task, TASKS
from xstreamvggt_ros.evaluation.report.model import Dataset, disturbed, Row, Timetable
from xstreamvggt_ros.evaluation.report.published import (
    method_of,
    published,
    replayed_alike,
    scored_alike,
)
from xstreamvggt_ros.evaluation.report.spread import change_interval

# A change of less than this share is none worth a colour.
EVEN = 0.005
TIMES = next(task for task in TASKS if task.name == 'time').figures


@dataclass(frozen=True)
class Cell:
    """
    A figure in a table.

    change: from the reference, '' for none; spread: what of it sequences and frames leave to
    chance. verdict: 'better', 'worse' or ''. published: lines, each a value and its source.
    """

    value: str
    change: str = ''
    spread: str = ''
    verdict: str = ''
    published: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class TableRow:
    """A configuration's figures."""

    label: str
    reference: bool
    sequences: int
    cells: tuple[Cell, ...]
    # Why its times are not of the configuration alone, '' where they are.
    disturbed: str = ''
    # Of how many sequences the budget was not reached.
    untried: int = 0


@dataclass(frozen=True)
class Table:
    """One task on one data set (or sequence)."""

    task: Task
    figures: tuple[Figure, ...]
    rows: tuple[TableRow, ...]

    @property
    def has_published(self) -> bool:
        """Whether any published figure stands beside one."""
        return any(cell.published for row in self.rows for cell in row.cells)


def tables(dataset: Dataset, times: Timetable) -> list[Table]:
    """Make a table of each task that the data set has figures of; times: of the whole report."""
    rows = {*dataset.rows, *(row.reference for row in dataset.rows if row.reference)}
    found, why = [], {row: disturbed(row, times) for row in rows}
    for task in TASKS:
        figures = tuple(
            figure
            for figure in task.figures
            if any(math.isfinite(row.mean(figure.name)) for row in dataset.rows)
        )
        if figures:
            shown = tuple(_row(dataset, row, figures, why) for row in dataset.rows)
            found.append(Table(task, figures, shown))
    return found


def sequence_tables(dataset: Dataset, sequence: str, times: Timetable) -> list[Table]:
    """Make the tables of one sequence alone; times: of the whole report."""
    rows = tuple(_alone(row, sequence) for row in dataset.rows if sequence in row.runs)
    return tables(Dataset(dataset.name, rows, (sequence,)), times)


def _alone(row: Row, sequence: str) -> Row:
    """Take of a row and its reference what ran on one sequence."""
    its = row.reference
    reference = _alone(its, sequence) if its and sequence in its.runs else None
    return Row(row.config, {sequence: row.runs[sequence]}, reference)


def _row(dataset: Dataset, row: Row, figures: tuple[Figure, ...], why: dict[Row, str]) -> TableRow:
    reference = row.config.is_reference
    unsure = why[row] or row.reference and why[row.reference]
    cells = tuple(
        _cell(dataset, row, figure, not (unsure and figure in TIMES)) for figure in figures
    )
    untried = sum(run.untried for run in row.runs.values())
    return TableRow(row.label, reference, len(row.runs), cells, why[row], untried)


def _cell(dataset: Dataset, row: Row, figure: Figure, judged: bool) -> Cell:
    change = row.change(figure.name)
    text = spread = verdict = ''
    if figure.compared and math.isfinite(change):
        text = _share(change)
        between = change_interval(row.pairs(figure.name), figure.name)
        if between is not None:
            spread = f'{_share(between[0])} to {_share(between[1])}'
        # What may be chance is worth no colour.
        sure = between is not None and between[0] * between[1] > 0
        if judged and figure.better and abs(change) >= EVEN and sure:
            good = (change < 0) == (figure.better == 'lower')
            verdict = 'better' if good else 'worse'
    alike = replayed_alike(dataset.name, figure.name, row.config) and all(
        scored_alike(figure.name, run.info['protocol']) for run in row.runs.values()
    )
    known = published(dataset.name, figure.name, method_of(row.config)) if alike else ()
    lines = tuple((figure.show(each.value), f'{each.method}: {each.source}') for each in known)
    return Cell(figure.show(row.mean(figure.name)), text, spread, verdict, lines)


def _share(change: float) -> str:
    return '±0 %' if abs(change) < 5e-4 else f'{100 * change:+,.1f} %'.replace('-', '−')
