# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Another rule in one block and in no other."""

from arrivals import names, ROOM, streamed
import pytest

from benchmarks.methods.catalogue import rules
from benchmarks.methods.coverage import MixedEverywhere
from benchmarks.methods.shipped import Shipped
from xstreamvggt_ros.cache.policies import POLICIES


@pytest.mark.parametrize('name', ['attention_value', 'frame_diversity'])
@pytest.mark.parametrize('layer', range(4))
def test_one_block_keeps_by_its_own_rule_and_the_others_mix(name, layer):
    *_, (_, held) = streamed(rules(4)[f'2 of 4 by {name}'](ROOM), 9, layer)
    own = POLICIES[name] if layer == 1 else MixedEverywhere
    *_, (_, expected) = streamed(Shipped(ROOM, own), 9, layer)
    assert names(held) == names(expected)


def test_there_is_a_row_for_each_block_and_policy_beside_the_mix():
    assert len(rules(4)) == 9
