# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node creates what is declared, and nothing else of its own."""

import pytest

from xstreamvggt_ros.node.interface import INPUTS, OUTPUTS, SERVICES

pytestmark = pytest.mark.ros
NODE = '/reconstruction'
# Of rclpy: every node has them, or every lifecycle node.
OF_EVERY_NODE = {'/rosout', '/parameter_events', f'{NODE}/transition_event'}


def full(topic):
    return topic.replace('~', NODE, 1)


def test_publishers_are_the_declared_outputs(active):
    rig = active()
    found = {
        publisher.topic_name: (publisher.msg_type, publisher.qos_profile.depth)
        for publisher in rig.node.publishers
        if publisher.topic_name not in OF_EVERY_NODE
    }

    assert found == {full(each.topic()): (each.kind, each.depth) for each in OUTPUTS}


@pytest.mark.parametrize('transport', ['raw', 'compressed'])
def test_subscriptions_are_declared_inputs(active, transport):
    depth = 'input.depth_topic'
    rig = active({depth: '/depth', 'input.image_transport': transport, 'output.tf_mode': 'odom'})
    found = {
        (subscription.topic_name.removesuffix('/compressed').lstrip('/'), subscription.msg_type)
        for subscription in rig.node.subscriptions
        if subscription.topic_name not in OF_EVERY_NODE
    }
    declared = {
        ('depth' if each.name == depth else each.name.lstrip('/'), kind)
        for each in INPUTS
        for kind in each.kinds
    }

    assert found <= declared
    assert {name for name, _ in found} == {name for name, _ in declared}


def test_services_are_the_declared_ones_while_active(active):
    rig = active()
    declared = {full(each.topic): each.kind for each in SERVICES}

    def offered():
        return {
            full(service.srv_name): service.srv_type
            for service in rig.node.services
            if service.srv_type in declared.values()
        }

    assert offered() == declared
    rig.change('deactivate')
    assert offered() == {}


def test_declarations_differ_and_say_something():
    for declared in (INPUTS, OUTPUTS, SERVICES):
        names = [each.name for each in declared]
        assert len(set(names)) == len(names)
        assert all(each.meaning for each in declared)
