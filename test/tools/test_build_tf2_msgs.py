# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""TFMessage, as built for the ROS 2 wheels: it imports, travels on /tf and is ROS's own type."""

import os
from pathlib import Path
import subprocess
import sys
import sysconfig

import build_tf2_msgs
import pytest

pytestmark = pytest.mark.skipif(
    'AMENT_PREFIX_PATH' in os.environ, reason='ROS 2 is sourced and has its own tf2_msgs'
)

# Sends one transform over /tf and prints where its type came from and what was received.
ROUND_TRIP = """
import time
import rclpy
import tf2_msgs
from geometry_msgs.msg import TransformStamped
from tf2_msgs.msg import TFMessage

sent = TransformStamped(child_frame_id='camera')
sent.header.frame_id = 'map'
sent.transform.translation.x = 1.25
received = []
with rclpy.init():
    node = rclpy.create_node('round_trip')
    node.create_subscription(TFMessage, '/tf', received.append, 1)
    publisher = node.create_publisher(TFMessage, '/tf', 1)
    deadline = time.monotonic() + 20
    while not received and time.monotonic() < deadline:
        publisher.publish(TFMessage(transforms=[sent]))
        rclpy.spin_once(node, timeout_sec=0.05)
    (found,) = node.get_publishers_info_by_topic('/tf')
print(tf2_msgs.__file__)
print(received == [TFMessage(transforms=[sent])])
print(found.topic_type_hash)
"""


def round_trip(**environment: str) -> list:
    result = subprocess.run(
        [sys.executable, '-c', ROUND_TRIP],
        env={**os.environ, **environment},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    return result.stdout.splitlines()


@pytest.mark.ros
def test_installed_message_travels_and_has_the_hash_of_ros():
    from rosbags.typesys import get_typestore, Stores

    _, arrived, type_hash = round_trip()
    assert arrived == 'True'
    assert type_hash == get_typestore(Stores.ROS2_JAZZY).hash_rihs01('tf2_msgs/msg/TFMessage')


@pytest.mark.ros
def test_build_from_nothing_gives_a_message_that_travels(tmp_path, monkeypatch):
    monkeypatch.setenv('AMENT_PREFIX_PATH', sys.prefix)
    prefix, build = tmp_path / 'prefix', tmp_path / 'build'
    build_tf2_msgs.generate(Path(sys.prefix), build)
    binaries = build_tf2_msgs.compile_package(Path(sys.prefix), build)
    build_tf2_msgs.install(prefix, build, binaries)

    site_packages = sysconfig.get_path('purelib', vars={'base': str(prefix)})
    libraries = f'{prefix / "lib"}{os.pathsep}{os.environ["LD_LIBRARY_PATH"]}'
    origin, arrived, _ = round_trip(PYTHONPATH=site_packages, LD_LIBRARY_PATH=libraries)
    assert Path(origin).is_relative_to(prefix)
    assert arrived == 'True'


def test_installing_again_replaces_what_was_there(tmp_path):
    old, new = tmp_path / 'old', tmp_path / 'new'
    old.mkdir()
    (old / 'stale.py').touch()
    new.mkdir()
    (new / 'fresh.py').touch()
    build_tf2_msgs.replace_tree(new, old)
    assert [path.name for path in old.iterdir()] == ['fresh.py']
    assert sorted(path.name for path in tmp_path.iterdir()) == ['new', 'old']


def test_missing_compiler_is_named_with_its_package(tmp_path, monkeypatch):
    monkeypatch.setenv('PATH', '')
    with pytest.raises(build_tf2_msgs.BuildError, match=r'gcc not found.*apt install'):
        build_tf2_msgs.compile_shared(
            Path(sys.prefix), tmp_path, tmp_path / 'x.so', [tmp_path / 'x.c'], []
        )


def test_compiler_errors_are_shown(tmp_path):
    source = tmp_path / 'x.c'
    source.write_text('#error "no such luck"')
    with pytest.raises(build_tf2_msgs.BuildError, match='no such luck'):
        build_tf2_msgs.compile_shared(Path(sys.prefix), tmp_path, tmp_path / 'x.so', [source], [])


def test_absent_wheels_are_named_with_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setenv('AMENT_PREFIX_PATH', sys.prefix)
    monkeypatch.setitem(sys.modules, 'rosidl_generator_c.cli', None)
    with pytest.raises(build_tf2_msgs.BuildError, match='make venv'):
        build_tf2_msgs.generate(Path(sys.prefix), tmp_path)


def test_python_outside_a_virtual_environment_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(sys, 'prefix', sys.base_prefix)
    assert build_tf2_msgs.main() == 2
    assert 'virtual environment' in capsys.readouterr().err
