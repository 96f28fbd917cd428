# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parameters that override the quality of service of subscriptions and publishers."""

from __future__ import annotations

from rclpy.qos import (
    QoSDurabilityPolicy,
    QoSHistoryPolicy,
    QoSReliabilityPolicy,
)

PREFIX = 'qos_overrides.'
SUBSCRIPTION, PUBLISHER = 'subscription', 'publisher'
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
# Of publishers likewise; their durability is the output's own. `depth` is the output's.
OUTPUT_POLICIES = {
    'history': POLICIES['history'],
    'reliability': POLICIES['reliability'][1:],
    'depth': None,
}


def override_name(topic: str, policy: str, of: str = SUBSCRIPTION) -> str:
    """Name the parameter that overrides a policy of who subscribes or publishes on a topic."""
    return f'{PREFIX}{topic}.{of}.{policy}'


def overrides(name: str) -> str:
    """Whose policy a parameter overrides, SUBSCRIPTION or PUBLISHER; '' where it is no such."""
    of = name.split('.')[-2:-1] if name.startswith(PREFIX) else []
    return next((each for each in (SUBSCRIPTION, PUBLISHER) if of == [each]), '')


def unset(policy: str, of: str = SUBSCRIPTION, depth: int = AS_THE_QUEUE) -> int | str:
    """Give what a policy's parameter has where nobody sets it, which says how it is chosen."""
    if policy == 'depth':
        return depth
    first = POLICIES[policy] if of == SUBSCRIPTION else OUTPUT_POLICIES[policy]
    return first[0].name.lower()


def read_policy(name: str, value: object) -> object:
    """
    Give the policy, or the depth, that an override's parameter `name` has.

    ValueError for a policy that does not exist, naming those that do.
    """
    policy, of = name.rpartition('.')[2], overrides(name)
    if policy == 'depth':
        least, zero = (0, ', or 0: as input.queue says') if of == SUBSCRIPTION else (1, '')
        if type(value) is not int or not least <= value <= MAX_DEPTH:
            raise ValueError(f'{name} is {value!r}; use 1 to {MAX_DEPTH}{zero}')
        return value
    policies = (POLICIES if of == SUBSCRIPTION else OUTPUT_POLICIES).get(policy) or ()
    known = {each.name.lower(): each for each in policies}
    if not isinstance(value, str) or value not in known:
        raise ValueError(f'{name} is {value!r}; use one of: {", ".join(known)}')
    return known[value]
