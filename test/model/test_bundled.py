# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The weights that ship with the package."""

import json

import pytest
from safetensors import safe_open
import torch

from xstreamvggt_ros.model import (
    bundled_checkpoint,
    bundled_presets,
    load_checkpoint,
    ModelConfig,
    StreamVGGT,
)


@pytest.mark.parametrize('preset', bundled_presets())
def test_bundled_weights_fit_their_preset_and_say_how_they_came_about(preset):
    path = bundled_checkpoint(preset)
    model = StreamVGGT(ModelConfig.preset(preset))
    load_checkpoint(model, path)

    assert all(torch.isfinite(tensor).all() for tensor in model.state_dict().values())
    assert path.stat().st_size <= 16 * 2**20
    with safe_open(path, 'pt') as file:
        notes = file.metadata()
    assert ModelConfig(**json.loads(notes['model'])) == ModelConfig.preset(preset)
    assert {'step', 'seed', 'figures', 'training', 'commit'} <= notes.keys()


def test_the_network_for_which_nothing_has_to_be_downloaded_is_bundled():
    assert 'tiny' in bundled_presets()


def test_a_preset_without_bundled_weights_is_refused_with_what_to_do():
    with pytest.raises(ValueError, match='streamvggt.*file or a Hugging Face'):
        bundled_checkpoint('streamvggt')
