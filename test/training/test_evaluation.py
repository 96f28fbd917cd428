# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scenes that are kept from one validation to the next."""

from pathlib import Path

import torch

from xstreamvggt_ros.files.code_digest import PACKAGE, sources
from xstreamvggt_ros.synthetic.held_out import Sequence
from xstreamvggt_ros.training import evaluation
from xstreamvggt_ros.training.evaluation import held_out, SCENES
from xstreamvggt_ros.training.shards import ShardFolder


def test_kept_scenes_are_used_again_unless_other_code_rendered_them(tmp_path, monkeypatch):
    rendered = []

    def render(config):
        rendered.append(config.seed)
        images = torch.full((1, 2, 3, 3), len(rendered), dtype=torch.uint8)
        return Sequence(images, torch.ones(1, 2, 3), torch.zeros(1, 3, 4), torch.zeros(1, 3, 3))

    def first_pixels(code):
        monkeypatch.setattr(evaluation, 'code_digest', lambda starts: code)
        scenes = held_out(ShardFolder(tmp_path), 2, 1, (8, 8))
        return [int(scene.images[0, 0, 0, 0]) for scene in scenes]

    monkeypatch.setattr(evaluation, 'render', render)
    assert first_pixels('before') == first_pixels('before') == [1, 2]
    assert first_pixels('after') == [9, 10]
    assert first_pixels('before') == [1, 2]


def test_all_that_renders_them_tells_whether_it_is_other_code():
    known = set(sources((SCENES,)))
    assert set(Path(PACKAGE, 'synthetic').rglob('*.py')) <= known
    assert PACKAGE / 'training' / 'losses.py' not in known
