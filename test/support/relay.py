# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node that answers images as the reconstruction does, without a network, in a thread."""

import threading

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2

from xstreamvggt_ros.messages import point_cloud
from xstreamvggt_ros.messages.diagnostics import diagnostic_array, frame_report, StreamFigures

SIZE = (4, 6)


class Relay:
    """
    Answer each image on `topic` with every output, unless `answers(index)` says no.

    What is not answered is counted as dropped on /diagnostics if `reports`. `images` holds the
    messages that came and `infos` the calibrations.
    """

    def __init__(
        self,
        topic='/camera/image_raw',
        kind=Image,
        answers=lambda index: True,
        reports=False,
        name='reconstruction',
    ):
        self.images = []
        self.infos = []
        self._answers = answers
        self._reports = reports
        self._dropped = 0
        self._context = rclpy.Context()
        self._context.init(args=[], initialize_logging=False)
        self._node = rclpy.create_node(name, context=self._context)
        suffix = '/compressed' if kind is CompressedImage else ''
        publish = self._node.create_publisher
        self._publishers = {
            'pose': publish(PoseStamped, '~/pose', 5),
            'depth/image': publish(Image, '~/depth/image', 5),
            'depth/camera_info': publish(CameraInfo, '~/depth/camera_info', 5),
            'confidence': publish(Image, '~/confidence', 5),
            'points': publish(PointCloud2, '~/points', 5),
            'frame': publish(DiagnosticArray, '~/frame', 5),
        }
        self._diagnostics = publish(DiagnosticArray, '/diagnostics', 5)
        self._node.create_subscription(kind, topic + suffix, self._on_image, 50)
        info_topic = topic.rpartition('/')[0] + '/camera_info'
        self._node.create_subscription(CameraInfo, info_topic, self.infos.append, 50)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._spin)
        self._thread.start()

    def _spin(self):
        try:
            self._executor.spin()
        except ExternalShutdownException:
            pass

    def _on_image(self, image):
        index = len(self.images)
        self.images.append(image)
        if self._answers(index):
            for name, message in answer(image.header).items():
                self._publishers[name].publish(message)
        else:
            self._dropped += 1
        if self._reports:
            self._diagnostics.publish(self._figures())

    def _figures(self):
        figures = StreamFigures(
            frames_in=len(self.images),
            frames_processed=len(self.images) - self._dropped,
            frames_dropped={'test': self._dropped},
        )
        return diagnostic_array(
            figures, self._node.get_name(), self._node.get_clock().now().to_msg()
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._executor.shutdown()
        self._context.try_shutdown()
        self._thread.join()
        self._node.destroy_node()


def answer(header, stream=1):
    """Build one frame's outputs with a header, of the stream with that number."""
    height, width = SIZE
    values = np.ones(SIZE, np.float32).tobytes()
    image = {
        'height': height,
        'width': width,
        'encoding': '32FC1',
        'step': 4 * width,
        'data': values,
    }
    points = np.zeros((5, 3), np.float32)
    pose = PoseStamped(header=header)
    pose.pose.position.x = float(header.stamp.nanosec)
    return {
        'pose': pose,
        'depth/image': Image(header=header, **image),
        'depth/camera_info': CameraInfo(header=header, height=height, width=width),
        'confidence': Image(header=header, **image),
        'points': point_cloud(points, np.zeros((5, 3), np.uint8), np.ones(5, np.float32), header),
        'frame': frame_report({'stream': stream}, None, 'reconstruction', header),
    }
