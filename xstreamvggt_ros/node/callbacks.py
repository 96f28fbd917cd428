# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the executor calls: it would end, and the process with it, where one raises."""

from __future__ import annotations

from collections.abc import Callable
import time
import traceback

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.executors import Executor
from rclpy.node import Node
from rclpy.timer import Timer

from xstreamvggt_ros.node.seldom import Seldom

# Seconds between two failures of an executor that does nothing but fail.
PAUSE = 0.1
# Seconds that an executor waits at most: a signal just before it waits does not wake it.
LOOK_S = 0.5


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


def spin(executor: Executor, node: Node) -> None:
    """
    Call back until the context ends, and go on where that raises.

    That covers what has no `survived` of its own: services, tasks, and rclpy itself.
    """
    seldom, failed = Seldom(), False
    while executor.context.ok():
        try:
            executor.spin_once(LOOK_S)
            failed = False
        except Exception:
            if not executor.context.ok():
                raise
            if seldom.admits():
                node.get_logger().error(f'cannot answer a call:\n{traceback.format_exc()}')
            if failed:
                # What fails at once, and for ever, would leave nothing of the processor.
                time.sleep(PAUSE)
            failed = True


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
