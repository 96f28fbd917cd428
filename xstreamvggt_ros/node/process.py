# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node as a process: how it starts, and how signals end it."""

from __future__ import annotations

from collections.abc import Sequence
import logging
import os
import signal
import sys
import threading

import rclpy
from rclpy.exceptions import InvalidParameterTypeException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from xstreamvggt_ros.intake.worker import WORKER_THREAD
from xstreamvggt_ros.node.callbacks import spin
from xstreamvggt_ros.node.command_line import refuse
from xstreamvggt_ros.node.lifecycle import ReconstructionNode
from xstreamvggt_ros.node.loading import LOADING_THREAD
from xstreamvggt_ros.transport.shared_memory import roomy_shared_memory

# Seconds for the frame in hand: launch kills what takes five seconds longer.
EXIT_PATIENCE = 2.0


def main(args: Sequence[str], autostart: bool) -> None:
    """Run the node until it is told to end; SIGINT and SIGTERM are the way to."""
    # What one frame gives is more than Fast DDS's shared memory holds by default.
    with roomy_shared_memory():
        _run(args, autostart)
    if {WORKER_THREAD, LOADING_THREAD} & {thread.name for thread in threading.enumerate()}:
        # One is deep inside the network, where the end of the interpreter would abort it, or
        # waits for a disk.
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _run(args: Sequence[str], autostart: bool) -> None:
    try:
        rclpy.init(args=args)
    except RuntimeError as error:
        refuse(error)
    node = None
    try:
        try:
            node = ReconstructionNode(arguments=args)
        except InvalidParameterTypeException as error:
            # Those of rclpy's own parameters, such as use_sim_time; the others are told of later.
            refuse(ValueError(f'{error}; give it a value of that type'))
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        if autostart:
            executor.create_task(node.bring_up)
        else:
            node.get_logger().info('unconfigured; waiting for configure')
        spin(executor, node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except Exception:
        # A signal ends the context at any moment, also between rclpy's question whether it lives
        # and its use: whatever call comes next fails then, each in its own words.
        if rclpy.ok():
            raise
    finally:
        # One signal is enough; a second would cut the end short.
        _ignore_signals()
        if node is not None:
            node.destroy_node(EXIT_PATIENCE)
        rclpy.try_shutdown()
        # rclpy has put back the handlers from before.
        _ignore_signals()


def _ignore_signals() -> None:
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
