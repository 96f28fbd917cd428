# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whatever a message does to who reads it, it is said once and the rest goes on."""

from diagnostic_msgs.msg import DiagnosticArray
import pytest
from rclpy.serialization import deserialize_message

from xstreamvggt_ros.view.tolerance import Tolerance


def divide():
    return 1 / int('0')


@pytest.mark.parametrize(
    'read',
    [
        lambda: deserialize_message(b'\0\1\0\0\xff\xff\xff\xff\xff', DiagnosticArray),
        lambda: deserialize_message(b'', DiagnosticArray),
        lambda: bytes(2**62),
        lambda: {}['no such key'],
        divide,
    ],
)
def test_what_cannot_be_read_is_said_once(read, caplog):
    tolerance, after = Tolerance(), []
    for _ in range(3):
        tolerance.run('points', read)
    tolerance.run('points', lambda: after.append(1))
    assert len(caplog.records) == 1 and 'points cannot be shown' in caplog.text
    assert after == [1]


def test_who_asks_to_end_is_not_held_up():
    def end():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Tolerance().run('points', end)
