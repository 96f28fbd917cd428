# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The tables of the documents are those of the code."""

import pytest
import reference
from reference import (
    launch_table,
    main,
    outputs_table,
    parameters_table,
    REFERENCE,
    ROOT,
    services_table,
    TABLES,
    with_tables,
)

from xstreamvggt_ros.parameters.table import PARAMETERS


def test_the_documents_are_up_to_date(capsys):
    assert main(['--check']) == 0, capsys.readouterr().out


def test_every_parameter_has_its_row():
    rows = parameters_table().splitlines()[2:]
    assert [row.split('`')[1] for row in rows] == list(PARAMETERS)
    (bits,) = [row for row in rows if '`cache.bits`' in row]
    assert bits == (
        '| `cache.bits` * | `4` | Bits per remembered number; 16: not quantised. '
        'One of `2`, `4`, `8`, `16`. |'
    )


def test_topics_have_their_quality_of_service_as_it_is_created():
    rows = outputs_table().splitlines()
    (map_row,) = [row for row in rows if '`~/map`' in row]
    assert map_row.startswith('| `~/map` | PointCloud2 | reliable, transient local, depth 1 | ')
    (points,) = [row for row in rows if '`~/points`' in row]
    assert points.startswith('| `~/points` | PointCloud2 | reliable, depth 5 | ')
    assert any(
        row.startswith('| `~/enable` | SetBool | ') for row in services_table().splitlines()
    )


def test_every_launch_file_has_its_arguments_with_defaults():
    rows = launch_table().splitlines()[2:]

    files = [row.split('|')[1].strip(' `') for row in rows]
    assert {name for name in files if name} == {
        path.name for path in (ROOT / 'launch').glob('*.launch.py')
    }
    for row in (
        "| `budget_frames:=` | `''` |",
        '| `params_file:=` | recon.yaml |',
        '| `image_width:=` | `640` |',
        '| `bag:=` | must be given |',
        '| `params_file:=` | realsense.yaml |',
    ):
        assert any(row in each for each in rows), row


def test_what_is_old_is_found_and_replaced(tmp_path, monkeypatch, capsys):
    tables = {'page.md': {'one': lambda: 'fresh row', 'two': lambda: 'fresh, too'}}
    monkeypatch.setattr(reference, 'TABLES', tables)
    monkeypatch.setattr(reference, 'ROOT', tmp_path)
    page = tmp_path / 'page.md'
    places = ''.join(
        f'<!-- {name}: generated -->\nstale row\n<!-- end -->\n' for name in ('one', 'two')
    )
    page.write_text(f'before\n{places}after\n')

    assert main(['--check']) == 1
    assert 'run python tools/reference.py' in capsys.readouterr().out
    assert main([]) == 0
    assert main(['--check']) == 0
    text = page.read_text()
    assert text.startswith('before\n') and text.endswith('\nafter\n') and 'stale row' not in text
    assert 'fresh row' in text and 'fresh, too' in text


def test_a_marker_that_is_gone_is_said():
    with pytest.raises(ValueError, match=f'{REFERENCE} has 0 places for the table of'):
        with_tables(REFERENCE, 'no marker')
    assert set(TABLES) == {'docs/reference.md', 'docs/cache.md'}
