# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parameters that override the quality of service of what the node subscribes to."""

from __future__ import annotations

from rclpy.qos import (
    QoSDurabilityPolicy,
    QoSHistoryPolicy,
    QoSReliabilityPolicy,
)

PREFIX = 'qos_overrides.'
AS_THE_QUEUE = 0
MAX_DEPTH = 100_000
# Of each policy the first is what holds unless it is set. The best available one is what all
# publishers of the topic offer.
POLICIES = {
    'reliability': (
        QoSReliabilityPolicy.BEST_AVAILABLE,
        QoSReliabilityPolicy.RELIABLE,
        QoSReliabilityPolicy.BEST_EFFORT,
        QoSReliabilityPolicy.SYSTEM_DEFAULT,
    ),
    'durability': (
        QoSDurabilityPolicy.BEST_AVAILABLE,
        QoSDurabilityPolicy.VOLATILE,
        QoSDurabilityPolicy.TRANSIENT_LOCAL,
        QoSDurabilityPolicy.SYSTEM_DEFAULT,
    ),
    'history': (
        QoSHistoryPolicy.KEEP_LAST,
        QoSHistoryPolicy.KEEP_ALL,
        QoSHistoryPolicy.SYSTEM_DEFAULT,
    ),
}


def override_name(topic: str, policy: str) -> str:
    """Name the parameter that overrides a policy of the subscription to `topic`, resolved."""
    return f'{PREFIX}{topic}.subscription.{policy}'


def is_subscription_override(name: str) -> bool:
    """Whether a parameter is one that `override_name` names."""
    return name.startswith(PREFIX) and name.split('.')[-2:-1] == ['subscription']


def unset(policy: str) -> int | str:
    """Give what a policy's parameter has where nobody sets it, which says how it is chosen."""
    return AS_THE_QUEUE if policy == 'depth' else POLICIES[policy][0].name.lower()


def read_policy(name: str, value: object) -> object:
    """
    Give the policy, or the depth, that an override's parameter `name` has.

    ValueError for a policy that does not exist, naming those that do.
    """
    policy = name.rpartition('.')[2]
    if policy == 'depth':
        if type(value) is not int or not 0 <= value <= MAX_DEPTH:
            raise ValueError(
                f'{name} is {value!r}; use 1 to {MAX_DEPTH}, or 0: as input.queue says'
            )
        return value
    known = {each.name.lower(): each for each in POLICIES.get(policy, ())}
    if value not in known:
        raise ValueError(f'{name} is {value!r}; use one of: {", ".join(known)}')
    return known[value]
