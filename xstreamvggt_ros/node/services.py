# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The services, which the worker carries out between two frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
import traceback

from rclpy.lifecycle import LifecycleNode
from std_srvs.srv import SetBool, Trigger

from xstreamvggt_ros.node.interface import ENABLE, Service


@dataclass(frozen=True)
class Command:
    """A Trigger service, what is done and says so, and how its failure is told."""

    service: Service
    function: Callable[[], str]
    not_done: str


class Services:
    """
    Offer the commands, and `~/enable`.

    `run` carries a command out and gives what it says; `enable` is told to take images or not.
    """

    def __init__(
        self,
        node: LifecycleNode,
        commands: Iterable[Command],
        run: Callable[[Callable[[], str]], str],
        enable: Callable[[bool], None],
    ) -> None:
        """Create the services."""
        self._node = node
        self._run = run
        self._enable = enable
        self._services = [
            node.create_service(
                command.service.kind, command.service.topic, partial(self._obey, command)
            )
            for command in commands
        ]
        self._services.append(node.create_service(ENABLE.kind, ENABLE.topic, self._on_enable))

    def destroy(self) -> None:
        """Take the services off the node."""
        for service in self._services:
            self._node.destroy_service(service)

    def _obey(
        self, command: Command, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        try:
            response.message = self._run(command.function)
        except Exception as error:
            response.success, response.message = False, f'{command.not_done}: {error}'
            self._node.get_logger().error(response.message)
            self._node.get_logger().debug(traceback.format_exc())
            return response
        response.success = True
        self._node.get_logger().info(response.message)
        return response

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._enable(request.data)
        response.success = True
        response.message = 'images are taken' if request.data else 'images are dropped'
        self._node.get_logger().info(response.message)
        return response
