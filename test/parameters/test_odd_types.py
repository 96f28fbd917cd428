# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Calls that set parameters to values of types that there are not."""

from lone_node import lone_node
import pytest
from rcl_interfaces.msg import Parameter, ParameterValue
from rcl_interfaces.srv import SetParameters, SetParametersAtomically

from xstreamvggt_ros.parameters import DeclaredParameters

pytestmark = pytest.mark.ros
GOOD = Parameter(name='input.queue_size', value=ParameterValue(type=2, integer_value=7))
DEADLINE = 60.0


@pytest.fixture
def ask():
    """Call a service of a node with the parameters declared; its response."""
    with lone_node('reconstruction') as node:
        DeclaredParameters(node, lambda parameters: None)

        def call(kind, name, *parameters):
            client = node.create_client(kind, f'reconstruction/{name}')
            assert client.wait_for_service(DEADLINE)
            future = client.call_async(kind.Request(parameters=parameters))
            node.executor.spin_until_future_complete(future, DEADLINE)
            return future.result()

        call.node = node
        yield call


def odd(kind):
    return Parameter(name='cache.bits', value=ParameterValue(type=kind))


@pytest.mark.parametrize('kind', [10, 200, 255])
def test_a_value_of_a_type_that_there_is_not_is_refused_alone(ask, kind):
    first, second = ask(SetParameters, 'set_parameters', odd(kind), GOOD).results

    assert not first.successful
    assert first.reason.startswith(f'cache.bits was given a value of type {kind}')
    assert 'use one from 0 to 9' in first.reason
    assert second.successful
    assert ask.node.get_parameter('input.queue_size').value == 7


def test_where_all_or_none_are_set_it_is_none(ask):
    before = ask.node.get_parameter('input.queue_size').value
    answer = ask(SetParametersAtomically, 'set_parameters_atomically', GOOD, odd(200))

    assert not answer.result.successful
    assert 'cache.bits was given a value of type 200' in answer.result.reason
    assert ask.node.get_parameter('input.queue_size').value == before
    assert ask(SetParametersAtomically, 'set_parameters_atomically', GOOD).result.successful
    assert ask.node.get_parameter('input.queue_size').value == 7


def test_names_that_there_are_not_are_still_named(ask):
    bad = Parameter(name='xyzzy', value=ParameterValue(type=1))
    first, second = ask(SetParameters, 'set_parameters', bad, GOOD).results

    assert not first.successful and 'xyzzy' in first.reason
    assert second.successful
