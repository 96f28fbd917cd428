# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The installation says what is missing before it changes anything."""

import os
from pathlib import Path
import subprocess

import pytest

SCRIPT = Path(__file__).parents[2] / 'tools' / 'install_ubuntu.sh'
SOURCED = {'ROS_DISTRO': 'jazzy', 'AMENT_PREFIX_PATH': '/opt/ros/jazzy'}


@pytest.fixture
def install(tmp_path):
    """Run the script in an environment with little more than a path."""

    def run(*arguments, **environment):
        return subprocess.run(
            ['bash', SCRIPT, *arguments],
            cwd=tmp_path,
            env={'HOME': str(tmp_path), 'PATH': os.environ['PATH']} | environment,
            check=False,
            capture_output=True,
            text=True,
        )

    return run


def python(folder, **answers):
    """Put a Python in a folder that can import what `answers` says."""
    path = folder / 'python3'
    lines = [f'*"import {name}"*) exit {0 if can else 1} ;;' for name, can in answers.items()]
    path.write_text('\n'.join(['#!/bin/sh', 'case $2 in', *lines, 'esac', 'exit 9']))
    path.chmod(0o755)
    return str(path)


def test_bash_reads_it():
    subprocess.run(['bash', '-n', SCRIPT], check=True)


def test_help_is_the_head_of_the_file(install):
    result = install('--help')

    assert result.returncode == 0
    assert result.stdout.startswith('Build this package in a workspace of ROS 2')
    assert 'TORCH_INDEX_URL' in result.stdout and 'UNTESTED' in result.stdout


@pytest.mark.parametrize(
    ('arguments', 'environment', 'words'),
    [
        ((), {}, 'source /opt/ros/'),
        ((), {**SOURCED, 'ROS_DISTRO': 'humble'}, 'ROS 2 humble is too old'),
        (('--bad',), SOURCED, 'no option --bad'),
    ],
)
def test_what_is_wrong_is_named_with_the_fix(install, tmp_path, arguments, environment, words):
    result = install(*arguments, **environment)

    assert result.returncode == 1
    assert words in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_python_that_is_not_ros_s_is_named(install, tmp_path):
    result = install(**SOURCED, PYTHON=python(tmp_path, rclpy=False))

    assert 'cannot import rclpy of ROS 2 jazzy' in result.stderr


def test_everything_that_is_missing_is_named_at_once(install, tmp_path):
    other = python(tmp_path, rclpy=True, ensurepip=False, colcon_core=False)
    result = install(**SOURCED, PYTHON=other, SKIP_ROSDEP='1')

    assert result.returncode == 1
    assert 'sudo apt install python3-venv python3-colcon-common-extensions' in result.stderr
    assert not (tmp_path / 'ros2_ws').exists()


def test_a_relative_workspace_is_that_of_where_it_is_called(install, tmp_path):
    other = python(tmp_path, rclpy=True, ensurepip=True, colcon_core=True)
    place = tmp_path / 'ws' / 'src' / 'xstreamvggt_ros'
    place.mkdir(parents=True)
    result = install('ws', **SOURCED, PYTHON=other, SKIP_ROSDEP='1')

    assert f'{place} is there and is not' in result.stderr


def test_another_package_in_its_place_is_left_alone(install, tmp_path):
    other = python(tmp_path, rclpy=True, ensurepip=True, colcon_core=True)
    place = tmp_path / 'ws' / 'src' / 'xstreamvggt_ros'
    place.mkdir(parents=True)
    result = install(str(tmp_path / 'ws'), **SOURCED, PYTHON=other, SKIP_ROSDEP='1')

    assert result.returncode == 1
    assert f'{place} is there and is not' in result.stderr
    assert list(place.iterdir()) == []


# As the system's Python of Ubuntu 24.04: it makes environments, and installs nothing.
SYSTEM = """#!/bin/sh
case "$*" in
  *"-m venv"*) for folder; do :; done
    mkdir -p "$folder/bin" && cp "{place}/environment" "$folder/bin/python" ;;
  *"-m pip"*) echo 'error: externally-managed-environment' >&2; exit 1 ;;
esac
"""
# As the environment's: it writes down what it is asked for, and builds.
ENVIRONMENT = """#!/bin/sh
echo "python $*" >> "{place}/log"
case "$*" in
  *"print(numpy"*) echo 1.26.4 ;;
  *"-m colcon build"*) mkdir -p install/xstreamvggt_ros/lib/xstreamvggt_ros
    script=install/xstreamvggt_ros/lib/xstreamvggt_ros/reconstruction_node
    echo "#!$0" > $script && chmod +x $script ;;
esac
"""
ROSDEP = """#!/bin/sh
echo "rosdep $*" >> "{place}/log"
"""


def test_it_installs_where_the_system_s_python_is_externally_managed(install, tmp_path):
    programs = {'system': SYSTEM, 'environment': ENVIRONMENT, 'rosdep': ROSDEP, 'sudo': ROSDEP}
    for name, text in programs.items():
        (tmp_path / name).write_text(text.format(place=tmp_path))
        (tmp_path / name).chmod(0o755)
    path = f'{tmp_path}:{os.environ["PATH"]}'

    result = install(str(tmp_path / 'ws'), **SOURCED, PYTHON=str(tmp_path / 'system'), PATH=path)

    assert result.returncode == 0, result.stderr
    log = (tmp_path / 'log').read_text().splitlines()
    (asked,) = [line for line in log if line.startswith('rosdep install')]
    assert 'python3-rosbags-pip' in asked
    installed = ' '.join(line for line in log if '-m pip install' in line)
    for name in ('torch', 'safetensors', 'rosbags', 'huggingface_hub', 'numpy==1.26.4'):
        assert name in installed
    assert 'recon.launch.py' in result.stdout
