# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the rooms without ROS have to say stands in the node's log."""

import logging

import pytest
from rclpy.logging import LoggingSeverity as Severity

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
