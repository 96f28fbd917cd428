# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the tests of launch files share: a tree to launch from and a peer of what was launched."""

from pathlib import Path
import sys
import time

from lifecycle_msgs.srv import GetState
import pytest
from rcl_interfaces.srv import GetParameters
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import parameter_value_to_python

ROOT = Path(__file__).parents[2]
DEADLINE = 60.0
OWN = 'xstreamvggt_ros'


def main_of(module):
    """Write a program that runs `main` of a module of this tree."""
    return f"""
sys.path.insert(0, {str(ROOT)!r})
from {OWN}.{module} import main
sys.exit(main())
"""


def install(prefix, programs):
    """Lay this tree out as a workspace installs it, with programs' text by package and name."""
    share = prefix / 'share'
    index = share / 'ament_index' / 'resource_index' / 'packages'
    for folder in (index, share / OWN):
        folder.mkdir(parents=True)
    (share / OWN / 'config').symlink_to(ROOT / 'config')
    for (package, name), text in programs.items():
        (index / package).touch()
        program = prefix / 'lib' / package / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f'#!{sys.executable}\nimport sys\n{text}')
        program.chmod(0o755)


class Peer:
    """A node with a deadline on every wait."""

    def __init__(self):
        self._context = Context()
        rclpy.init(context=self._context)
        self.node = rclpy.create_node('peer', context=self._context, use_global_arguments=False)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)

    def close(self):
        self._executor.shutdown()
        self.node.destroy_node()
        self._context.shutdown()

    def wait(self, condition):
        end = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < end, f'waited {DEADLINE} s'
            self._executor.spin_once(timeout_sec=0.05)

    def ask(self, kind, service, request):
        """Call until there is an answer: the first may find nobody who listens yet."""
        client = self.node.create_client(kind, service)
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            if not client.wait_for_service(1.0):
                continue
            future = client.call_async(request)
            self._executor.spin_until_future_complete(future, 2.0)
            if future.done():
                return future.result()
        pytest.fail(f'no answer of {service} after {DEADLINE} s')

    def state(self, node):
        return self.ask(GetState, f'{node}/get_state', GetState.Request()).current_state.label

    def parameters(self, node, *names):
        request = GetParameters.Request(names=names)
        values = self.ask(GetParameters, f'{node}/get_parameters', request).values
        return [parameter_value_to_python(value) for value in values]
