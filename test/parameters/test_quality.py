# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What overrides of a quality of service may be."""

import pytest
from rclpy.qos import QoSReliabilityPolicy

from xstreamvggt_ros.parameters.quality import override_name, overrides, read_policy, unset


@pytest.mark.parametrize('of', ['subscription', 'publisher'])
@pytest.mark.parametrize('policy', ['reliability', 'history', 'depth'])
def test_what_holds_unless_it_is_set_can_be_read(of, policy):
    name = override_name('/a/b', policy, of)
    assert overrides(name) == of
    read_policy(name, unset(policy, of, 5))


@pytest.mark.parametrize('of', ['subscription', 'publisher'])
@pytest.mark.parametrize('policy', ['reliability', 'history', 'depth', 'nonsense'])
@pytest.mark.parametrize('value', [None, '', 'relible', -1, 1.5, True, [1], ['reliable']])
def test_what_cannot_be_is_refused_with_the_parameter_s_name(of, policy, value):
    name = override_name('/a/b', policy, of)
    with pytest.raises(ValueError, match=f'{name} is '):
        read_policy(name, value)


def test_only_a_subscription_s_depth_may_be_as_the_queue_says():
    assert read_policy(override_name('/a', 'depth'), 0) == 0
    with pytest.raises(ValueError, match='use 1 to 100000$'):
        read_policy(override_name('/a', 'depth', 'publisher'), 0)


def test_a_publisher_has_no_best_available_reliability():
    name = override_name('/a', 'reliability', 'publisher')
    assert read_policy(name, 'best_effort') is QoSReliabilityPolicy.BEST_EFFORT
    with pytest.raises(ValueError, match='best_available'):
        read_policy(name, 'best_available')
