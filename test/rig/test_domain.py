# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A domain of its own."""

import os
from pathlib import Path
import socket

from xstreamvggt_ros.rig import domain
from xstreamvggt_ros.rig.domain import free_domain, isolated
from xstreamvggt_ros.transport.shared_memory import roomy_environment


def test_a_domain_in_use_on_this_machine_is_not_chosen(monkeypatch):
    used = free_domain()
    other = next(each for each in iter(free_domain, None) if each != used)
    monkeypatch.setattr(domain, 'DOMAINS', (used, other))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as participant:
        # Where the first participant of that domain listens.
        participant.bind(('', 7400 + 250 * used + 10))
        assert [free_domain() for _ in range(5)] == [other] * 5


def test_isolation_sets_the_environment_and_restores_it(monkeypatch):
    monkeypatch.setenv('ROS_LOCALHOST_ONLY', '1')
    monkeypatch.delenv('FASTDDS_DEFAULT_PROFILES_FILE', raising=False)
    before = dict(os.environ)
    with isolated(42):
        assert os.environ['ROS_DOMAIN_ID'] == '42'
        assert os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'LOCALHOST'
        assert 'ROS_LOCALHOST_ONLY' not in os.environ
        profile = Path(os.environ['FASTDDS_DEFAULT_PROFILES_FILE'])
        assert 'segment_size' in profile.read_text()
    assert dict(os.environ) == before


def test_a_profile_of_the_user_stays(monkeypatch):
    monkeypatch.setenv('FASTDDS_DEFAULT_PROFILES_FILE', '/mine.xml')
    with isolated(42):
        assert os.environ['FASTDDS_DEFAULT_PROFILES_FILE'] == '/mine.xml'


def test_what_the_user_has_chosen_is_not_added_to_a_camera_s_environment(monkeypatch):
    monkeypatch.delenv('FASTDDS_DEFAULT_PROFILES_FILE', raising=False)
    (profile,) = roomy_environment().values()
    assert 'segment_size' in Path(profile).read_text()
    monkeypatch.setenv('FASTDDS_BUILTIN_TRANSPORTS', 'UDPv4')
    assert roomy_environment() == {}
