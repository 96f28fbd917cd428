# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What evaluation reads and how it scores knows no ROS."""

import subprocess
import sys

LOAD = """
import importlib, pkgutil, sys
for name in ('rclpy', 'sensor_msgs', 'geometry_msgs', 'nav_msgs', 'std_msgs', 'tf2_msgs'):
    sys.modules[name] = None
from xstreamvggt_ros import inputs, scores
for package in (inputs, scores):
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + '.'):
        importlib.import_module(module.name)
"""


def test_loaders_and_figures_come_without_ros():
    result = subprocess.run(
        [sys.executable, '-c', LOAD], capture_output=True, text=True, check=False, timeout=120
    )
    assert result.returncode == 0, result.stderr
