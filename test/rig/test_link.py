# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Waiting in a node that is spun by hand."""

import os
import time

import pytest

from xstreamvggt_ros.rig.link import Link
from xstreamvggt_ros.transport.shared_memory import roomy_shared_memory


@pytest.mark.ros
def test_waiting_ends_at_the_condition_at_the_timeout_or_by_the_watch():
    def give_up():
        raise RuntimeError('the node is gone')

    with Link('waiting') as waiting:
        began = time.monotonic()
        assert waiting.spin_until(lambda: True, 10.0)
        assert not waiting.spin_until(lambda: False, 0.05)
        assert time.monotonic() - began < 5.0
        waiting.watch = give_up
        with pytest.raises(RuntimeError, match='the node is gone'):
            waiting.spin_until(lambda: False, 10.0)


def test_transports_that_the_user_has_chosen_stay(monkeypatch):
    monkeypatch.delenv('FASTDDS_DEFAULT_PROFILES_FILE', raising=False)
    monkeypatch.setenv('FASTDDS_BUILTIN_TRANSPORTS', 'UDPv4')
    with roomy_shared_memory():
        assert 'FASTDDS_DEFAULT_PROFILES_FILE' not in os.environ
