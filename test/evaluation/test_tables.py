# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What tables and charts say of times that are not of the configuration alone."""

from dataclasses import replace
import re

from filmed import Filmed
import numpy as np
import pytest
from recorded import oracle_record

from xstreamvggt_ros.evaluation.report.charts import pareto
from xstreamvggt_ros.evaluation.report.figures import FIGURES
from xstreamvggt_ros.evaluation.report.model import datasets, Timetable
from xstreamvggt_ros.evaluation.report.page import page_html
from xstreamvggt_ros.evaluation.report.tables import sequence_tables, tables

LATENCY = FIGURES['latency_median_ms']


def timed(seconds, share=1.6):
    """Say that every frame took so long, of which a processor worked this share."""

    def edited(collected):
        count = len(collected.frames)
        times = {'latency_s': np.full(count, seconds), 'cpu_s': np.full(count, share * seconds)}
        return replace(collected, frames=replace(collected.frames, **times))

    return edited


def at(record, minute):
    return replace(record, info={**record.info, 'started': f'2026-01-01T00:{minute:02}:00+00:00'})


def of_time(found):
    """Give the table of times with its cells by figure."""
    (table,) = [each for each in found if each.task.name == 'time']
    cells = [dict(zip(table.figures, row.cells, strict=True)) for row in table.rows]
    return table, cells


@pytest.mark.parametrize(
    ('share', 'minutes', 'tag'),
    [(0.2, 1, 'busy machine'), (1.6, 1, ''), (1.6, 0, 'beside others')],
)
def test_times_that_others_share_are_marked_and_not_coloured(share, minutes, tag, tmp_path):
    sequence = Filmed(count=12)
    records = [
        oracle_record(tmp_path / 'a', sequence=sequence, edit=timed(0.4, share)),
        at(
            oracle_record(tmp_path / 'b', sequence=sequence, edit=timed(0.05, share), budget='4f'),
            minutes,
        ),
    ]

    (dataset,) = datasets(records)
    times = Timetable(records)
    table, cells = of_time(tables(dataset, times))

    assert [row.disturbed for row in table.rows] == [tag, tag]
    assert cells[1][LATENCY].change == '−87.5 %'
    assert cells[1][LATENCY].verdict == ('' if tag else 'better')
    # A change of what is itself a change says nothing.
    assert cells[1][FIGURES['latency_growth']].change == ''
    drawn, _ = pareto(dataset, times)
    for chart in drawn:
        marked = bool(tag) and 'against median latency' in chart
        assert len(re.findall(r'class="mark tone\d pale"', chart)) == (2 if marked else 0)
        assert chart.count(f' ({tag})</title>') == (2 if marked else 0)


@pytest.mark.parametrize('other', [{'name': 'kitchen'}, {'dataset': 'bonn'}])
@pytest.mark.parametrize('minutes', [0, 1])
def test_runs_are_beside_those_on_other_sequences_and_data_sets(other, minutes, tmp_path):
    records = [
        oracle_record(tmp_path / 'a', sequence=Filmed(count=4), edit=timed(0.1)),
        at(
            oracle_record(tmp_path / 'b', sequence=Filmed(count=4, **other), edit=timed(0.1)),
            minutes,
        ),
    ]

    page = page_html(records, [], '')

    shown = re.findall(r'<table>\n<caption>Latency of a frame.*?</table>', page, re.DOTALL)
    # Of each sequence, and of each data set.
    assert len(shown) == (3 if 'name' in other else 4)
    assert {'beside others' in table for table in shown} == {not minutes}
    assert ('Pale: latencies' in page) == (not minutes)


def test_a_sequence_s_times_are_coloured_by_the_runs_on_it_alone(tmp_path):
    sequences = [Filmed(count=12, name=name) for name in ('hall', 'room')]
    # Of the hall both at once, of the room one after the other.
    minutes = {('hall', 'none'): 0, ('hall', '4f'): 0, ('room', 'none'): 1, ('room', '4f'): 2}
    records = [
        at(
            oracle_record(
                tmp_path / f'{sequence.name}-{budget}',
                sequence=sequence,
                edit=timed(0.4 if budget == 'none' else 0.05),
                budget=budget,
            ),
            minutes[sequence.name, budget],
        )
        for sequence in sequences
        for budget in ('none', '4f')
    ]
    (dataset,) = datasets(records)
    times = Timetable(records)

    for name, tag in (('hall', 'beside others'), ('room', '')):
        table, cells = of_time(sequence_tables(dataset, name, times))
        assert [row.disturbed for row in table.rows] == [tag, tag]
        assert cells[1][LATENCY].verdict == ('' if tag else 'better')
