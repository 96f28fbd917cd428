# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Shares of the bytes by layer, beside a plain account of it."""

from dataclasses import replace
import math

from arrivals import arrival, empty, FRAME, ROOM
import pytest

from benchmarks.methods.layer_shares import diversity, LayerShares

TWO = replace(ROOM, shape=replace(ROOM.shape, blocks=2))


def run(method, frames):
    held = [empty(), empty()]
    for index in range(frames):
        for layer in range(2):
            told = arrival(held[layer], index, layer)
            held[layer] = method.admit(told)
    return held


def cosine(left, right):
    return float(left @ right / (left.norm() * right.norm()))


def test_diversity_is_how_far_keys_point_from_their_mean():
    keys = arrival(empty(), 3).keys
    likeness = [
        cosine(key, keys[:, head].mean(dim=0)) for head in range(2) for key in keys[:, head]
    ]

    assert float(diversity(keys)) == pytest.approx(1 - sum(likeness) / len(likeness), abs=1e-5)


@pytest.mark.parametrize('temperature', [0.5, -0.5])
def test_layers_share_by_the_softmax_of_their_diversity(temperature):
    method = LayerShares(TWO, temperature=temperature)
    run(method, 4)
    least, total = 2 * FRAME.tokens, 2 * ROOM.slots
    weights = [math.exp(float(each) / temperature) for each in method.diversity]
    over = [weight / sum(weights) * total - least for weight in weights]
    expected = [least + int(each / sum(over) * (total - 2 * least)) for each in over]

    assert min(over) > 0
    assert [method.slots(0), method.slots(1)] == expected
    assert expected[0] != expected[1]
    assert sum(expected) <= total


def test_shares_stay_and_layers_keep_to_them():
    method = LayerShares(TWO, temperature=0.1)
    run(method, 4)
    shares = method.slots(0), method.slots(1)
    held = run(method, 12)

    assert (method.slots(0), method.slots(1)) == shares
    assert [len(each) for each in held] == list(shares)


def test_given_shares_hold_from_the_first_frame_on():
    method = LayerShares(TWO, shares=(3, 1))
    held = run(method, 10)

    assert [len(each) for each in held] == [42, 14]
