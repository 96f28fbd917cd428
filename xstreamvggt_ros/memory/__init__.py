# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How much memory a stream will take, and whether the device has it."""

from xstreamvggt_ros.memory.device import (
    free_bytes,
)
from xstreamvggt_ros.memory.estimate import (
    MemoryEstimate,
    named,
    Settings,
)
from xstreamvggt_ros.memory.preflight import (
    and_map,
    Change,
    check_fit,
    check_map,
    NotEnoughMemory,
)
from xstreamvggt_ros.memory.trace import (
    FrameTrace,
)

__all__ = [
    'and_map',
    'Change',
    'check_fit',
    'check_map',
    'FrameTrace',
    'free_bytes',
    'MemoryEstimate',
    'named',
    'NotEnoughMemory',
    'Settings',
]
