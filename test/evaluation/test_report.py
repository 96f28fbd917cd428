# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the report says of runs."""

import csv
from dataclasses import replace
from html.parser import HTMLParser
import io
import json
import re

from filmed import Filmed
import numpy as np
import pytest
from recorded import CONFIG, oracle_record

from xstreamvggt_ros.evaluation.report import write_report
from xstreamvggt_ros.evaluation.report.figures import FIGURES
from xstreamvggt_ros.evaluation.report.model import datasets, Timetable
from xstreamvggt_ros.evaluation.report.published import STREAM, XSTREAM
from xstreamvggt_ros.evaluation.report.spread import LEAST_FRAMES, LEAST_SEQUENCES
from xstreamvggt_ros.evaluation.report.svg import Axis, chart, Series
from xstreamvggt_ros.evaluation.report.tables import EVEN, tables

NASTY = '<script>alert(1)</script>'
FORMULA = '=chess'
# Runs that nothing was made beside.
ALONE = Timetable(())
# The papers' network with weights, whatever is in them, and their frames of Bonn.
PAPERS = {
    'preset': 'streamvggt',
    'checkpoint': 'weights.pt',
    'image_size': 0,
    'max_frames': 110,
}


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Three configurations of a sequence that claims to be of Bonn, and one that failed."""
    folder = tmp_path_factory.mktemp('runs')
    sequence = Filmed(count=12, name=f'{FORMULA} {NASTY}', dataset='bonn', problems=(NASTY,))
    oracle_record(folder / 'a', 0.02, sequence=sequence, **PAPERS)
    published = {'budget': '2048', 'bits': 4, 'policy': 'query_key', **PAPERS}
    oracle_record(folder / 'b', 0.08, sequence=sequence, **published)
    oracle_record(folder / 'c', 0.04, sequence=sequence, budget='50%', **PAPERS)
    error = {'run': 'd', 'sequence': 'chess', 'label': 'd', 'message': f'it broke {NASTY}'}
    (folder / 'd.error.json').write_text(json.dumps(error))
    return folder


@pytest.fixture(scope='module')
def page(folder, tmp_path_factory):
    output = tmp_path_factory.mktemp('page')
    paths, problems = write_report(folder, output, 'A title')
    assert problems == []
    assert [path.name for path in paths] == ['report.html', 'figures.csv', 'figures.json']
    return output


class _Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found += [
            value for name, value in attributes if name in ('src', 'href', 'xlink:href', 'data')
        ]


def test_the_page_needs_nothing_from_anywhere_else(page):
    text = (page / 'report.html').read_text()
    links = _Links()
    links.feed(text)

    assert all(link.startswith(('#', 'data:image/')) for link in links.found)
    assert 'url(' not in text
    assert '@import' not in text
    assert len(text) < 5e6


def test_what_files_are_called_is_text_on_the_page(page):
    text = (page / 'report.html').read_text()

    assert NASTY not in text
    assert text.count('&lt;script&gt;alert(1)') >= 3


def test_failed_runs_are_named(page):
    assert 'it broke' in (page / 'report.html').read_text()
    (failed,) = json.loads((page / 'figures.json').read_text())['failed']
    assert failed['run'] == 'd'


def test_csv_and_json_have_every_run_s_figures(page):
    rows = list(csv.DictReader(io.StringIO((page / 'figures.csv').read_text())))
    runs = json.loads((page / 'figures.json').read_text())['runs']

    assert len(rows) == len(runs) == 3
    for row, run in zip(rows, runs, strict=True):
        assert float(row['ate_rmse']) == run['metrics']['ate_rmse']
        assert row['budget'] == run['config']['budget']
        assert row['device_mib'] == ''
        assert run['metrics']['device_mib'] is None


def test_no_two_columns_have_one_name_and_no_text_is_a_formula(page):
    lines = list(csv.reader(io.StringIO((page / 'figures.csv').read_text())))

    assert len(set(lines[0])) == len(lines[0])
    row = dict(zip(*lines[:2], strict=True))
    assert row['sequence'].startswith("'=chess")
    # What was asked for, and what it ran on.
    assert row['config.device'] == 'cpu'
    assert row['device'] != row['config.device']


def test_rows_are_compared_with_the_unbounded_cache(folder):
    from xstreamvggt_ros.evaluation.record import find_records

    (dataset,) = datasets(find_records(folder)[0])

    reference, *others = dataset.rows
    assert reference.config.is_reference
    assert reference.reference is None
    assert np.isnan(reference.change('ate_rmse'))
    for row in others:
        (mine,), (its,) = row.runs.values(), reference.runs.values()
        change = mine.metrics['ate_rmse'] / its.metrics['ate_rmse'] - 1
        assert row.change('ate_rmse') == pytest.approx(change)
    cloud = next(table for table in tables(dataset, ALONE) if table.task.name == 'cloud')
    values = {row.label: dict(zip(cloud.figures, row.cells, strict=True)) for row in cloud.rows}
    worse = next(cells for label, cells in values.items() if '2048' in label)
    # Four times the noise.
    for name in ('accuracy_mean', 'completeness_mean'):
        assert worse[FIGURES[name]].change.startswith('+')
        # Of one sequence, and not taken frame by frame: what of it is chance is not known.
        assert worse[FIGURES[name]].verdict == ''
    depth = next(table for table in tables(dataset, ALONE) if table.task.name == 'depth')
    cells = next(row.cells for row in depth.rows if '2048' in row.label)
    error = dict(zip(depth.figures, cells, strict=True))[FIGURES['depth_median_abs_rel']]
    assert error.verdict == 'worse' and error.spread.startswith('+')


def test_the_page_says_what_is_coloured(page):
    text = (page / 'report.html').read_text()

    assert f'at least {100 * EVEN:g} % whose range is on one side of none' in text
    assert f'fewer than {LEAST_FRAMES} frames' in text
    assert f'a colour from {LEAST_SEQUENCES} sequences on' in text
    assert 'with one sequence only' not in text
    # And so it is.
    cells = re.findall(r'<td class="number">.*?</td>', text, re.DOTALL)
    coloured = [cell for cell in cells if re.search(r'"change (?:better|worse)"', cell)]
    assert coloured
    for cell in coloured:
        ((low, high),) = re.findall(r'sequences and frames">(\S+) % to (\S+) %<', cell)
        (change,) = re.findall(r'"change \w+">.([\d.,]+) %', cell)
        assert low[0] == high[0]
        assert float(change.replace(',', '')) >= 100 * EVEN


@pytest.mark.parametrize(
    ('changes', 'published'),
    [({}, True), ({'max_frames': 0}, False), ({'camera_info': True}, False)],
)
def test_published_figures_stand_beside_the_same_method_only(changes, published, folder):
    from xstreamvggt_ros.evaluation.record import find_records

    records = [
        replace(each, config=each.config.varied(**changes)) for each in find_records(folder)[0]
    ]
    (dataset,) = datasets(records)
    depth = next(table for table in tables(dataset, ALONE) if table.task.name == 'depth')
    column = depth.figures.index(FIGURES['depth_median_abs_rel'])
    shown = {
        row.label.split(',')[0]: [
            source.split(':')[0] for _, source in row.cells[column].published
        ]
        for row in depth.rows
    }
    expected = {'unbounded': [STREAM] * 2, '2048': [XSTREAM] * 3, '50%': []}
    assert shown == (expected if published else dict.fromkeys(expected, []))


def test_a_budget_that_was_not_reached_is_said_on_the_page_and_by_the_command(folder, tmp_path):
    from xstreamvggt_ros.evaluation.report import differences_said

    small = {'config': CONFIG, 'sequence': Filmed(count=4, name='short')}
    oracle_record(tmp_path / 'a', **small)
    for name, evicted in (('b', 0.0), ('c', 7.0)):
        oracle_record(
            tmp_path / name,
            budget='2048' if name == 'b' else '99',
            edit=lambda collected, evicted=evicted: replace(
                collected,
                frames=replace(collected.frames, cache_evicted=np.full(4, evicted)),
            ),
            **small,
        )

    write_report(tmp_path, tmp_path)

    text = (tmp_path / 'report.html').read_text()
    assert (
        text.count('nothing was forgotten and the budget was not tried (its rows say so): 2048')
        == 1
    )
    rows = re.findall(r'<tr.*?</tr>', text, re.DOTALL)
    tagged = [row for row in rows if 'budget not reached' in row]
    assert tagged and all('2048,' in row for row in tagged)
    (said,) = [line for line in differences_said(tmp_path) if 'was not tried' in line]
    assert said.startswith('short, 2048') and '4 frames are less than the budget holds' in said


def test_a_chart_is_in_the_unit_that_its_axis_names(folder):
    from xstreamvggt_ros.evaluation.record import find_records
    from xstreamvggt_ros.evaluation.report.charts import pareto
    from xstreamvggt_ros.evaluation.report.model import with_differences

    records = with_differences(find_records(folder)[0])
    (dataset,) = datasets(records)
    most = max(each.metrics.get('difference_depth') or 0 for each in records)
    drawn, _ = pareto(dataset, ALONE)
    chart = next(each for each in drawn if 'Difference of depth against' in each)
    assert 'Difference of depth, % ↓' in chart
    ticks = [float(text) for text in re.findall(r'class="tick"[^>]*"end">([\d.]+)<', chart)]
    assert 25 * most < max(ticks) < 400 * most


def test_a_folder_without_runs_is_refused(tmp_path):
    with pytest.raises(ValueError, match='no finished run'):
        write_report(tmp_path, tmp_path)


@pytest.mark.parametrize('logarithmic', [False, True])
@pytest.mark.parametrize(
    'values',
    [[0.3913, 0.3914], [1e-7, 3e-7], [5.0], [], [float('nan')], [1, 1e6], [46.9, 1.9], [-3, 0, 2]],
)
def test_axes_have_round_distinct_ticks_inside(values, logarithmic):
    axis = Axis.over('x', values, logarithmic)
    text = chart('title', axis, Axis('y', 0, 1), [Series('s', values, [0.5] * len(values))])

    ticks = axis.ticks()
    assert len(ticks) >= 2
    assert all(-1e-9 <= axis.share(tick) <= 1 + 1e-9 for tick in ticks)
    shown = re.findall(r'text-anchor="middle">([^<]+)</text>', text)[: len(ticks)]
    assert len(set(shown)) == len(ticks)
    assert 'nan' not in text


def test_holes_interrupt_a_line():
    values = [1.0, 2.0, float('nan'), 3.0, 4.0]

    text = chart('t', Axis('x', 0, 4), Axis('y', 0, 4), [Series('s', range(5), values)])

    (path,) = re.findall(r'class="line tone0" d="([^"]*)"', text)
    assert path.count('M') == 2


def test_other_inputs_of_the_same_name_stay_apart(tmp_path):
    records = [
        oracle_record(
            tmp_path / f'{count}-{budget}', 0.02, sequence=Filmed(count=count), budget=budget
        )
        for count in (5, 6)
        for budget in ('none', '50%')
    ]

    (dataset,) = datasets(records)

    assert len(dataset.sequences) == 2
    for row in dataset.rows:
        assert sorted(len(row.runs[name].frames()) for name in dataset.sequences) == [5, 6]
    for name in dataset.sequences:
        assert len({len(run.frames()) for run in dataset.runs_of(name)}) == 1
