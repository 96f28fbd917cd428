# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Message types have their names of ROS."""

import pytest
from sensor_msgs.msg import Image
from tf2_msgs.msg import TFMessage

from xstreamvggt_ros.messages.kinds import type_name


@pytest.mark.parametrize(
    ('kind', 'name'), [(Image, 'sensor_msgs/msg/Image'), (TFMessage, 'tf2_msgs/msg/TFMessage')]
)
def test_a_type_has_its_package_and_name(kind, name):
    assert type_name(kind) == name
