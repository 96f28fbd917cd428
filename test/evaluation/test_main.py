# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command from end to end."""

from io import StringIO
import json
import os
import signal
import subprocess
import sys
import time

from layouts import save_image
import pytest
from recorded import oracle_record

from xstreamvggt_ros.evaluation.__main__ import main
from xstreamvggt_ros.evaluation.lock import writing
from xstreamvggt_ros.evaluation.record import find_records

SMALL = ['--option', 'frames=6', '--option', 'height=42', '--option', 'width=56']
RUN = ['run', 'synthetic:3', *SMALL, '--image-size', '56', '--device', 'cpu', '--threads', '1']
RUN += ['--max-points', '2000', '--bits', '4', '--no-report', '--checkpoint', 'random']
TOPICS = ['--option', 'topic=/left', '--option', 'topic=/right']
DEADLINE = 120.0


def test_a_sweep_is_killed_goes_on_and_is_reported(tmp_path, capsys):
    output = ['--output', str(tmp_path)]
    arguments = [*RUN, *output, '--budget', '3f', '50%', '1']
    command = [sys.executable, '-m', 'xstreamvggt_ros.evaluation', *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    end = time.monotonic() + DEADLINE
    while not list(tmp_path.glob('*/record.json')):
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = {path.parent.name: path.stat().st_mtime_ns for path in tmp_path.glob('*/record.json')}

    assert main(arguments) == 1

    said = capsys.readouterr().out
    assert 'budget_tokens 1 is too small' in said
    assert '1 failed' in said
    assert 'RANDOM WEIGHTS' in said
    records, problems = find_records(tmp_path)
    assert problems == []
    assert len(records) == 3
    after = {path.parent.name: path.stat().st_mtime_ns for path in tmp_path.glob('*/record.json')}
    assert {name: after[name] for name in before} == before

    (tmp_path / 'page').mkdir()
    assert main(['score', str(tmp_path), '--points', 'sim3', '--max-points', '500']) == 0
    assert all(record.info['protocol']['points'] == 'sim3' for record in find_records(tmp_path)[0])
    assert main(['report', str(tmp_path), '--output', str(tmp_path / 'page')]) == 0
    figures = json.loads((tmp_path / 'page' / 'figures.json').read_text())
    assert len(figures['runs']) == 3
    assert len(figures['failed']) == 1
    bag = tmp_path / 'run.mcap'
    assert main(['export', str(records[0].folder), '--mcap', str(bag)]) == 0
    assert bag.stat().st_size > 1000


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (['run', 'synthetic:3', '--budget', 'much'], "budget is 'much'"),
        (['run', 'synthetic:3', '--image-size', '100'], 'image_size is 100'),
        (['run', 'synthetic:3', '--max-depth', '-1'], 'max_depth'),
        (['run', '/nowhere'], '/nowhere does not exist'),
        (['run', 'synthetic:3', '--option', 'colour=red'], 'no option colour'),
        (['run', 'x', *TOPICS], '--option topic is given 2 times; give it once'),
        (['run', 'synthetic:3', '--option', 'frames=many'], "option frames is 'many'; give int"),
        (['run', 'synthetic:3', '--checkpoint', '/nowhere.pth', *SMALL], 'nowhere.pth'),
        (['run', 'synthetic:3', '--ray-address', 'local'], 'name it: --device cuda or cpu'),
        (['report', '/nowhere'], 'no finished run'),
        (['score', '/nowhere'], 'no finished run'),
        (['export', '/nowhere', '--mcap', 'x.mcap'], 'no finished run'),
    ],
)
def test_what_cannot_be_done_is_said_with_the_value(arguments, words, tmp_path, capsys):
    if arguments[0] == 'run':
        arguments = [*arguments, '--output', str(tmp_path), '--no-reference', '--threads', '1']

    assert main(arguments) in (1, 2)

    said = ' '.join(capsys.readouterr().out.split())
    assert words in said
    assert 'Traceback' not in said


def test_a_missing_input_is_an_error_and_nothing_else(tmp_path, capsys):
    output = tmp_path / 'out'
    assert main(['run', '/nowhere', '/nothing', '--output', str(output)]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ['/nowhere', '/nothing']
    assert not output.exists()

    assert main(['score', '/nowhere']) == 2
    assert capsys.readouterr().out == '/nowhere: no finished run there\n'


def test_names_that_are_no_utf_8_are_read_and_written_as_what_they_are(tmp_path, capsys):
    odd = os.fsdecode(b'd\xe9j\xe0')
    folder = tmp_path / odd
    for index in (0, 1):
        save_image(folder / f'{odd}{index}.png', index)
    lines = [f'{index}.5 {odd}{index}.png' for index in (0, 1, 2)]
    (folder / 'rgb.txt').write_bytes(os.fsencode('\n'.join(lines)))
    (folder / 'depth.txt').touch()
    output = tmp_path / 'out'
    arguments = ['run', str(folder), '--layout', 'tum', '--image-size', '56', '--device', 'cpu']

    arguments = [*arguments, '--no-reference', '--checkpoint', 'random', '--output', str(output)]
    assert main(arguments) == 0

    ((record,), problems) = find_records(output)
    assert problems == []
    assert record.sequence == r'd\xe9j\xe0'
    assert record.frames().names.tolist() == [rf'd\xe9j\xe0{index}.png' for index in (0, 1, 2)]
    assert r'd\xe9j\xe02.png is left out' in record.frames().reasons[2]
    assert r'd\xe9j\xe0' in (output / 'report.html').read_text(encoding='utf-8')
    assert main(['run', str(folder / odd), '--output', str(output)]) == 2
    assert r'd\udce9j\udce0 does not exist' in capsys.readouterr().out


def test_a_folder_that_is_written_to_is_not_scored_meanwhile(tmp_path, capsys):
    record = oracle_record(tmp_path / 'run')
    before = (record.folder / 'record.json').read_bytes()

    for folder in (tmp_path, tmp_path.parent, record.folder):
        with writing(tmp_path):
            assert main(['score', str(folder), '--max-points', '500']) == 2
    assert (record.folder / 'record.json').read_bytes() == before
    assert capsys.readouterr().out.count(f'writes to {tmp_path}') == 3
    assert main(['score', str(record.folder), '--max-points', '500']) == 0


def test_a_folder_may_be_called_what_it_likes(tmp_path, capsys):
    folder = tmp_path / 'a [/b] [red]c'
    oracle_record(folder / 'run')

    assert main(['report', str(folder)]) == 0
    assert main(['score', str(folder), '--max-points', '500']) == 0

    said = capsys.readouterr().out
    assert f'wrote {folder}/report.html' in said
    assert f'scored {folder}/run' in said


def test_where_output_is_no_file_it_is_written_all_the_same(tmp_path, monkeypatch):
    # As in a notebook.
    said = StringIO()
    monkeypatch.setattr(sys, 'stdout', said)

    assert main(['report', str(tmp_path / 'nowhere')]) == 2

    assert 'no finished run' in ' '.join(said.getvalue().split())
