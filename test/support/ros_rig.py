# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node in a thread of its own and a peer that talks to it over DDS."""

import threading
import time

from builtin_interfaces.msg import Time
from lifecycle_msgs.srv import ChangeState, GetState
from networks import Scripted
import numpy as np
from rcl_interfaces.msg import Log
from rcl_interfaces.srv import SetParameters
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from xstreamvggt_ros.node import ReconstructionNode

DEADLINE = 60.0
# Frames reach the network at this size without being resized.
IMAGE_SIZE = 56
QUIET = {'model.image_size': IMAGE_SIZE, 'cache.budget_tokens': 2048, 'input.queue': 'every'}


class Rig:
    """
    Run a ReconstructionNode as its process would, and be its peer.

    Every wait has a deadline, after which it fails with what was waited for.
    """

    def __init__(self, parameters=None, network=None, **options):
        self.network = network or Scripted()
        options.setdefault('build_reconstructor', lambda parameters: self.network)
        self._began = time.time()
        self._context = Context()
        rclpy.init(context=self._context)
        overrides = [Parameter(k, value=v) for k, v in {**QUIET, **(parameters or {})}.items()]
        self.node = ReconstructionNode(
            context=self._context, parameter_overrides=overrides, **options
        )
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._executor.spin)
        self._thread.start()
        self.peer = rclpy.create_node('peer', context=self._context, use_global_arguments=False)
        self._peer_executor = SingleThreadedExecutor(context=self._context)
        self._peer_executor.add_node(self.peer)
        self._publishers = {}
        self.collected = []
        keep = QoSProfile(depth=1000, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
        self._log = self.collect(Log, '/rosout', keep)

    def close(self):
        """End the node, the peer and the context."""
        self._executor.shutdown()
        self._thread.join(DEADLINE)
        self.node.destroy_node()
        self._peer_executor.shutdown()
        self.peer.destroy_node()
        self._context.shutdown()

    def wait(self, condition, what='a condition', deadline=DEADLINE):
        """Spin the peer until the condition holds; its value."""
        end = time.monotonic() + deadline
        while not (value := condition()):
            assert time.monotonic() < end, f'waited {deadline} s for {what}; log: {self.log()}'
            self._peer_executor.spin_once(timeout_sec=0.02)
        return value

    def log(self, level=0):
        """Give the texts that the node has logged."""
        return [
            entry.msg
            for entry in self._log
            if entry.name.endswith('reconstruction')
            and entry.level >= level
            # Nodes of earlier tests say their lines anew to every newcomer while they live.
            and entry.stamp.sec + 1e-9 * entry.stamp.nanosec >= self._began
        ]

    def wait_for_log(self, words):
        """Wait until the node has logged a line with these words."""
        self.wait(lambda: any(words in line for line in self.log()), f'{words!r} in the log')

    def call(self, kind, name, request):
        """Call a service; its response."""
        future = self.ask(kind, name, request)
        self.wait(future.done, f'an answer of {name}')
        return future.result()

    def ask(self, kind, name, request):
        """Call a service without waiting; the future of its response."""
        client = self.peer.create_client(kind, name)
        self.wait(client.service_is_ready, f'service {name}')
        future = client.call_async(request)
        future.add_done_callback(lambda _: self.peer.destroy_client(client))
        return future

    def change(self, *transitions):
        """Go through transitions by name; whether the last one succeeded."""
        for label in transitions:
            request = ChangeState.Request()
            request.transition.label = label
            response = self.call(ChangeState, '/reconstruction/change_state', request)
        return response.success

    def state(self):
        """Give the node's state as its service does."""
        response = self.call(GetState, '/reconstruction/get_state', GetState.Request())
        return response.current_state.label

    def set(self, name, value):
        """Set a parameter over its service; the result."""
        return self.set_raw(Parameter(name, value=value).to_parameter_msg())

    def set_raw(self, message):
        """Set a parameter over its service, as a message (Parameter) has it; the result."""
        request = SetParameters.Request(parameters=[message])
        return self.call(SetParameters, '/reconstruction/set_parameters', request).results[0]

    def collect(self, kind, topic, qos=100):
        """Listen to a topic; the growing list of its messages."""
        messages = []
        self.peer.create_subscription(kind, topic, messages.append, qos)
        self.collected.append(topic)
        return messages

    def publish(self, *messages, topic='/image', qos=100):
        """Publish once the node listens, and everyone who collects is known to the node."""
        if topic not in self._publishers:
            self._publishers[topic] = self.peer.create_publisher(type(messages[0]), topic, qos)
        publisher = self._publishers[topic]
        self.wait(publisher.get_subscription_count, f'a subscription to {topic}')
        self.wait(self._outputs_matched, 'the subscriptions to the outputs')
        for message in messages:
            publisher.publish(message)

    def feed(self, messages, *outputs, topic='/image'):
        """Publish one by one, each when the one before is in every list of `outputs`."""
        # The node keeps five messages of a topic, which a burst on a busy machine would exceed.
        for message in messages:
            before = [len(output) for output in outputs]
            self.publish(message, topic=topic)
            self.wait(
                lambda before=before: all(
                    len(output) > length for output, length in zip(outputs, before, strict=True)
                ),
                'what the node makes of an image',
            )

    def received(self):
        """Count the images that the node has taken in since it was activated."""
        return self.counts().received

    def counts(self):
        """Give what has become of the images since the node was activated."""
        # No topic tells it in time for a test that must not sleep.
        return self.node._session._counters.snapshot()

    def _outputs_matched(self):
        return all(
            publisher.get_subscription_count()
            for publisher in self.node.publishers
            if publisher.topic_name in self.collected
        )


def picture(seed=0, height=42, width=IMAGE_SIZE):
    """Give noise (H, W, 3) uint8, by default of a size that reaches the network as it is."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def image_message(pixels, stamp=1.0, frame='camera'):
    """Put RGB pixels (H, W, 3) in a message, stamped in seconds."""
    height, width, _ = pixels.shape
    return Image(
        header=header(stamp, frame),
        height=height,
        width=width,
        encoding='rgb8',
        step=3 * width,
        data=pixels.tobytes(),
    )


def header(stamp=1.0, frame='camera'):
    """Stamp in seconds."""
    sec = int(stamp)
    return Header(stamp=Time(sec=sec, nanosec=round((stamp - sec) * 1e9)), frame_id=frame)
