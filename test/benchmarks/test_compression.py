# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a compressed cache costs: pairing, intervals, and one scene."""

from itertools import product
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from benchmarks.compression import (
    compared,
    conditions,
    interval,
    kept_rows,
    measure,
    METRICS,
    missing,
    OF_PATHS,
    relative_changes,
    score,
    Setting,
    settings,
    SHARES,
    table,
    tables,
)
from xstreamvggt_ros.cache.policies import POLICIES


def test_changes_are_of_the_same_scene_and_positive_where_worse():
    def row(seed, setting, value):
        return {'seed': seed, 'setting': setting, **dict.fromkeys(METRICS, value)}

    rows = [row(1, 'all', 0.5), row(2, 'all', 0.8), row(2, 'half', 0.6), row(1, 'half', 0.6)]
    changes = relative_changes(rows, 'all')

    assert changes['all']['AbsRel'].tolist() == [0, 0]
    assert changes['half']['AbsRel'] == pytest.approx([-25, 20])
    # More pixels within a factor of 1.25 are better.
    assert changes['half']['δ < 1.25'] == pytest.approx([25, -20])


def test_paths_are_left_out_where_the_camera_only_turns():
    def row(seed, setting, value, path):
        figures = {**dict.fromkeys(METRICS, value), **dict.fromkeys(OF_PATHS, path)}
        return {'seed': seed, 'setting': setting, **figures}

    rows = [row(1, 'all', 0.5, math.nan), row(2, 'all', 0.5, 0.5)]
    rows += [row(1, 'half', 0.6, math.nan), row(2, 'half', 0.6, 0.7)]
    changes = relative_changes(rows, 'all')['half']

    assert changes['AbsRel'] == pytest.approx([20, 20])
    assert changes['RPE m'] == pytest.approx([40])
    assert '2 scenes (1 of them with a path)' in table(rows, 'all')
    assert '+nan [+nan, +nan]' in table([each for each in rows if each['seed'] == 1], 'all')


def test_a_camera_that_only_turns_has_no_path():
    depth = torch.full((3, 8, 8), 2.0)
    poses = torch.eye(3, 4).repeat(3, 1, 1)
    points = torch.rand(3, 8, 8, 3)
    answers = [SimpleNamespace(depth=depth[0], camera_from_world=poses[0], points=points[0])] * 3

    still = score(answers, depth, poses, points)
    poses[:, 0, 3] = torch.tensor([0.0, 0.2, 0.4])
    moving = score(answers, depth, poses, points)

    assert [math.isnan(still[metric]) for metric in ('AbsRel', *OF_PATHS)] == [False, True, True]
    assert all(math.isfinite(moving[metric]) for metric in OF_PATHS)


def test_policies_are_compared_with_the_default_scene_by_scene():
    names = [Setting().name(), Setting(25, 4).name(), Setting(25, 4, 'random').name()]
    rows = [
        {'seed': seed, 'setting': name, **dict.fromkeys(METRICS, seed * value)}
        for seed in (1, 2, 3)
        for name, value in zip(names, (1.0, 1.1, 1.32), strict=True)
    ]
    against_unbounded, against_default = tables(rows).split('\n\n3 scenes')

    assert f'| {names[2]} | +32.0' in against_unbounded
    assert f'| {names[2]} | +20.0' in against_default
    assert names[0] not in against_default


def test_the_interval_holds_the_median_and_narrows_with_more_scenes():
    values = np.random.default_rng(0).normal(3.0, 1.0, 400)
    (few, few_low, few_high), (many, many_low, many_high) = interval(values[:20]), interval(values)

    assert few_low < few < few_high
    assert many_low < many < many_high
    assert many_high - many_low < 0.5 * (few_high - few_low)
    assert many == pytest.approx(3.0, abs=0.2)


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

    assert tables(rows).count('scenes (') == 1


def test_rows_tell_their_weights_apart(tmp_path):
    other = tmp_path / 'other.safetensors'
    other.write_bytes(b'other')

    assert conditions(6, (84, 112)) != conditions(6, (84, 112), str(other))


def test_every_policy_is_tried_at_every_share_and_width():
    tried = {(each.share, each.bits, each.policy) for each in settings(True)}
    assert tried >= set(product(SHARES, (16, 4), POLICIES))


def test_what_a_kill_cut_short_is_measured_again_and_nothing_else(tmp_path):
    file = tmp_path / 'runs.jsonl'
    here = {'weights': 'these', 'frames': 6}
    chosen = [Setting(), Setting(50, 4)]
    rows = [
        {**here, 'seed': seed, 'setting': setting.name()}
        for seed in (1, 2, 3)
        for setting in chosen
    ]
    lines = [json.dumps(row) for row in rows]

    assert kept_rows(file, here) == []
    file.write_text('\n'.join([*lines[:3], lines[3][:9], *lines[4:], '{}', '5']))
    kept = kept_rows(file, here)

    assert kept == rows[:3] + rows[4:]
    assert missing(kept, (1, 2, 3, 4), chosen) == {2: [chosen[1]], 4: chosen}


def test_rows_of_other_weights_are_not_taken(tmp_path):
    file = tmp_path / 'runs.jsonl'
    file.write_text(json.dumps({'weights': 'those', 'seed': 1, 'setting': 'all'}))

    assert kept_rows(file, {'weights': 'these'}) == []
    assert len(kept_rows(file, {'weights': 'those'})) == 1


def test_a_scene_gives_every_figure_of_every_setting():
    threads = torch.get_num_threads()
    rows = measure(5, [Setting(), Setting(50, 4)], frames=6, size=(84, 112))
    torch.set_num_threads(threads)

    assert [row['setting'] for row in rows] == [Setting().name(), Setting(50, 4).name()]
    assert all(np.isfinite([row[metric] for metric in METRICS]).all() for row in rows)
    assert 0 < rows[0]['AbsRel'] < 1
    assert 0 <= rows[0]['δ < 1.25'] <= 1
    assert rows[0] != rows[1]
