# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Make the virtual environment that `make demo` and `make test` run in.

Usage: ``python3 tools/make_venv.py .venv``. It checks the machine first and names what is
missing. Where ROS 2 is sourced, its packages are used; elsewhere ROS 2 comes as wheels from PyPI,
and tf2_msgs, which those lack, is built (tools/build_tf2_msgs.py). Run again, it brings the
environment up to date.
"""

from importlib.util import find_spec
import os
from pathlib import Path
import platform
import re
import shutil
import subprocess
import sys
import sysconfig

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / 'constraints.txt'
OLDEST, NEWEST_WITH_WHEELS = (3, 10), (3, 13)
WAY_OUT = (
    'either name another Python, e.g. `make venv PYTHON=python3.12` (from your distribution,'
    ' pyenv or uv), or install ROS 2 Jazzy or later and source it first'
)
# Compiled into ROS's message packages and cv_bridge: another major version would break them.
HELD_FOR_ROS = 'numpy'


class SetupError(RuntimeError):
    """The environment cannot be made; the message says what to do."""


def ros_is_sourced() -> bool:
    """Tell whether a ROS 2 installation is sourced; raise if this Python cannot use it."""
    if not (os.environ.get('ROS_DISTRO') and os.environ.get('AMENT_PREFIX_PATH')):
        return False
    if find_spec('rclpy') is None:
        raise SetupError(
            f'ROS 2 {os.environ["ROS_DISTRO"]} is sourced, but {sys.executable} has no rclpy;'
            " name ROS's own Python (`make venv PYTHON=/usr/bin/python3`), or, to do without"
            ' that ROS 2, run make in a shell that has not sourced it'
        )
    return True


def missing_packages(with_ros: bool) -> list:
    """Return the Debian packages still needed: pip for the environment, compilers for tf2_msgs."""
    present = {'python3-venv': find_spec('venv') and find_spec('ensurepip')}
    if not with_ros:
        header = Path(sysconfig.get_paths()['include']) / 'Python.h'
        present['python3-dev'] = header.is_file()
        present['gcc'] = shutil.which('gcc')
        present['g++'] = shutil.which('g++')
    return [package for package, found in present.items() if not found]


def check_machine(with_ros: bool) -> None:
    """Raise SetupError, naming everything that is missing, unless the set-up can succeed."""
    version, machine = sys.version_info[:2], (platform.system(), platform.machine())
    shown = '.'.join(map(str, version))
    if version < OLDEST:
        raise SetupError(f'{sys.executable} is Python {shown}, 3.10 or later is needed: {WAY_OUT}')
    if not with_ros and (version > NEWEST_WITH_WHEELS or machine != ('Linux', 'x86_64')):
        raise SetupError(
            'the ROS 2 wheels are for Python 3.10 to 3.13 on Linux x86_64, not for'
            f' Python {shown} on {" ".join(machine)}: {WAY_OUT}'
        )
    missing = missing_packages(with_ros)
    if missing:
        raise SetupError(
            f'missing for {sys.executable}: {", ".join(missing)};'
            f' on Debian or Ubuntu: sudo apt install {" ".join(missing)}'
        )


def create(folder: Path, with_ros: bool) -> None:
    """Make the environment, anew where one of another Python or kind is in its place."""
    wanted = {
        'version': platform.python_version(),
        'include-system-site-packages': str(with_ros).lower(),
    }
    config = folder / 'pyvenv.cfg'
    found = {}
    if config.is_file():
        lines = (line.partition('=') for line in config.read_text().splitlines())
        found = {key.strip(): value.strip() for key, _, value in lines}
    complete = (folder / 'bin' / 'pip').is_file()
    if not complete or any(found.get(key) != value for key, value in wanted.items()):
        options = ['--clear', *(['--system-site-packages'] if with_ros else [])]
        run(sys.executable, '-m', 'venv', *options, folder)


def normalised(name: str) -> str:
    """Return a distribution's name as PEP 503 compares it."""
    return re.sub(r'[-_.]+', '-', name).lower()


def installed_versions(path: list) -> dict:
    """Return what Python finds on `path`: versions by normalised name."""
    from importlib.metadata import distributions

    versions = {}
    for distribution in distributions(path=path):
        # Where there are two, Python imports the first.
        versions.setdefault(normalised(distribution.metadata['Name']), distribution.version)
    return versions


def constraints_beside_ros(pins: str, installed: dict) -> str:
    """
    Return the constraints for an environment that sees ROS's Python packages.

    What the system has is kept where it is new enough: `pins`, a constraints file's text, holds
    only for what `installed`, versions by normalised name, lacks.
    """
    kept = []
    for line in pins.splitlines():
        name = normalised(re.match(r'[\w.-]*', line).group())
        if name and name not in installed:
            kept.append(line)
    if HELD_FOR_ROS in installed:
        kept.append(f'{HELD_FOR_ROS}=={installed[HELD_FOR_ROS]}')
    return '\n'.join(kept) + '\n'


def run(*command) -> None:
    """Run a command; raise SetupError where it fails."""
    # The wheels' start-up hook takes this variable, inherited from another environment, to mean
    # that the libraries to load are already named.
    environment = {
        key: value for key, value in os.environ.items() if key != '_ROS_WHEELS_BOOTSTRAP_COMPLETE'
    }
    command = [str(word) for word in command]
    if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
        raise SetupError(f'this failed, its own words are above: {" ".join(command)}')


def install(folder: Path, with_ros: bool) -> None:
    """Install the package, editable, and what it needs."""
    constraints, extras = CONSTRAINTS, 'demo,evaluation,hub,test,view'
    if with_ros:
        constraints = folder / 'constraints.txt'
        kept = constraints_beside_ros(CONSTRAINTS.read_text(), installed_versions(sys.path))
        constraints.write_text(kept)
    else:
        extras += ',wheels'
    pip = (folder / 'bin' / 'python', '-m', 'pip', '--disable-pip-version-check')
    pip += ('install', '--quiet', '--constraint', constraints)
    run(*pip, 'setuptools', 'wheel')
    run(*pip, '--no-build-isolation', '--editable', f'{ROOT}[{extras}]')


def main() -> int:
    """Make the environment; return the exit status."""
    if len(sys.argv) != 2:
        print(f'usage: {sys.argv[0]} FOLDER', file=sys.stderr)
        return 2
    folder = Path(sys.argv[1]).absolute()
    try:
        with_ros = ros_is_sourced()
        check_machine(with_ros)
        source = f'ROS 2 {os.environ["ROS_DISTRO"]}' if with_ros else 'the ROS 2 wheels of PyPI'
        print(f'{folder}: Python {platform.python_version()}, {source}; takes minutes, once')
        create(folder, with_ros)
        install(folder, with_ros)
        if not with_ros:
            run(folder / 'bin' / 'python', ROOT / 'tools' / 'build_tf2_msgs.py')
    except SetupError as error:
        print(f'make venv: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
