# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Shared memory that images fit in, for a process that talks over Fast DDS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import tempfile
from unittest import mock

# Fast DDS's shared memory is half a megabyte by default, less than one image: what does not fit
# is lost and sent again seconds later. Other DDS implementations do not read this.
FAST_DDS_PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<dds xmlns="http://www.eprosima.com"><profiles>
  <transport_descriptors>
    <transport_descriptor>
      <transport_id>shared_memory</transport_id>
      <type>SHM</type>
      <segment_size>67108864</segment_size>
    </transport_descriptor>
    <transport_descriptor>
      <transport_id>udp</transport_id>
      <type>UDPv4</type>
    </transport_descriptor>
  </transport_descriptors>
  <participant profile_name="roomy" is_default_profile="true"><rtps>
    <userTransports>
      <transport_id>shared_memory</transport_id>
      <transport_id>udp</transport_id>
    </userTransports>
    <useBuiltinTransports>false</useBuiltinTransports>
  </rtps></participant>
</profiles></dds>
"""


# With any of these the user has chosen Fast DDS's transports.
CHOSEN_TRANSPORTS = (
    'FASTDDS_DEFAULT_PROFILES_FILE',
    'FASTRTPS_DEFAULT_PROFILES_FILE',
    'FASTDDS_BUILTIN_TRANSPORTS',
)


@contextmanager
def roomy_shared_memory() -> Iterator[None]:
    """Let images fit into the memory that this process and its children share; restores all."""
    if any(os.environ.get(name) for name in CHOSEN_TRANSPORTS):
        yield
        return
    with tempfile.TemporaryDirectory(prefix='xstreamvggt_dds_') as folder:
        profile = Path(folder) / 'fastdds.xml'
        profile.write_text(FAST_DDS_PROFILE)
        with mock.patch.dict(os.environ, {'FASTDDS_DEFAULT_PROFILES_FILE': str(profile)}):
            yield
