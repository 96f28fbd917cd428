# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node over DDS for the tests of this folder."""

import gc

import pytest
from ros_rig import Rig


@pytest.fixture
def rig_of():
    """Make rigs that are taken down at the test's end."""
    rigs = []

    def make(parameters=None, network=None, **options):
        rigs.append(Rig(parameters, network, **options))
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.network.released.set()
        rig.close()
    # A lifecycle node is in a reference cycle, and would go on answering to its name.
    rigs.clear()
    del rig
    gc.collect()


@pytest.fixture
def active(rig_of):
    """Make a rig whose node is active."""

    def make(parameters=None, network=None, **options):
        rig = rig_of(parameters, network, **options)
        assert rig.change('configure', 'activate'), rig.log()
        return rig

    return make
