# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""In continuous integration a skip that is not listed by name fails the run."""

import os
from pathlib import Path
import subprocess
import sys

import pytest

SKIPPING = """
import pytest

@pytest.mark.parametrize('number', [1, 2])
def test_skips(number):
    pytest.skip('no reason')

def test_passes():
    pass
"""


def run_pytest(
    folder: Path, listed: str, *options: str, text: str = SKIPPING, **environment: str
) -> subprocess.CompletedProcess:
    """Run a suite that skips two tests under this project's conftest.py."""
    conftest = Path(__file__).with_name('conftest.py')
    (folder / 'conftest.py').write_text(conftest.read_text())
    (folder / 'may_skip.txt').write_text(listed)
    (folder / 'test_it.py').write_text(text)
    inherited = {key: value for key, value in os.environ.items() if key != 'CI'}
    return subprocess.run(
        [
            sys.executable,
            '-m',
            'pytest',
            '-p',
            'no:cacheprovider',
            f'--rootdir={folder}',
            *options,
            folder,
        ],
        env={**inherited, **environment},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_unlisted_skip_fails_and_is_named(tmp_path):
    result = run_pytest(tmp_path, '# only this one\ntest_it.py::test_skips[1]\n', CI='true')
    assert result.returncode == pytest.ExitCode.TESTS_FAILED
    assert 'not named in test/may_skip.txt' in result.stdout
    assert '\ntest_it.py::test_skips[2]\n' in result.stdout
    assert '\ntest_it.py::test_skips[1]\n' not in result.stdout
    assert '2 skipped' in result.stdout.splitlines()[-1]


def test_so_does_one_of_a_group_of_several_processes(tmp_path):
    text = SKIPPING.replace('@pytest', '@pytest.mark.ros\n@pytest')
    result = run_pytest(
        tmp_path,
        'test_it.py::test_skips[1]\n',
        '-n',
        '2',
        '--dist',
        'loadgroup',
        text=text,
        CI='true',
    )
    assert result.returncode == pytest.ExitCode.TESTS_FAILED
    assert '\ntest_it.py::test_skips[2]\n' in result.stdout
    assert '\ntest_it.py::test_skips[1]\n' not in result.stdout


@pytest.mark.parametrize('listed', ['test_it.py::test_skips*\n', 'test_it.py::test_skips[?]\n'])
def test_listed_skips_pass(tmp_path, listed):
    assert run_pytest(tmp_path, listed, CI='true').returncode == pytest.ExitCode.OK


def test_any_skip_passes_elsewhere(tmp_path):
    assert run_pytest(tmp_path, '').returncode == pytest.ExitCode.OK


def test_listed_skips_fail_too_where_none_is_meant_to(tmp_path):
    result = run_pytest(tmp_path, 'test_it.py::test_skips*\n', '--no-skips')
    assert result.returncode == pytest.ExitCode.TESTS_FAILED
    assert '\ntest_it.py::test_skips[1]\n' in result.stdout
