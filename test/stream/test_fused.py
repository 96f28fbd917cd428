# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A whole frame as CUDA runs it, in Triton's interpreter where there is no GPU."""

from dataclasses import replace

from interpreted import rounded_casts  # noqa: F401
import pytest
from shapes import SMALLEST
import torch

from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.model import load_random_weights, StreamVGGT
from xstreamvggt_ros.ops.dispatch import fused_everywhere
from xstreamvggt_ros.stream import StreamingReconstructor

pytest.importorskip('triton', reason='Triton is not installed')

SHAPE = replace(SMALLEST, patch_embed='dinov2_tiny14_reg', embed_dim=128, num_heads=2)
CACHE = CacheConfig(
    budget_tokens=24,
    bits=4,
    policy='attention_value',
    camera_budget_frames=2,
    camera_cache='per_iteration',
)


def reconstructor(dtype: torch.dtype, point_head: bool) -> StreamingReconstructor:
    model = StreamVGGT(SHAPE)
    load_random_weights(model)
    return StreamingReconstructor(model.set_precision(dtype), CACHE, point_head=point_head)


def images() -> torch.Tensor:
    return torch.rand(3, 3, 28, 42, generator=torch.Generator().manual_seed(0))


def test_frames_are_those_of_torch_s_steps():
    plain, kernels = (reconstructor(torch.float32, point_head=False) for _ in range(2))
    for image, keep in zip(images(), (True, False, True), strict=True):
        expected = plain.step(image, keep)
        with fused_everywhere():
            actual = kernels.step(image, keep)
        for name, theirs in vars(expected).items():
            ours = getattr(actual, name)
            assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
            # By the largest of each array, as the golden files are compared.
            assert (ours - theirs).abs().max() < 1e-3 * theirs.abs().max(), name
    assert kernels.cache_stats() == plain.cache_stats()


def test_bf16_costs_the_kernels_no_more_than_it_costs_torch_s_steps():
    exact = reconstructor(torch.float32, point_head=True)
    plain, kernels = (reconstructor(torch.bfloat16, point_head=True) for _ in range(2))
    for image in images()[:2]:
        truth, theirs = exact.step(image), plain.step(image)
        with fused_everywhere():
            ours = kernels.step(image)
        for name, wide in vars(truth).items():
            error, usual = (
                float((getattr(frame, name) - wide).norm() / wide.norm())
                for frame in (ours, theirs)
            )
            assert error < 1.5 * usual + 3e-3, name
