# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every run's figures as CSV and JSON."""

from __future__ import annotations

from collections.abc import Sequence
import csv
import io

from xstreamvggt_ros.evaluation.jsonable import dumps
from xstreamvggt_ros.evaluation.record import Record

# A text that begins so is a formula to a spreadsheet.
FORMULA_STARTS = ('=', '+', '-', '@', '\t', '\r')
WHAT = ('dataset', 'sequence', 'label', 'weights', 'device', 'commit', 'key')


def as_csv(records: Sequence[Record]) -> str:
    """
    Write a line a run: what it was, its settings, its figures; empty where there is none.

    No two columns have one name: a setting that is called as what a run was, such as the device
    asked for beside the one that ran, is `config.<name>`.
    """
    settings = sorted({name for record in records for name in record.config.settings()})
    figures = list(dict.fromkeys(name for record in records for name in record.metrics))
    file = io.StringIO()
    writer = csv.writer(file, lineterminator='\n')
    named = (f'config.{name}' if name in WHAT else name for name in settings)
    writer.writerow([*WHAT, *named, *figures])
    for record in records:
        config = record.config.settings()
        writer.writerow(
            [
                *map(_inert, _what(record).values()),
                *(_inert(config.get(name)) for name in settings),
                *(record.metrics.get(name) for name in figures),
            ]
        )
    return file.getvalue()


def _inert(value: object) -> object:
    """Keep spreadsheets from taking a text, such as a bag's name, for a formula."""
    # https://owasp.org/www-community/attacks/CSV_Injection
    starts = isinstance(value, str) and value.startswith(FORMULA_STARTS)
    return f"'{value}" if starts else value


def as_json(records: Sequence[Record], failures: Sequence[dict]) -> str:
    """Write the same as JSON, with the runs that failed; null where there is no figure."""
    runs = [
        {
            **_what(record),
            'config': record.config.settings(),
            'metrics': record.metrics,
            'untried': record.untried,
        }
        for record in records
    ]
    failed = [
        {name: value for name, value in each.items() if name != 'trace'} for each in failures
    ]
    return dumps({'runs': runs, 'failed': failed}) + '\n'


def _what(record: Record) -> dict[str, object]:
    environment = record.info['environment']
    values = (
        record.dataset,
        record.sequence,
        record.info['label'],
        record.info['weights'],
        environment['device'],
        environment['commit'],
        record.info['key'],
    )
    return dict(zip(WHAT, values, strict=True))
