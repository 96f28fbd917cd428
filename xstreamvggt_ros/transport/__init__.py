# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How messages of images get from one process to another."""

from xstreamvggt_ros.transport.environment import (
    environment,
)
from xstreamvggt_ros.transport.shared_memory import (
    PROFILE,
    roomy_shared_memory,
)

__all__ = [
    'environment',
    'PROFILE',
    'roomy_shared_memory',
]
