# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A ROS domain in which the demo meets nobody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import random
import socket

from xstreamvggt_ros.transport.environment import environment
from xstreamvggt_ros.transport.shared_memory import roomy_shared_memory

# DDS (RTPS 2.5, section 9.6.2): a domain's ports begin at 7400 + 250 * domain; the first
# participant on a machine listens for discovery at 10 above that. Higher domains' ports overlap
# the ephemeral ones of Linux.
PORT_BASE, PORTS_PER_DOMAIN, FIRST_PARTICIPANT = 7400, 250, 10
DOMAINS = range(1, 102)


def free_domain() -> int:
    """Choose at random a ROS domain in which nothing on this machine takes part."""
    candidates = random.SystemRandom().sample(DOMAINS, len(DOMAINS))
    return next((domain for domain in candidates if _is_free(domain)), candidates[0])


def _is_free(domain: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(('', PORT_BASE + PORTS_PER_DOMAIN * domain + FIRST_PARTICIPANT))
        except OSError:
            return False
    return True


@contextmanager
def isolated(domain: int) -> Iterator[None]:
    """
    Have this process and its children meet only who is in this domain on this machine.

    Sets the environment, and restores it. A Fast DDS profile that the user has set stays.
    """
    changes = {
        'ROS_DOMAIN_ID': str(domain),
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
        # Either of these would bring in what the range keeps out.
        'ROS_LOCALHOST_ONLY': None,
        'ROS_STATIC_PEERS': None,
    }
    with roomy_shared_memory(), environment(changes):
        yield
