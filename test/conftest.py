# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What all tests share: a ROS domain of their own, the shared recordings, no unlisted skips."""

from fnmatch import fnmatchcase
import os
from pathlib import Path
import random
import tempfile

import pytest

ROOT = Path(__file__).resolve().parent.parent
GROUP = 'dds'
MAY_SKIP = Path(__file__).with_name('may_skip.txt')


def pytest_configure(config: pytest.Config) -> None:
    """Keep ROS nodes to this run on this machine, and what they log out of the home folder."""
    # Ports of domains above 101 overlap the ephemeral ones.
    os.environ['ROS_DOMAIN_ID'] = str(random.SystemRandom().randint(1, 101))
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    logs = tempfile.TemporaryDirectory(prefix='xstreamvggt_ros_test_log_')
    config.add_cleanup(logs.cleanup)
    os.environ['ROS_LOG_DIR'] = logs.name
    # Read when Triton is first imported: without a GPU its interpreter runs the kernels.
    if not Path('/dev/nvidiactl').exists():
        os.environ.setdefault('TRITON_INTERPRET', '1')


@pytest.fixture(scope='session')
def shared_data() -> Path:
    """Return the folder of recordings kept beside the repository, or skip."""
    folder = ROOT.parent / 'shared' / 'data'
    if not folder.is_dir():
        pytest.skip('no recordings: ../shared/data is absent')
    return folder


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption('--no-skips', action='store_true', help='a skip fails the run')


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have nodes talk in one process of several (-n 2), one at a time as on a robot."""
    for item in items:
        if item.get_closest_marker('ros'):
            item.add_marker(pytest.mark.xdist_group(GROUP))


def _name(report: pytest.TestReport) -> str:
    return report.nodeid.removesuffix(f'@{GROUP}')


def refused_skips(config: pytest.Config) -> list:
    """Return the skips that fail this run: in continuous integration, those not listed."""
    reporter = config.pluginmanager.get_plugin('terminalreporter')
    if reporter is None:
        # One of several processes, whose reports are gathered by another.
        return []
    if config.getoption('--no-skips'):
        return sorted(map(_name, reporter.stats.get('skipped', [])))
    if os.environ.get('CI') != 'true':
        return []
    lines = (line.strip() for line in MAY_SKIP.read_text().splitlines())
    # Brackets are part of a parametrised test's name, not a pattern.
    patterns = [line.replace('[', '[[]') for line in lines if line and not line.startswith('#')]
    skipped = set(map(_name, reporter.stats.get('skipped', [])))
    return sorted(
        name for name in skipped if not any(fnmatchcase(name, pattern) for pattern in patterns)
    )


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if exitstatus == pytest.ExitCode.OK and refused_skips(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    refused = refused_skips(config)
    if refused:
        terminalreporter.section(
            'skipped, but not named in test/may_skip.txt or under --no-skips', red=True
        )
        terminalreporter.write_line('\n'.join(refused))
