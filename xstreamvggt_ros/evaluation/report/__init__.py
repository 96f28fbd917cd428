# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One page of many runs that needs no network, and their figures as CSV and JSON."""

from __future__ import annotations

from collections.abc import Iterator
import json
from pathlib import Path

from xstreamvggt_ros.evaluation.record import find_records
from xstreamvggt_ros.evaluation.report.figures import FIGURES
from xstreamvggt_ros.evaluation.report.model import with_differences
from xstreamvggt_ros.evaluation.report.page import page_html
from xstreamvggt_ros.evaluation.report.tabular import as_csv, as_json
from xstreamvggt_ros.evaluation.sweep import read_errors
from xstreamvggt_ros.files.replacing import replacing

NAMES = ('report.html', 'figures.csv', 'figures.json')


def write_report(folder: Path, output: Path, title: str = '') -> tuple[list[Path], list[str]]:
    """
    Write the page, CSV and JSON of all finished runs below a folder.

    Gives the files and what was wrong with runs that were left out. ValueError: no run at all.
    """
    records, problems = find_records(folder)
    if not records:
        raise ValueError('\n'.join([f'no finished run below {folder}', *problems]))
    records = with_differences(records)
    failures = read_errors(folder)
    texts = (
        page_html(records, failures, title),
        as_csv(records),
        as_json(records, failures),
    )
    paths = [output / name for name in NAMES]
    for path, text in zip(paths, texts, strict=True):
        with replacing(path) as temporary:
            temporary.write_text(text, encoding='utf-8')
    return paths, problems


def differences_said(output: Path) -> Iterator[str]:
    """
    Say of each run in a folder's figures.json how far it is from the unbounded one.

    Nothing is said for a budget by a run that ended before it was full.
    """
    figures = [
        FIGURES[f'difference_{name}'] for name in ('depth', 'position', 'rotation', 'cloud')
    ]
    for run in json.loads((output / NAMES[-1]).read_text(encoding='utf-8'))['runs']:
        parts = [
            f'{figure.title} {shown} {figure.unit}'
            for figure in figures
            if (shown := figure.show(run['metrics'].get(figure.name)))
        ]
        if parts:
            yield f'{_named(run)}: {", ".join(parts)} from the unbounded cache'
        if run['untried']:
            yield (
                f'{_named(run)}: {run["metrics"]["frames"]} frames are less than the budget '
                'holds: nothing was forgotten, so that the budget was not tried; take more frames '
                'or a smaller --budget'
            )


def _named(run: dict) -> str:
    return f'{run["sequence"]}, {run["label"]}'
