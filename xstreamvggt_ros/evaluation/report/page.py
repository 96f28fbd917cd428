# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What stands on the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import json
from pathlib import Path
import re

from xstreamvggt_ros.evaluation.record import Record
from xstreamvggt_ros.evaluation.report import charts
from xstreamvggt_ros.evaluation.report.model import Dataset, datasets, disturbed, Timetable
from xstreamvggt_ros.evaluation.report.pictures import colour_bar, FramePictures, worst_pictures
from xstreamvggt_ros.evaluation.report.spread import LEAST_FRAMES, LEAST_SEQUENCES
from xstreamvggt_ros.evaluation.report.tables import EVEN, sequence_tables, Table, tables
from xstreamvggt_ros.evaluation.report.views import aligned_paths, scene
from xstreamvggt_ros.scores.pose_fit import POSES

ASSETS = Path(__file__).with_name('assets')
TITLE = 'Evaluation by replay'
# Lines of a chart that a reader can tell apart.
MOST_LINES = 6
# What the whole page may hold, so that it stays a few megabytes: points and rows of pictures.
MOST_POINTS, MOST_POINTS_A_CLOUD = 160_000, 12_000
MOST_PICTURES, PICTURES_A_RUN, PICTURED_RUNS = 90, 3, 2


@dataclass(frozen=True, eq=False)
class SequencePage:
    """A sequence's part of the page; `scene` is JSON, '' for none, `aligned` with the truth."""

    name: str
    anchor: str
    shown: int
    left_out: int
    problems: tuple[str, ...]
    tables: list[Table]
    legend: list[charts.Legend]
    curves: list[str]
    trajectories: list[str]
    scene: str
    aligned: bool
    worst: list[tuple[str, list[FramePictures]]]


@dataclass(frozen=True, eq=False)
class DatasetPage:
    """A data set's part of the page; `pale`: whether points of charts are."""

    name: str
    anchor: str
    tables: list[Table]
    pareto: list[str]
    pareto_legend: list[charts.Legend]
    pale: bool
    sequences: list[SequencePage]


def page_html(records: Sequence[Record], failures: Sequence[dict], title: str) -> str:
    """Make the page, which needs nothing from anywhere else."""
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(loader=FileSystemLoader(ASSETS), autoescape=True)
    style, script = ((ASSETS / name).read_text('utf-8') for name in ('style.css', 'page.js'))
    sets = datasets(list(records))
    sequences = sum(len(each.sequences) for each in sets)
    times = Timetable(records)
    page = {
        'title': title or TITLE,
        'summary': (
            f'{_counted(len(records), "run")} on {_counted(sequences, "sequence")} '
            f'of {_counted(len(sets), "data set")}'
        ),
        'warnings': _warnings(records),
        'style': style,
        'script': script,
        'datasets': [_dataset(each, sequences, times) for each in sets],
        'failures': failures,
        'runs': [_run(record) for record in records],
        'protocol': '; '.join(sorted({_protocol(record) for record in records})),
        'even': f'{100 * EVEN:g}',
        'least_frames': LEAST_FRAMES,
        'least_sequences': LEAST_SEQUENCES,
        'depth_bar': colour_bar('depth'),
        'error_bar': colour_bar('error'),
    }
    return environment.get_template('page.html.j2').render(page=page)


def _counted(count: int, what: str) -> str:
    return f'{count} {what}' if count == 1 else f'{count} {what}s'


def _dataset(dataset: Dataset, sequences: int, times: Timetable) -> DatasetPage:
    drawn, legend = charts.pareto(dataset, times)
    pale = any(disturbed(row, times) for row in dataset.rows)
    anchor = _anchor(dataset.name)
    return DatasetPage(
        dataset.name,
        anchor,
        tables(dataset, times),
        drawn,
        legend,
        pale,
        [_sequence(dataset, name, anchor, sequences, times) for name in dataset.sequences],
    )


def _sequence(
    dataset: Dataset, name: str, anchor: str, sequences: int, times: Timetable
) -> SequencePage:
    runs = dataset.runs_of(name)
    shown = runs[:MOST_LINES]
    paths = aligned_paths(shown)
    clouds = sequences * (len(shown) + 1)
    view = scene(shown, min(MOST_POINTS_A_CLOUD, max(500, MOST_POINTS // clouds)))
    pictured = shown[:PICTURED_RUNS]
    pictures = min(PICTURES_A_RUN, MOST_PICTURES // (sequences * len(pictured)))
    worst = [(run.info['label'], worst_pictures(run, pictures)) for run in pictured]
    return SequencePage(
        name,
        f'{anchor}-{_anchor(name)}',
        len(shown),
        len(runs) - len(shown),
        tuple(dict.fromkeys(said for run in runs for said in _said(run))),
        sequence_tables(dataset, name, times),
        charts.legend(shown, truth=paths is not None),
        charts.curves(shown),
        [] if paths is None else charts.trajectories(paths),
        '' if view is None else _embedded(view),
        view is not None and view['aligned'],
        [(label, frames) for label, frames in worst if frames],
    )


def _said(run: Record) -> list[str]:
    """Give what was wrong with the input, and how the truth let it be aligned."""
    found = list(run.info['sequence']['problems'])
    alignment = run.info['alignment'].get('trajectory', {})
    if alignment.get('by') == POSES:
        found.append(
            'The true path is nearly straight, or no wider than the estimate is wrong, so that '
            'places leave the turn about it free: orientations entered the alignment.'
        )
    elif alignment.get('reason'):
        found.append(f'No trajectory was aligned: {alignment["reason"]}.')
    return found


def _embedded(value: object) -> str:
    """Write JSON that cannot end the script element that it stands in."""
    return json.dumps(value, allow_nan=False).replace('<', '\\u003c')


def _anchor(text: str) -> str:
    return re.sub(r'[^a-z0-9]+', '-', text.lower()).strip('-')


def _warnings(records: Sequence[Record]) -> list[str]:
    found = []
    if any(record.config.random_weights for record in records):
        found.append(
            'Random weights: no trained weights were loaded, so figures of accuracy mean nothing.'
        )
    untried = list(dict.fromkeys(record.info['label'] for record in records if record.untried))
    if untried:
        found.append(
            'Shorter than the budget, so that nothing was forgotten and the budget was not tried '
            f'(its rows say so): {"; ".join(untried)}. Take more frames or a smaller budget.'
        )
    if any(record.starved for record in records):
        found.append(
            'Other processes had the processors while some runs were made: their times, marked '
            '“busy machine”, are not of the configuration alone and are not coloured.'
        )
    thinned = {int(record.depth().stride) for record in records} - {1}
    if thinned:
        found.append(
            f'Depth was scored on every n-th pixel each way, n up to {max(thinned)}, to bound '
            'what a run keeps; --depth-mib gives it more.'
        )
    return found


def _run(record: Record) -> dict[str, object]:
    info, environment = record.info, record.info['environment']
    versions = environment['versions']
    return {
        'sequence': f'{record.dataset}: {record.sequence}',
        'label': info['label'],
        'mode': record.config.mode,
        'weights': info['weights'][:16],
        'device': f'{environment["device"]}, {environment["dtype"]}, '
        f'{environment["threads"]} threads',
        'versions': ', '.join(f'{name} {versions[name]}' for name in ('xstreamvggt_ros', 'torch')),
        'commit': environment['commit'] or '',
        'started': info['started'],
        'seconds': f'{info["seconds"]:.0f}',
    }


def _protocol(record: Record) -> str:
    return ', '.join(f'{name} {value}' for name, value in record.info['protocol'].items())
