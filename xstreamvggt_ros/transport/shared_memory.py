# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Shared memory that images fit in, for a process that talks over Fast DDS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path

from xstreamvggt_ros.transport.environment import environment

# Fast DDS's shared memory is half a megabyte by default, less than one image: what does not fit
# is lost and sent again seconds later. Other DDS implementations do not read this.
PROFILE = Path(__file__).with_name('fastdds.xml')
VARIABLE = 'FASTDDS_DEFAULT_PROFILES_FILE'
# With any of these the user has chosen Fast DDS's transports.
CHOSEN_TRANSPORTS = (
    VARIABLE,
    'FASTRTPS_DEFAULT_PROFILES_FILE',
    'FASTDDS_BUILTIN_TRANSPORTS',
)


def roomy_environment() -> dict[str, str]:
    """Give what a process needs in its environment so that images fit, nothing if that is set."""
    if any(os.environ.get(name) for name in CHOSEN_TRANSPORTS):
        return {}
    return {VARIABLE: str(PROFILE)}


@contextmanager
def roomy_shared_memory() -> Iterator[None]:
    """Let images fit into the memory that this process and its children share; restores all."""
    with environment(roomy_environment()):
        yield
