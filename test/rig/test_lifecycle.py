# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Asking a node that may not have found whoever asks."""

from lifecycle_msgs.srv import ChangeState
import pytest
from rcl_interfaces.srv import GetParameters
from rclpy.task import Future

from xstreamvggt_ros.rig.lifecycle import ANSWER_TIMEOUT_S, Lifecycle, NodeError


class Client:
    """Loses the first answers, as DDS does where the node has not discovered the client yet."""

    def __init__(self, kind, lost):
        self.kind, self.lost, self.asked, self.pending = kind, lost, 0, []

    def service_is_ready(self):
        return True

    def call_async(self, request):
        self.asked += 1
        answer = Future()
        if self.asked > self.lost:
            answer.set_result(self.kind.Response())
        self.pending.append(answer)
        return answer

    def remove_pending_request(self, answer):
        self.pending.remove(answer)


class Link:
    """Spins nothing: an answer is there at once or never."""

    def __init__(self, lost):
        self.node, self.lost, self.clients = self, lost, {}

    def create_client(self, kind, name):
        self.clients[kind] = Client(kind, self.lost)
        return self.clients[kind]

    def spin_until(self, condition, timeout_s):
        return condition()


@pytest.mark.ros
def test_what_changes_nothing_is_asked_until_the_node_knows_who_asks():
    link = Link(lost=2)

    Lifecycle(link, 'node')

    client = link.clients[GetParameters]
    assert client.asked == 3 and len(client.pending) == 1
    assert not link.clients[ChangeState].asked


@pytest.mark.ros
def test_a_transition_is_asked_for_once():
    link = Link(lost=0)
    lifecycle = Lifecycle(link, 'node')
    link.clients[ChangeState].lost = 10

    with pytest.raises(NodeError, match='did not configure within 5 s'):
        lifecycle.change('configure', 5.0)

    assert link.clients[ChangeState].asked == 1 and not link.clients[ChangeState].pending


@pytest.mark.ros
def test_a_node_that_never_answers_is_named():
    with pytest.raises(NodeError, match=f'did not tell .* within {ANSWER_TIMEOUT_S:g} s'):
        Lifecycle(Link(lost=10**6), 'node')
