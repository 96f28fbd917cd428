# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Waiting for another thread while the executor goes on."""

from __future__ import annotations

from concurrent.futures import Future as Promise

from rclpy.node import Node
from rclpy.task import Future

from xstreamvggt_ros.node.callbacks import steady_timer


async def kept_within(node: Node, promise: Promise, seconds: float) -> bool:
    """Wait until a promise is kept, broken or cancelled, for at most `seconds`; whether it is."""
    executor = node.executor
    over = Future(executor=executor)

    def end(*_) -> None:
        if not over.done():
            over.set_result(None)
        # A future wakes those who wait for it only with the next thing that happens.
        executor.wake()

    timer = steady_timer(node, seconds, 'wait', end)
    promise.add_done_callback(end)
    await over
    node.destroy_timer(timer)
    return promise.done()
