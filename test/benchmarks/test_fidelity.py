# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How far a compressed cache moves the outputs: errors, their tables, and the command line."""

import numpy as np
import pytest

from benchmarks.fidelity import ARRAYS, errors, markdown, options, Row, summary


def row(policy, scheme, bits, fraction, error, model='conv4'):
    return Row(model, policy, scheme, bits, fraction, dict.fromkeys(ARRAYS, error), 1.5, 20.0)


def test_errors_are_relative_and_leave_out_the_first_frame():
    reference = {name: np.full((4, 3), 2.0) for name in ARRAYS}
    actual = {name: value * 1.25 for name, value in reference.items()}
    for value in actual.values():
        value[0] = 100.0
    actual['depth'] = reference['depth']

    assert errors(actual, reference) == pytest.approx(dict.fromkeys(ARRAYS, 0.25) | {'depth': 0})


def test_the_table_has_the_largest_budget_first_and_in_each_the_best():
    rows = [
        row('random', '', 16, 0.25, 0.1),
        row('random', 'kcvt', 4, 0.5, 0.3),
        row('query_key', 'kcvt', 4, 0.5, 0.2),
        row('sink_recent', '', 16, 0.5, 0.4),
    ]
    lines = [line.strip('| ').split(' | ') for line in markdown(rows).splitlines()[2:]]

    assert [(cells[0], cells[1]) for cells in lines] == [
        ('50.0%', 'sink_recent'),
        ('50.0%', 'query_key'),
        ('50.0%', 'random'),
        ('25.0%', 'random'),
    ]
    assert lines[0][2:] == ['none', '16', '0.4000', '0.4000', '0.4000', '1.500', '20.0']


def test_the_summary_averages_over_networks_and_budgets_but_not_over_bits():
    rows = [
        row('unbounded', '', 16, 1.0, 0.0),
        row('random', '', 16, 0.5, 0.1),
        row('random', 'kcvt', 4, 0.5, 0.1),
        row('random', 'kcvt', 4, 0.25, 0.2),
        row('random', 'kcvt', 4, 0.25, 0.6, model='vits4'),
        row('random', 'kcvt', 8, 0.25, 0.9),
        row('random', 'channel_static', 2, 0.25, 0.9),
    ]
    assert summary(rows).splitlines()[2:] == [
        '| random, not quantised, 16 bits | 0.1000 |',
        '| random, kcvt, 4 bits | 0.3000 |',
    ]


def test_a_network_that_there_is_not_is_refused_with_those_that_there_are(capsys):
    with pytest.raises(SystemExit):
        options(['--only', 'vitl', '--checkpoint', 'some/mine.safetensors'])
    assert '--only vitl: choose one of conv4, vits4, mine' in capsys.readouterr().err
    assert options(['--only', 'mine', '--checkpoint', 'some/mine.safetensors']).only == 'mine'
