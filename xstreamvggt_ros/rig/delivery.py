# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages that reach whom they are for: somebody listens first, nothing is cut off last."""

from __future__ import annotations

from collections.abc import Collection

from rclpy.duration import Duration
from rclpy.publisher import Publisher

from xstreamvggt_ros.rig.link import Link

DELIVERY_TIMEOUT_S = 10.0


def await_subscriber(link: Link, publishers: Collection[Publisher], timeout_s: float) -> bool:
    """Wait until somebody listens to one of the publishers; say whether anybody did in time."""
    return link.spin_until(
        lambda: any(each.get_subscription_count() for each in publishers), timeout_s
    )


def await_delivery(publishers: Collection[Publisher]) -> None:
    """Wait, within a bound each, until DDS has delivered what would be lost with a publisher."""
    for publisher in publishers:
        publisher.wait_for_all_acked(Duration(seconds=DELIVERY_TIMEOUT_S))
