# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a compressed cache costs: settings, tables, and one scene."""

from itertools import product

import numpy as np
import pytest
import torch

from benchmarks.compression import (
    compared,
    conditions,
    measure,
    Setting,
    settings,
    SHARES,
    tables,
)
from benchmarks.scenes import METRICS
from xstreamvggt_ros.cache.policies import POLICIES


@pytest.mark.parametrize('share', [25, 6])
def test_policies_are_compared_with_the_default_scene_by_scene(share):
    names = [Setting().name(), Setting(share, 4).name(), Setting(share, 4, 'random').name()]
    rows = [
        {'seed': seed, 'setting': name, **dict.fromkeys(METRICS, seed * value)}
        for seed in (1, 2, 3)
        for name, value in zip(names, (1.0, 1.1, 1.32), strict=True)
    ]
    against_unbounded, against_default = tables(rows, [50, share]).split('\n\n3 scenes')

    assert f'| {names[2]} | +32.0' in against_unbounded
    assert f'| {names[2]} | +20.0' in against_default
    assert names[0] not in against_default


@pytest.mark.parametrize('every_policy', [False, True])
def test_no_two_settings_share_a_name(every_policy):
    names = [setting.name() for setting in settings(every_policy)]
    assert len(set(names)) == len(names)


def test_policies_can_be_compared_alone_at_chosen_shares():
    chosen = list(compared(['random', 'snapkv'], [25, 6]))

    assert chosen[0] == Setting()
    assert chosen[1:] == [
        Setting(share, 4, policy) for share, policy in product((25, 6), ('random', 'snapkv'))
    ]


def test_the_default_need_not_be_among_the_compared():
    rows = [
        {'seed': 1, 'setting': setting.name(), **dict.fromkeys(METRICS, 1.0)}
        for setting in compared(['random'], [25])
    ]

    assert tables(rows, [25]).count('scenes (') == 1


def test_rows_tell_their_weights_apart(tmp_path):
    other = tmp_path / 'other.safetensors'
    other.write_bytes(b'other')

    assert conditions(6, (84, 112)) != conditions(6, (84, 112), str(other))


def test_every_policy_is_tried_at_every_share_and_width():
    tried = {(each.share, each.bits, each.policy) for each in settings(True)}
    assert tried >= set(product(SHARES, (16, 4), POLICIES))


def test_a_scene_gives_every_figure_of_every_setting():
    threads = torch.get_num_threads()
    rows = measure(5, [Setting(), Setting(50, 4)], frames=6, size=(84, 112))
    torch.set_num_threads(threads)

    assert [row['setting'] for row in rows] == [Setting().name(), Setting(50, 4).name()]
    assert all(np.isfinite([row[metric] for metric in METRICS]).all() for row in rows)
    assert 0 < rows[0]['AbsRel'] < 1
    assert 0 <= rows[0]['δ < 1.25'] <= 1
    assert rows[0] != rows[1]
