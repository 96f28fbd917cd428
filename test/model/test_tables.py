# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tables that are kept from frame to frame never outlive what they were made of."""

import pytest
import torch

from xstreamvggt_ros.model import load_random_weights, ModelConfig, StreamVGGT
from xstreamvggt_ros.model.dense_head import DenseHead
from xstreamvggt_ros.model.model_config import DINOV2_ENCODERS
from xstreamvggt_ros.model.patch_encoder import DinoEncoder
from xstreamvggt_ros.model.tables import KeptTables, MOST_KEPT


@pytest.fixture(scope='module')
def encoder():
    encoder = DinoEncoder(DINOV2_ENCODERS['dinov2_tiny14_reg'], 224).eval()
    load_random_weights(encoder)
    return encoder


def test_weights_changed_in_place_are_seen_at_once(encoder):
    image = torch.rand(1, 3, 42, 56)
    with torch.inference_mode():
        before = encoder(image)
    with torch.no_grad():
        encoder.pos_embed.add_(torch.randn(encoder.pos_embed.shape))
    with torch.inference_mode():
        after = encoder(image)
    # With gradients nothing is kept.
    expected = encoder(image).detach()

    torch.testing.assert_close(after, expected, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(before, expected, atol=1e-2)


def test_another_image_size_gets_positions_of_its_own(encoder):
    sizes = (42, 56), (28, 70), (42, 56)
    with torch.inference_mode():
        found = [encoder(torch.full((1, 3, *size), 0.5)) for size in sizes]

    assert [each.shape[1] for each in found] == [12, 10, 12]
    assert torch.equal(found[0], found[2])


def test_tables_of_the_last_sizes_are_kept_and_no_more():
    tables, made = KeptTables(), []
    for key in (*range(MOST_KEPT), 0, MOST_KEPT, 0, 1):
        assert tables.get(key, lambda key=key: made.append(key) or str(key)) == str(key)
    # 0 was asked for again before there was one too many, 1 was not.
    assert made == [*range(MOST_KEPT + 1), 1]
    assert len(tables.kept()) == MOST_KEPT


def test_weights_made_in_an_inference_are_fine_too():
    with torch.inference_mode():
        encoder = DinoEncoder(DINOV2_ENCODERS['dinov2_tiny14_reg'], 224)
        assert encoder(torch.rand(1, 3, 28, 28)).shape == (1, 4, 128)


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_a_dense_head_gives_the_same_with_and_without_gradients(dtype):
    head = DenseHead(ModelConfig.preset('tiny'), 2).eval()
    load_random_weights(head)
    if dtype == torch.bfloat16:
        head.set_precision(dtype)
    features = {pair: torch.randn(1, 17, 256) for pair in range(4)}
    expected = head(features, 42, 56).detach()

    for _ in range(2):
        with torch.inference_mode():
            actual = head(features, 42, 56)
        torch.testing.assert_close(actual, expected, rtol=1e-2, atol=1e-2)


def test_bf16_and_int8_models_step_at_several_sizes():
    for dtype in (torch.bfloat16, torch.int8):
        model = StreamVGGT(ModelConfig.preset('tiny')).eval()
        load_random_weights(model)
        model.set_precision(dtype)
        for size in ((42, 56), (28, 28)):
            with torch.inference_mode():
                depth = model(torch.rand(1, 2, 3, *size)).depth
            assert depth.shape == (1, 2, *size)
            assert depth.isfinite().all()
