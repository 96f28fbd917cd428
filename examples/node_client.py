# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Listen to the node: clouds as numpy, a service, diagnostics; python examples/node_client.py."""

from diagnostic_msgs.msg import DiagnosticArray
import rclpy
from sensor_msgs.msg import PointCloud2
from std_srvs.srv import Trigger

from xstreamvggt_ros.messages import read_points

STATUS = 'reconstruction: reconstruction'


def main(clouds: int = 10) -> None:
    """Take some clouds, begin a new stream, and say what the node says of itself."""
    rclpy.init()
    node, seen, told = rclpy.create_node('client'), [], {}

    def hear(heard: DiagnosticArray) -> None:
        # Drivers and other nodes tell theirs on the same topic.
        told.update({each.name: each.values for each in heard.status})

    node.create_subscription(PointCloud2, '/reconstruction/points', seen.append, 5)
    node.create_subscription(DiagnosticArray, '/diagnostics', hear, 5)
    reset = node.create_client(Trigger, '/reconstruction/reset')
    while len(seen) < clouds or STATUS not in told:
        rclpy.spin_once(node)
    cloud = read_points(seen[-1])
    print(f'{len(cloud.points)} points about {cloud.points.mean(axis=0)}, {cloud.rgb.dtype} RGB')
    asked = reset.call_async(Trigger.Request())
    rclpy.spin_until_future_complete(node, asked)
    print(asked.result().message)
    print({each.key: each.value for each in told[STATUS]})
    rclpy.shutdown()


if __name__ == '__main__':
    main()
