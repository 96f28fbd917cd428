# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command."""

from functools import partial
import json

import pytest

from benchmarks import compression
from benchmarks.methods.__main__ import chosen, main, parse
from benchmarks.methods.catalogue import blocks, CONTROL, digest, METHODS, rules
from benchmarks.methods.shipped import Shipped
from benchmarks.methods.tiers import Tiers
from benchmarks.methods.trial import conditions


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    return [
        *('--scenes', '1', '--frames', '6', '--size', '84', '112', '--share', '50'),
        *('--methods', CONTROL, 'compensation'),
        *('--runs', str(tmp_path_factory.mktemp('runs') / 'runs.jsonl')),
    ]


def test_a_table_has_bytes_time_and_every_figure(run, capsys):
    assert main(run) == 0
    written = capsys.readouterr().out
    tables = written.split('\n\n1 scenes')
    lines = {line.split('|')[1].strip(): line for line in tables[0].splitlines() if '|' in line}
    shipped, control = (
        [cell.strip() for cell in lines[name].split('|')[2:-1]]
        for name in ('50 %, 4 bits, attention_coverage', CONTROL)
    )

    assert '| cache | KiB | time | AbsRel |' in written
    assert control[0] == shipped[0]
    assert control[1] == '1.00'
    assert len(tables) == 2
    assert '| compensation |' in tables[1]
    # What the shipped cache gives, to the digits that are shown.
    assert control[2:] == shipped[2:]
    assert float(lines['compensation'].split('|')[2]) <= float(control[0])


def test_it_goes_on_where_it_stopped(run, capsys):
    main(run)
    path = run[-1]
    rows = [json.loads(line) for line in open(path, encoding='utf-8')]
    main(run)

    assert len(rows) == 4
    assert [json.loads(line) for line in open(path, encoding='utf-8')] == rows


def test_a_methods_digest_is_of_its_settings_and_its_code():
    codes = digest({'a': partial(Tiers, share=0.25), 'b': partial(Tiers), 'c': partial(Shipped)})

    assert len(set(codes.values())) == 3
    assert digest({'x': partial(Tiers)})['x'] == codes['b']
    assert len(set(digest(METHODS).values())) == len(METHODS)


def test_blocks_are_run_in_the_place_of_methods():
    assert list(chosen(parse(['--blocks'])))[1:] == list(blocks(4))
    assert list(chosen(parse(['--rules'])))[1:] == list(rules(4))
    assert set(METHODS) < set(chosen(parse([])))


def test_rows_hang_on_all_that_those_of_the_packages_own_caches_do():
    own = compression.conditions(6, (84, 112))
    given = conditions(6, (84, 112), share=50)

    assert own.items() < given.items()
    assert given != conditions(6, (84, 112), share=25)
