# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Classes of messages and their names."""


def type_name(kind: type) -> str:
    """Name a message's type as ROS does, such as sensor_msgs/msg/Image."""
    package, _, _ = kind.__module__.partition('.')
    return f'{package}/msg/{kind.__name__}'
