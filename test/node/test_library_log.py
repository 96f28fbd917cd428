# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the rooms without ROS have to say stands in the node's log."""

from functools import partial
import logging
from types import SimpleNamespace

import pytest
import rclpy
from rclpy.context import Context
from rclpy.logging import LoggingSeverity as Severity

from xstreamvggt_ros.node import lifecycle, ReconstructionNode

pytestmark = pytest.mark.ros


def test_lines_of_the_package_reach_the_node_s_log_by_their_severity(rig_of):
    rig = rig_of()
    logger = logging.getLogger('xstreamvggt_ros.cache.attention_choice')

    logger.info('attention of %s: %s is taken', 'a frame', 'cuDNN')
    logger.warning('not %s', 'captured')

    rig.wait_for_log('attention of a frame: cuDNN is taken')
    rig.wait_for_log('not captured')
    assert [line for line in rig.log(Severity.WARN) if line == 'not captured']
    assert not [line for line in rig.log(Severity.WARN) if 'attention' in line]


def listeners():
    handlers = logging.getLogger('xstreamvggt_ros').handlers
    return [each for each in handlers if type(each).__name__ == 'LibraryLog']


def test_of_several_nodes_one_says_a_line_and_the_next_when_that_is_gone():
    context, said = Context(), []
    rclpy.init(context=context)
    nodes = [ReconstructionNode(name, context=context) for name in ('first', 'second')]
    for node in nodes:
        logger = SimpleNamespace(
            info=partial(lambda name, text: said.append(name), node.get_name())
        )
        node.get_logger = lambda logger=logger: logger
    logger = logging.getLogger('xstreamvggt_ros.cache')

    logger.info('a line')
    assert said == ['first']
    del nodes[0].get_logger
    nodes[0].destroy_node()
    logger.info('a line')
    assert said == ['first', 'second']
    del nodes[1].get_logger
    nodes[1].destroy_node()
    logger.info('a line')
    assert said == ['first', 'second']
    context.shutdown()


def test_a_node_that_cannot_be_made_leaves_nobody_who_listens(monkeypatch):
    context, before = Context(), listeners()
    rclpy.init(context=context)

    def fail(*_):
        raise RuntimeError('no parameters')

    monkeypatch.setattr(lifecycle, 'DeclaredParameters', fail)
    with pytest.raises(RuntimeError, match='no parameters'):
        ReconstructionNode(context=context)
    assert listeners() == before
    context.shutdown()
