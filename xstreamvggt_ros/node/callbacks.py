# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the executor calls: it would end, and the process with it, where one raises."""

from __future__ import annotations

from collections.abc import Callable
import traceback

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.timer import Timer

from xstreamvggt_ros.node.seldom import Seldom


def survived(node: Node, what: str, callback: Callable[..., None]) -> Callable[..., None]:
    """Make of a callback one that logs what it raises, once in a few seconds."""
    seldom = Seldom()

    def call(*arguments: object) -> None:
        try:
            callback(*arguments)
        except Exception:
            if not node.context.ok():
                # A signal has ended the context, and any call with it: that is no news.
                raise
            if seldom.admits():
                node.get_logger().error(f'cannot {what}:\n{traceback.format_exc()}')

    return call


def steady_timer(node: Node, seconds: float, what: str, callback: Callable[[], None]) -> Timer:
    """
    Call back every `seconds` of a steady clock, and go on where that raises.

    Steady: a simulated clock stands still where a bag has ended.
    """
    call = survived(node, what, callback)

    def tick() -> None:
        # rclpy tells a timer more where its callback takes anything.
        call()

    return node.create_timer(seconds, tick, clock=Clock(clock_type=ClockType.STEADY_TIME))
