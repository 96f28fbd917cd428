# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the set-up says of a machine it cannot use, and how it keeps to a sourced ROS 2."""

import platform
import shutil
import sys
import sysconfig

import make_venv
import pytest


@pytest.fixture
def unsourced(monkeypatch):
    monkeypatch.delenv('ROS_DISTRO', raising=False)
    monkeypatch.delenv('AMENT_PREFIX_PATH', raising=False)


@pytest.fixture
def sourced(monkeypatch):
    monkeypatch.setenv('ROS_DISTRO', 'jazzy')
    monkeypatch.setenv('AMENT_PREFIX_PATH', '/opt/ros/jazzy')


@pytest.mark.parametrize('version', [(3, 10, 0), (3, 11, 7), (3, 12, 1), (3, 13, 0)])
def test_pythons_with_wheels_pass(monkeypatch, version):
    monkeypatch.setattr(sys, 'version_info', version)
    make_venv.check_machine(with_ros=False)


@pytest.mark.parametrize('version', [(3, 9, 18), (3, 14, 0)])
def test_python_without_wheels_is_told_the_way_out(monkeypatch, version):
    monkeypatch.setattr(sys, 'version_info', version)
    shown = '{}.{}'.format(*version)
    with pytest.raises(make_venv.SetupError, match=rf'Python {shown}.* PYTHON=.* source'):
        make_venv.check_machine(with_ros=False)


def test_python_newer_than_the_wheels_passes_where_ros_is_sourced(monkeypatch):
    monkeypatch.setattr(sys, 'version_info', (3, 14, 0))
    make_venv.check_machine(with_ros=True)


def test_other_processors_need_ros(monkeypatch):
    monkeypatch.setattr(platform, 'machine', lambda: 'aarch64')
    with pytest.raises(make_venv.SetupError, match='aarch64'):
        make_venv.check_machine(with_ros=False)


def test_everything_missing_is_named_at_once(monkeypatch, tmp_path):
    monkeypatch.setattr(make_venv, 'find_spec', lambda name: None)
    monkeypatch.setattr(sysconfig, 'get_paths', lambda: {'include': str(tmp_path)})
    monkeypatch.setattr(shutil, 'which', lambda name: None)
    wanted = r'apt install python3-venv python3-dev gcc g\+\+$'
    with pytest.raises(make_venv.SetupError, match=wanted):
        make_venv.check_machine(with_ros=False)


def test_sourced_ros_is_used(monkeypatch, sourced):
    monkeypatch.setattr(make_venv, 'find_spec', lambda name: object())
    assert make_venv.ros_is_sourced()


@pytest.mark.usefixtures('unsourced')
def test_rclpy_alone_is_not_a_sourced_ros(monkeypatch):
    monkeypatch.setattr(make_venv, 'find_spec', lambda name: object())
    assert not make_venv.ros_is_sourced()


@pytest.mark.usefixtures('sourced')
def test_sourced_ros_of_another_python_is_refused(monkeypatch):
    monkeypatch.setattr(make_venv, 'find_spec', lambda name: None)
    with pytest.raises(make_venv.SetupError, match='jazzy.*no rclpy.*PYTHON='):
        make_venv.ros_is_sourced()


def test_what_ros_has_is_kept_and_the_rest_is_pinned():
    pins = "# why\n\nnumpy==2.4.6\nPy_Yaml==6.0.3\nrosbags==0.11.9; python_version >= '3.11'\n"
    installed = {'numpy': '1.26.4', 'py-yaml': '6.0.1'}
    assert make_venv.constraints_beside_ros(pins, installed).splitlines() == [
        "rosbags==0.11.9; python_version >= '3.11'",
        'numpy==1.26.4',
    ]


def test_the_version_that_python_imports_counts(tmp_path):
    for version in ('1.26.4', '2.4.6'):
        metadata = tmp_path / version / f'numpy-{version}.dist-info' / 'METADATA'
        metadata.parent.mkdir(parents=True)
        metadata.write_text(f'Metadata-Version: 2.1\nName: NumPy\nVersion: {version}\n')
    path = [str(tmp_path / '1.26.4'), str(tmp_path / '2.4.6')]
    assert make_venv.installed_versions(path) == {'numpy': '1.26.4'}


def test_every_pin_is_exact():
    lines = make_venv.CONSTRAINTS.read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith('#')]
    assert pins
    assert [pin for pin in pins if '==' not in pin.partition(';')[0]] == []
