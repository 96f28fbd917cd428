# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Results of one input stay where another is tried."""

from pathlib import Path
import subprocess

import pytest

from xstreamvggt_ros.demo.cli import main
from xstreamvggt_ros.demo.folder import (
    free_folder,
    origin_of,
    owner,
    put_in_place,
    RENDERED_BAG,
    RESULTS,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def make(tmp_path):
    """Have a run of an input put its results into out/; a rendered one brings its bag."""

    def make(source, output=tmp_path / 'out', rendered=False):
        made = tmp_path / 'made'
        for folder in (made, output):
            folder.mkdir(exist_ok=True)
        for name in (*RESULTS, RENDERED_BAG)[: 5 if rendered else 4]:
            (made / name).write_text(str(source))
        put_in_place(made, output, origin_of(source))
        return output

    return make


def test_another_input_gets_a_folder_with_a_number_and_the_same_one_its_own(make, tmp_path):
    first, second, third = (tmp_path / name for name in 'abc')
    out = make(first)
    assert free_folder(out, origin_of(first)) == out
    assert free_folder(out, origin_of(second)) == tmp_path / 'out_2'
    make(second, tmp_path / 'out_2')
    assert free_folder(out, origin_of(second)) == tmp_path / 'out_2'
    assert free_folder(out, origin_of(third)) == tmp_path / 'out_3'
    assert free_folder(tmp_path / 'new', origin_of(third)) == tmp_path / 'new'


def test_results_that_nothing_tells_of_are_another_s(tmp_path):
    (tmp_path / 'cloud.ply').write_text('mine')

    assert owner(tmp_path) == 'an input that nothing tells of'
    assert free_folder(tmp_path, origin_of(None)) != tmp_path


def test_no_rendered_input_stays_beside_the_results_of_another(make, tmp_path):
    out = make(None, rendered=True)
    assert (out / RENDERED_BAG).exists()

    make(tmp_path / 'other')

    assert not (out / RENDERED_BAG).exists()
    assert owner(out) == str(tmp_path / 'other')


def test_a_rendered_input_that_is_played_again_stays(make):
    out = make(None, rendered=True)

    make(out / RENDERED_BAG)

    assert (out / RENDERED_BAG).exists()


def test_where_the_files_go_is_said(make, tmp_path, capsys):
    out = make(tmp_path / 'before')
    empty = tmp_path / 'empty'
    empty.mkdir()

    assert main(['--input', str(empty), '--output', str(out)]) == 2

    said = ' '.join(capsys.readouterr().out.split())
    assert f'those of this run go to {out}_2 (--force writes over them)' in said
    assert main(['--input', str(empty), '--output', str(out), '--force']) == 2
    assert 'those of this run go to' not in capsys.readouterr().out


def test_a_variable_that_make_does_not_know_is_told():
    told = subprocess.run(
        ['make', '--dry-run', 'help', 'OUTPUT=elsewhere'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.returncode == 2
    assert 'no such variable: OUTPUT' in told.stderr and 'OUT' in told.stderr.split()
