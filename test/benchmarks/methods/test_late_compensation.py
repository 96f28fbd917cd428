# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Means of the evicted in later blocks alone."""

from arrivals import names, ROOM, streamed

from benchmarks.methods.compensation import Compensation
from benchmarks.methods.late_compensation import LateCompensation
from benchmarks.methods.shipped import Shipped


def test_early_blocks_do_as_ever_and_later_ones_leave_means():
    method = LateCompensation(ROOM, first=1)
    for layer, like in ((0, Shipped(ROOM)), (1, Compensation(ROOM, weighted=True))):
        *_, (_, held) = streamed(method, 8, layer)
        *_, (_, expected) = streamed(like, 8, layer)
        assert names(held) == names(expected)
        assert (method.extra(layer) is None) == (layer == 0)
        assert method.layer_bytes(layer, held) == like.layer_bytes(layer, expected)
