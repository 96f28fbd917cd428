# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sequences from a folder that changes."""

import numpy as np
import pytest
import torch

from xstreamvggt_ros.synthetic.held_out import Sequence
from xstreamvggt_ros.training.draws import draw
from xstreamvggt_ros.training.shards import ShardFolder
from xstreamvggt_ros.training.sources import ShardSource


def write(folder, name, value):
    images = torch.full((1, 2, 2, 3), value, dtype=torch.uint8)
    depth = torch.ones(1, 2, 2, dtype=torch.float16)
    folder.write(name, [Sequence(images, depth, torch.zeros(1, 3, 4), torch.zeros(1, 3, 3))])


def images_of(source):
    rng = np.random.default_rng(0)
    drawn = draw(source.choose(2, rng), source.frames, 1, (1, 1), rng)
    return source.gather(drawn).images


def test_a_shard_that_was_removed_meanwhile_is_replaced_by_one_that_is_there(tmp_path):
    folder = ShardFolder(tmp_path)
    write(folder, '000000', 1)
    source = ShardSource(folder)
    write(folder, '000001', 2)
    folder.remove(folder.shards()[0])
    assert (images_of(source) == 2).all()


def test_a_folder_that_was_emptied_is_refused(tmp_path):
    folder = ShardFolder(tmp_path)
    write(folder, '000000', 1)
    source = ShardSource(folder)
    folder.remove(folder.shards()[0])
    with pytest.raises(FileNotFoundError, match=f'{tmp_path} holds no shard; run .*prerender'):
        images_of(source)
    with pytest.raises(FileNotFoundError, match='holds no shard'):
        source.advance(0)


def test_a_shard_without_its_images_is_named(tmp_path):
    folder = ShardFolder(tmp_path)
    write(folder, '000000', 1)
    (tmp_path / 'shard-000000.images.npy').unlink()
    with pytest.raises(FileNotFoundError, match='shard-000000.images.npy'):
        images_of(ShardSource(folder))
