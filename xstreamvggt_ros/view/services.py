# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The services of a followed node, called from another thread than the one that spins."""

from __future__ import annotations

import threading

from rclpy.node import Node
from std_srvs.srv import SetBool, Trigger

ANSWER_S, THERE_S = 60.0, 5.0
SERVICES = {'reset': Trigger, 'save': Trigger, 'enable': SetBool}


class FollowedServices:
    """Calls what a node offers; a service that is called has `patience_s` to answer."""

    def __init__(self, node: Node) -> None:
        """Call from this node, which somebody else spins."""
        self.patience_s = ANSWER_S
        self._node = node
        self._root = ''
        self._clients: dict[str, object] = {}

    @property
    def found(self) -> bool:
        """Whether there is a node to call."""
        return bool(self._clients)

    def find(self, root: str) -> None:
        """Call those of the node of that name from now on."""
        self._clients = {
            name: self._node.create_client(kind, f'{root}/{name}')
            for name, kind in SERVICES.items()
        }
        self._root = root

    def call(self, name: str, request) -> str:
        """Call a service of a node that was found; return what it answers, or why it does not."""
        client = self._clients[name]
        if not client.wait_for_service(timeout_sec=THERE_S):
            return f'{self._root} has no service {name}: is it running?'
        done = threading.Event()
        future = client.call_async(request)
        future.add_done_callback(lambda _: done.set())
        if not done.wait(self.patience_s):
            # It would be kept for an answer that may never come.
            client.remove_pending_request(future)
            return f'{name} was not answered within {self.patience_s:g} s'
        answer = future.result()
        return answer.message or ('done' if answer.success else 'refused')
