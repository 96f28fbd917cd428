# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The tables of the README are those of the code."""

import pytest
import readme_tables
from readme_tables import main, parameters_table, with_tables

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


def test_what_is_old_is_found_and_replaced(tmp_path, monkeypatch, capsys):
    readme = tmp_path / 'README.md'
    readme.write_text('before\n<!-- parameters: generated -->\nstale row\n<!-- end -->\nafter\n')
    monkeypatch.setattr(readme_tables, 'README', readme)
    assert main(['--check']) == 1
    assert 'run python tools/readme_tables.py' in capsys.readouterr().out
    assert main([]) == 0
    assert main(['--check']) == 0
    text = readme.read_text()
    assert text.startswith('before\n') and text.endswith('\nafter\n') and 'stale row' not in text


def test_a_marker_that_is_gone_is_said():
    with pytest.raises(ValueError, match='0 places for the table of parameters'):
        with_tables('no marker')
