# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The report's tables: figures, their change from the reference, and what was published."""

from __future__ import annotations

from dataclasses import dataclass
import math

from xstreamvggt_ros.evaluation.report.figures import Figure, Task, TASKS
from xstreamvggt_ros.evaluation.report.model import Dataset, Row
from xstreamvggt_ros.evaluation.report.published import method_of, published

# A change of less than this share is none worth a colour.
EVEN = 0.005


@dataclass(frozen=True)
class Cell:
    """
    A figure in a table.

    change: from the reference, '' for none. verdict: 'better', 'worse' or ''. published: lines,
    each a value and its source.
    """

    value: str
    change: str = ''
    verdict: str = ''
    published: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class TableRow:
    """A configuration's figures."""

    label: str
    reference: bool
    sequences: int
    cells: tuple[Cell, ...]


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


def tables(dataset: Dataset) -> list[Table]:
    """Make a table of each task that the data set has figures of."""
    found = []
    for task in TASKS:
        figures = tuple(
            figure
            for figure in task.figures
            if any(math.isfinite(row.mean(figure.name)) for row in dataset.rows)
        )
        if figures:
            rows = tuple(_row(dataset, row, figures) for row in dataset.rows)
            found.append(Table(task, figures, rows))
    return found


def sequence_tables(dataset: Dataset, sequence: str) -> list[Table]:
    """Make the tables of one sequence alone."""
    rows = {}
    for row in dataset.rows:
        if sequence in row.runs:
            rows[row] = Row(row.config, {sequence: row.runs[sequence]}, row.reference)
    return tables(Dataset(dataset.name, tuple(rows.values()), (sequence,)))


def _row(dataset: Dataset, row: Row, figures: tuple[Figure, ...]) -> TableRow:
    cells = tuple(_cell(dataset, row, figure) for figure in figures)
    return TableRow(row.label, row.config.is_reference, len(row.runs), cells)


def _cell(dataset: Dataset, row: Row, figure: Figure) -> Cell:
    change = row.change(figure.name)
    text = verdict = ''
    if math.isfinite(change):
        text = '±0 %' if abs(change) < 5e-4 else f'{100 * change:+,.1f} %'.replace('-', '−')
        if figure.better and abs(change) >= EVEN:
            good = (change < 0) == (figure.better == 'lower')
            verdict = 'better' if good else 'worse'
    known = published(dataset.name, figure.name, method_of(row.config))
    lines = tuple((figure.show(each.value), f'{each.method}: {each.source}') for each in known)
    return Cell(figure.show(row.mean(figure.name)), text, verdict, lines)
