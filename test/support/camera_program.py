# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Publish rgb8 images of noise: topic, count, reliability, width, height and images a second."""

from array import array
from contextlib import suppress
import sys
import time

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.qos import QoSProfile, QoSReliabilityPolicy
from sensor_msgs.msg import Image


def main(topic, count, reliability, width, height, rate):
    width, height = int(width), int(height)
    rclpy.init()
    node = rclpy.create_node('camera')
    profile = QoSProfile(depth=10, reliability=QoSReliabilityPolicy[reliability.upper()])
    publisher = node.create_publisher(Image, topic, profile)
    message = Image(height=height, width=width, step=3 * width, encoding='rgb8')
    message.data = array('B', bytes(3 * width * height))
    while not publisher.get_subscription_count():
        rclpy.spin_once(node, timeout_sec=0.05)
    # The other side learns of the match on its own.
    time.sleep(1.0)
    for _ in range(int(count)):
        message.header.stamp = node.get_clock().now().to_msg()
        publisher.publish(message)
        time.sleep(1 / float(rate))
    with suppress(ExternalShutdownException):
        rclpy.spin(node)


if __name__ == '__main__':
    main(*sys.argv[1:])
