# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A short run of what `make fuzz` does for minutes."""

import random

import fuzz
import pytest


def test_damaged_checkpoints_and_snapshots_are_refused_or_go_on():
    for figures in (
        fuzz.fuzz_checkpoints(random.Random(1), 25),
        fuzz.fuzz_snapshots(random.Random(2), 25),
    ):
        assert figures.wrong == []
        assert figures.tried == sum(figures.became.values()) == 25


@pytest.mark.ros
@pytest.mark.parametrize('transport', ['raw', 'compressed'])
def test_every_valid_image_among_hostile_messages_is_answered(active, transport):
    rig = active({'input.image_transport': transport})
    figures = fuzz.fuzz_messages(rig, random.Random(3), 15, transport == 'compressed')
    assert figures.wrong == []
    assert figures.became['answered'] >= 15


@pytest.mark.ros
def test_whatever_a_parameter_is_set_to_is_answered(active):
    rig = active()
    figures = fuzz.fuzz_parameters(rig, random.Random(4), 60)
    assert figures.wrong == []
    assert figures.became['refused'] > 0 and figures.became['set'] > 0
