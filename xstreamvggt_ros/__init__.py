# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Streaming 3-D reconstruction from camera images, as a ROS 2 lifecycle node."""

import os
import sys

# Threads that spin while they wait for each other take the processor from everybody else. OpenMP
# asks once, when torch is imported; what the user has set stays.
SPINS = 'torch' in sys.modules and 'OMP_WAIT_POLICY' not in os.environ
os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
