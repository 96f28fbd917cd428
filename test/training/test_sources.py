# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sequences from a folder that changes, and from the renderer."""

import numpy as np
import pytest
import torch

from xstreamvggt_ros.synthetic import NoFreePlace
from xstreamvggt_ros.training.shards import FIRST_TRAINING_SEED, Sequence, ShardFolder
from xstreamvggt_ros.training.sources import RenderedPool, ShardSource


def write(folder, name, value):
    images = torch.full((1, 2, 2, 3), value, dtype=torch.uint8)
    depth = torch.ones(1, 2, 2, dtype=torch.float16)
    folder.write(name, [Sequence(images, depth, torch.zeros(1, 3, 4), torch.zeros(1, 3, 3))])


def test_a_shard_that_was_removed_meanwhile_is_replaced_by_one_that_is_there(tmp_path):
    folder = ShardFolder(tmp_path)
    write(folder, '000000', 1)
    source = ShardSource(folder)
    write(folder, '000001', 2)
    folder.remove(folder.shards()[0])
    assert (source.pick(np.random.default_rng(0)).images == 2).all()


def test_a_folder_that_was_emptied_is_refused(tmp_path):
    folder = ShardFolder(tmp_path)
    write(folder, '000000', 1)
    source = ShardSource(folder)
    folder.remove(folder.shards()[0])
    with pytest.raises(FileNotFoundError, match=f'{tmp_path} holds no shard; run .*prerender'):
        source.pick(np.random.default_rng(0))
    with pytest.raises(FileNotFoundError, match='holds no shard'):
        source.advance(0)


def test_a_shard_without_its_images_is_named(tmp_path):
    folder = ShardFolder(tmp_path)
    write(folder, '000000', 1)
    (tmp_path / 'shard-000000.images.npy').unlink()
    with pytest.raises(FileNotFoundError, match='shard-000000.images.npy'):
        ShardSource(folder).pick(np.random.default_rng(0))


def test_a_pool_replaces_scenes_without_a_free_place_and_nothing_else(monkeypatch):
    errors, tried = [NoFreePlace('no way'), RuntimeError('no kernel image')], []

    def failing(config, device):
        tried.append(config.seed - FIRST_TRAINING_SEED)
        raise errors[len(tried) - 1]

    monkeypatch.setattr('xstreamvggt_ros.training.sources.render', failing)
    with pytest.raises(RuntimeError, match='no kernel image'):
        RenderedPool(torch.device('cpu'), count=1, every=1).advance(0)
    assert tried == [0, 1]
    errors[:] = [NoFreePlace('no way')] * 10
    with pytest.raises(NoFreePlace, match='no scene for sequence 0: eight'):
        RenderedPool(torch.device('cpu'), count=1, every=1).advance(0)
    assert tried[2:] == list(range(8))
