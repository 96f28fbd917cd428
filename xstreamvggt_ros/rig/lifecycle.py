# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Drive a lifecycle node through its states, as a lifecycle manager does."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.srv import GetParameters, ListParameters

from xstreamvggt_ros.rig.link import Link

TRANSITIONS = {
    'configure': Transition.TRANSITION_CONFIGURE,
    'activate': Transition.TRANSITION_ACTIVATE,
    'deactivate': Transition.TRANSITION_DEACTIVATE,
}
START_TIMEOUT_S = 60.0
ANSWER_TIMEOUT_S = 10.0
# Of a node that does not know this client yet, an answer is lost: what changes nothing is asked
# so often in that time.
TRIES = 5


class NodeError(RuntimeError):
    """The node did not do as it was asked, or is gone."""


class Lifecycle:
    """Ask the node `node_name` for transitions, and for what it runs with."""

    def __init__(self, link: Link, node_name: str):
        """Wait until the node is there; raises NodeError where it does not come."""
        self._link = link
        self._node_name = node_name
        self._change = link.node.create_client(ChangeState, f'/{node_name}/change_state')
        self._get = link.node.create_client(GetParameters, f'/{node_name}/get_parameters')
        self._list = link.node.create_client(ListParameters, f'/{node_name}/list_parameters')
        for client in (self._change, self._get, self._list):
            if not link.spin_until(client.service_is_ready, START_TIMEOUT_S):
                raise NodeError(f'/{node_name} did not appear within {START_TIMEOUT_S:g} s')
        # Once this is answered the node knows these clients: a transition is asked for only once.
        self.text_parameters()

    def change(self, transition: str, timeout_s: float) -> None:
        """Ask for a transition by name; raises NodeError where the node refuses or is late."""
        request = ChangeState.Request(transition=Transition(id=TRANSITIONS[transition]))
        doing = f'did not {transition}'
        if not self._ask(self._change, request, timeout_s, doing).success:
            raise NodeError(f'/{self._node_name} failed to {transition}')

    def refuse_unknown(self, names: Iterable[str]) -> None:
        """Raise NodeError where the node has no parameter of one of these names."""
        answer = self._read(self._list, ListParameters.Request(), 'did not list its parameters')
        known = answer.result.names
        for name in names:
            # Those of the quality of service are declared with their topic.
            if name in known or name.startswith('qos_overrides.'):
                continue
            near = get_close_matches(name, known, n=1)
            hint = f'; did you mean {near[0]}?' if near else ''
            raise NodeError(f'/{self._node_name} has no parameter {name}{hint}')

    def text_parameters(self, *names: str) -> dict[str, str]:
        """Ask for parameters that are strings."""
        request = GetParameters.Request(names=list(names))
        answer = self._read(self._get, request, 'did not tell its parameters')
        values = [value.string_value for value in answer.values]
        return dict(zip(names, values, strict=True))

    def _read(self, client, request, failing: str):
        """Ask for what changes nothing, and again where no answer comes."""
        return self._ask(client, request, ANSWER_TIMEOUT_S, failing, TRIES)

    def _ask(self, client, request, timeout_s: float, failing: str, tries: int = 1):
        for _ in range(tries):
            answer = client.call_async(request)
            if self._link.spin_until(answer.done, timeout_s / tries):
                return answer.result()
            client.remove_pending_request(answer)
        raise NodeError(f'/{self._node_name} {failing} within {timeout_s:g} s')
