# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The transform that stands between images."""

from types import SimpleNamespace

import numpy as np
import pytest
from rclpy.clock import Clock
from ros_rig import header

from xstreamvggt_ros.node.broadcast import TransformOutput
from xstreamvggt_ros.node.robot import RobotPose

MODES = {
    name: SimpleNamespace(
        tf_mode=name, tf_tolerance=0.1, map_frame='map', odom_frame='odom', base_frame='base'
    )
    for name in ('odom', 'camera', 'off')
}


@pytest.mark.parametrize('between', ['camera', 'off'])
@pytest.mark.parametrize('by', ['timer', 'image'])
def test_what_stood_before_the_mode_was_another_is_not_repeated(between, by):
    sent = []
    publisher = SimpleNamespace(get_subscription_count=lambda: 1, publish=sent.append)
    output = TransformOutput(
        SimpleNamespace(get_clock=Clock), SimpleNamespace(unmanaged=lambda declared: publisher)
    )
    stamped = SimpleNamespace(
        reconstruction=SimpleNamespace(map_from_camera=np.eye(4)),
        stamp=header(1.0).stamp,
        arrived=0.0,
        camera_frame='camera',
    )

    def image(mode):
        output.publish(stamped, header(1.0, 'map'), MODES[mode], robot, True)

    robot = RobotPose(np.eye(4), np.eye(4))
    image('odom')
    output.repeat(MODES['odom'])
    assert {each.child_frame_id for each in sent[-1].transforms} == {'odom'}

    if by == 'timer':
        output.repeat(MODES[between])
    else:
        image(between)
    sent.clear()
    output.repeat(MODES['odom'])

    assert sent == []
