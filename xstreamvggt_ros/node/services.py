# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The services, which the worker carries out between two frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future as Promise
from dataclasses import dataclass
from functools import partial
import traceback

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.lifecycle import LifecycleNode
import rclpy.service
from std_srvs.srv import SetBool, Trigger

from xstreamvggt_ros.intake.worker import WorkerBusy
from xstreamvggt_ros.node.interface import ENABLE, Service
from xstreamvggt_ros.node.waiting import kept_within

DEACTIVATED = 'the node was deactivated first'


@dataclass(frozen=True)
class Command:
    """A Trigger service, what is done and says so, and how its failure is told."""

    service: Service
    function: Callable[[], str]
    not_done: str


class Services:
    """
    Offer the commands, and `~/enable`.

    `post` has a command carried out by another thread and promises what it says; the executor goes
    on meanwhile, and the answer is sent when it is done, or after `patience` seconds with what it
    waits for. `enable` is told to take images or not.
    """

    def __init__(
        self,
        node: LifecycleNode,
        commands: Iterable[Command],
        post: Callable[[Callable[[], str]], Promise],
        enable: Callable[[bool], None],
        patience: float,
    ) -> None:
        """Create the services."""
        self._node = node
        self._post = post
        self._enable = enable
        self._patience = patience
        self._unanswered = 0
        self._ending = False
        # One that waits must not hold up the others, as it would in the node's own group.
        group = ReentrantCallbackGroup()
        self._services = [
            node.create_service(
                command.service.kind,
                command.service.topic,
                partial(self._obey, command),
                callback_group=group,
            )
            for command in commands
        ]
        self._services.append(node.create_service(ENABLE.kind, ENABLE.topic, self._on_enable))

    def destroy(self) -> None:
        """Take the services off the node, as soon as everybody who waits has an answer."""
        self._ending = True
        # A service that is gone cannot send it, and rclpy would end the process for that.
        if not self._unanswered:
            # Everybody who waited asks for it.
            services, self._services = self._services, []
            for service in services:
                self._refuse_waiting(service)
                self._node.destroy_service(service)

    def _refuse_waiting(self, service: rclpy.service.Service) -> None:
        """Answer the calls that have come and not been read yet: nobody else would."""
        if not self._node.context.ok():
            return
        with service.handle:
            while True:
                request, header = service.handle.service_take_request(service.srv_type.Request)
                if header is None:
                    return
                answer = service.srv_type.Response(success=False, message=DEACTIVATED)
                service.send_response(answer, header)

    async def _obey(
        self, command: Command, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        self._unanswered += 1
        try:
            response.message = await self._result(self._post(command.function))
            response.success = True
            self._node.get_logger().info(response.message)
        except Exception as error:
            response.success, response.message = False, f'{command.not_done}: {error}'
            self._node.get_logger().error(response.message)
            self._node.get_logger().debug(traceback.format_exc())
        self._unanswered -= 1
        if self._ending:
            # rclpy sends the answer when this has returned, before its next task.
            self._node.executor.create_task(self.destroy)
        return response

    async def _result(self, promise: Promise) -> str:
        """Give what was promised; WorkerBusy where that takes too long."""
        kept = await kept_within(self._node, promise, self._patience)
        if promise.cancelled():
            raise WorkerBusy(DEACTIVATED)
        if not kept and promise.running():
            raise WorkerBusy(
                f'this has begun and is not done after {self._patience:g} s, as where a disk is '
                'slow; it goes on'
            )
        if not kept:
            raise WorkerBusy(
                f'the network is still busy with a frame after {self._patience:g} s; '
                'this will be done when the frame is'
            )
        return promise.result()

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._enable(request.data)
        response.success = True
        response.message = 'images are taken' if request.data else 'images are dropped'
        self._node.get_logger().info(response.message)
        return response
