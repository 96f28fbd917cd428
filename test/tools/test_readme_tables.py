# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The tables of the README are those of the code."""

import pytest
import readme_tables
from readme_tables import (
    main,
    outputs_table,
    parameters_table,
    services_table,
    TABLES,
    with_tables,
)

from xstreamvggt_ros.parameters.table import PARAMETERS


def test_the_readme_is_up_to_date(capsys):
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


def test_what_is_old_is_found_and_replaced(tmp_path, monkeypatch, capsys):
    readme = tmp_path / 'README.md'
    places = ''.join(f'<!-- {name}: generated -->\nstale row\n<!-- end -->\n' for name in TABLES)
    readme.write_text(f'before\n{places}after\n')
    monkeypatch.setattr(readme_tables, 'README', readme)
    assert main(['--check']) == 1
    assert 'run python tools/readme_tables.py' in capsys.readouterr().out
    assert main([]) == 0
    assert main(['--check']) == 0
    text = readme.read_text()
    assert text.startswith('before\n') and text.endswith('\nafter\n') and 'stale row' not in text


def test_a_marker_that_is_gone_is_said():
    with pytest.raises(ValueError, match='0 places for the table of memory'):
        with_tables('no marker')
