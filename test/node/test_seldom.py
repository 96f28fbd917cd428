# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What would fill the log is said once in a while, each kind by itself."""

from xstreamvggt_ros.node.seldom import Seldom


def test_each_kind_is_admitted_once_in_a_period():
    now = [0.0]
    seldom = Seldom(5.0, lambda: now[0])

    assert [seldom.admits('a'), seldom.admits('a'), seldom.admits('b')] == [True, False, True]
    now[0] = 4.9
    assert not seldom.admits('a')
    now[0] = 5.0
    assert seldom.admits('a') and not seldom.admits('a')
