# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which shards are rendered, and scenes that cannot be filmed."""

import pytest
import torch

from xstreamvggt_ros.synthetic import NoFreePlace
from xstreamvggt_ros.synthetic.held_out import FIRST_TRAINING_SEED, Sequence
from xstreamvggt_ros.training.prerender import prerender
from xstreamvggt_ros.training.shards import ShardFolder

SIZE = {'size': (14, 28), 'frames': 1}
RENDER = 'xstreamvggt_ros.training.prerender.render'


@pytest.fixture
def rendered(monkeypatch):
    """Give the indices of the scenes that are rendered, each as the same empty frame."""
    indices = []
    frame = Sequence(
        torch.zeros(1, 14, 28, 3, dtype=torch.uint8),
        torch.zeros(1, 14, 28, dtype=torch.float16),
        torch.zeros(1, 3, 4),
        torch.zeros(1, 3, 3),
    )

    def render(config):
        indices.append(config.seed - FIRST_TRAINING_SEED)
        return frame

    monkeypatch.setattr(RENDER, render)
    return indices


def fail_with(monkeypatch, error, tried):
    def failing(config):
        tried.append(config.seed - FIRST_TRAINING_SEED)
        raise error

    monkeypatch.setattr(RENDER, failing)


def test_a_full_folder_goes_on_behind_its_newest_shard(tmp_path, rendered):
    folder = ShardFolder(tmp_path)
    prerender(folder, 2, 4, most=2, **SIZE)
    prerender(folder, 0, 5, most=2, **SIZE)
    assert [shard.name for shard in folder.shards()] == ['shard-000003.npz', 'shard-000004.npz']
    assert rendered == [16 * shard + scene for shard in (2, 3, 4) for scene in range(8)]


def test_gaps_of_a_folder_with_room_are_filled(tmp_path, rendered):
    folder = ShardFolder(tmp_path)
    prerender(folder, 1, 2, most=2, **SIZE)
    prerender(folder, 0, 2, most=2, **SIZE)
    assert [shard.name for shard in folder.shards()] == ['shard-000000.npz', 'shard-000001.npz']


def test_scenes_without_a_free_place_end_it_before_the_seeds_of_the_next_shard(
    tmp_path, monkeypatch
):
    tried = []
    fail_with(monkeypatch, NoFreePlace('no way'), tried)
    with pytest.raises(NoFreePlace, match=r'shard 3: 0 of 16 scenes.*--first 4'):
        prerender(ShardFolder(tmp_path), 3, 4, most=2, **SIZE)
    assert tried == list(range(48, 64))


def test_other_errors_are_not_taken_for_a_scene_without_a_free_place(tmp_path, monkeypatch):
    tried = []
    fail_with(monkeypatch, RuntimeError('no kernel image is available'), tried)
    with pytest.raises(RuntimeError, match='no kernel image'):
        prerender(ShardFolder(tmp_path), 0, 1, most=2, **SIZE)
    assert tried == [0]
