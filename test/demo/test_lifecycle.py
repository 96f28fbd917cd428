# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Asking a node that may not have found whoever asks."""

import pytest
from rcl_interfaces.srv import ListParameters
from rclpy.task import Future

from xstreamvggt_ros.demo import lifecycle
from xstreamvggt_ros.demo.lifecycle import Lifecycle, NodeError


class Client:
    """Loses the first answers, as DDS does where the node has not discovered the client yet."""

    def __init__(self, lost):
        self.lost, self.asked, self.pending = lost, 0, []

    def service_is_ready(self):
        return True

    def call_async(self, request):
        self.asked += 1
        answer = Future()
        if self.asked > self.lost:
            response = ListParameters.Response()
            response.result.names = ['cache.bits']
            answer.set_result(response)
        self.pending.append(answer)
        return answer

    def remove_pending_request(self, answer):
        self.pending.remove(answer)


class Link:
    """Spins nothing: an answer is there at once or never."""

    def __init__(self, client):
        self.node = self
        self.create_client = lambda kind, name: client

    def spin_until(self, condition, timeout_s):
        return condition()


@pytest.mark.ros
def test_what_changes_nothing_is_asked_again_where_the_answer_is_lost():
    client = Client(lost=2)

    Lifecycle(Link(client), 'node').refuse_unknown(['cache.bits'])

    assert client.asked == 3 and len(client.pending) == 1


@pytest.mark.ros
def test_a_node_that_never_answers_is_named():
    client = Client(lost=10**6)
    with pytest.raises(NodeError, match=f'did not list .* within {lifecycle.ANSWER_TIMEOUT_S:g}'):
        Lifecycle(Link(client), 'node').refuse_unknown(['cache.bits'])

    assert client.pending == []
