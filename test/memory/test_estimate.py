# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The estimate of a stream's memory beside what a process takes."""

from dataclasses import replace
import json
import subprocess
import sys

import pytest
import torch

from xstreamvggt_ros.cache import BudgetTooSmall, CacheConfig
from xstreamvggt_ros.memory.estimate import estimate, MIB, Settings
from xstreamvggt_ros.model import load_random_weights, ModelConfig, StreamVGGT
from xstreamvggt_ros.stream import StreamingReconstructor

TINY = ModelConfig.preset('tiny')
BUDGET = CacheConfig(budget_tokens=2048, bits=4, policy='frame_diversity')
MIDDLE = {
    'image_size': 392,
    'patch_embed': 'dinov2_vits14_reg',
    'embed_dim': 384,
    'num_heads': 6,
    'depth': 8,
    'dpt_features': 128,
    'dpt_channels': (96, 192, 384, 384),
    'dpt_layers': (1, 3, 5, 7),
    'camera_depth': 2,
    'camera_heads': 6,
}
# Of what a process takes: the estimate may be that much below it, and that much above.
BELOW, ABOVE = 0.05, 0.6
# Loads a network and runs a stream; prints by how much the process grew at its most.
PROGRAM = """
import gc, json, sys
import torch
from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.model import load_random_weights, ModelConfig, StreamVGGT
from xstreamvggt_ros.stream import StreamingReconstructor
model, cache, size, frames = json.loads(sys.argv[1])
def resident(name):
    with open('/proc/self/status') as lines:
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(name))
def forget_peak():
    with open('/proc/self/clear_refs', 'w') as file:
        file.write('5')
# What torch loads at its first use is no part of a stream.
torch.nn.functional.conv2d(torch.zeros(1, 3, 8, 8), torch.zeros(3, 3, 3, 3))
gc.collect()
before = resident('VmRSS')
model = StreamVGGT(ModelConfig(**model))
load_random_weights(model)
reconstructor = StreamingReconstructor(model, CacheConfig(**cache))
gc.collect()
forget_peak()
for _ in range(frames):
    reconstructor.step(torch.rand(3, *size))
print(resident('VmHWM') - before)
"""


def settings(**changes):
    return replace(Settings(TINY, BUDGET, 224, torch.float32), **changes)


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='reads /proc')
@pytest.mark.parametrize(
    ('model', 'size', 'frames', 'cache'),
    [
        (vars(TINY), 224, 14, {'budget_tokens': 2048, 'bits': 4, 'policy': 'frame_diversity'}),
        (vars(TINY), 504, 4, {'budget_tokens': 2048, 'bits': 8, 'policy': 'snapkv'}),
        (MIDDLE, 308, 3, {'budget_tokens': 1024, 'bits': 16, 'policy': 'query_key'}),
    ],
)
def test_a_process_takes_what_is_estimated(model, size, frames, cache):
    asked = Settings(
        ModelConfig(**model), CacheConfig(**cache), size, torch.float32, True, on_cpu=True
    )
    expected = estimate(asked)
    given = json.dumps([model, cache, expected.size, frames])
    command = [sys.executable, '-c', PROGRAM, given]
    measured = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    assert (1 - BELOW) * measured <= expected.total <= (1 + ABOVE) * measured, (
        measured / MIB,
        expected,
    )


@pytest.mark.parametrize(
    'cache',
    [
        BUDGET,
        CacheConfig(budget_mib=3, bits=2, scheme='kcvt'),
        CacheConfig(budget_frames=4, bits=8, value_bits=2, camera_cache='per_iteration'),
    ],
)
@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_weights_cache_and_scratch_are_exact(cache, dtype):
    model = StreamVGGT(TINY)
    load_random_weights(model)
    reconstructor = StreamingReconstructor(model.set_precision(dtype), cache)
    expected = estimate(settings(cache=cache, image_size=112, dtype=dtype))
    for _ in range(2):
        reconstructor.step(torch.rand(3, *expected.size))
    stats = reconstructor.cache_stats()

    assert expected.weights == sum(each.numel() * each.itemsize for each in model.parameters())
    assert expected.scratch == stats.scratch_bytes
    assert expected.cache == stats.bytes
    assert expected.growth == 0


def test_without_a_budget_one_frame_is_estimated_and_growth_said():
    expected = estimate(settings(cache=CacheConfig(bits=16), image_size=56))
    model = StreamVGGT(TINY)
    load_random_weights(model)
    reconstructor = StreamingReconstructor(model, CacheConfig(bits=16))
    taken = []
    for _ in range(5):
        reconstructor.step(torch.rand(3, *expected.size))
        taken.append(reconstructor.cache_stats())

    assert expected.cache == taken[0].bytes
    # Room for four frames is made at once, and for two more with the fifth.
    grown = [sum(layer.bytes for layer in stats.layers) for stats in taken]
    assert grown[4] - grown[3] == 2 * expected.growth
    assert 'more with every image, since the cache has no budget' in str(expected)


def test_weights_that_are_made_in_memory_are_fp32_first():
    asked = settings(dtype=torch.bfloat16, image_size=56, in_memory=True)

    assert estimate(asked).loading > estimate(settings(image_size=56)).weights
    assert estimate(replace(asked, in_memory=False)).loading == 0


def test_a_cpu_that_attends_in_products_holds_the_scores_of_a_head():
    large = settings(
        cache=CacheConfig(budget_tokens=65536, bits=4), image_size=112, dtype=torch.bfloat16
    )
    on_cpu = estimate(replace(large, on_cpu=True))

    tokens = TINY.tokens_per_frame(*on_cpu.size)
    assert on_cpu.activations >= 2 * 2 * tokens * 65536
    assert on_cpu.activations >= estimate(large).activations
    fp32 = replace(large, dtype=torch.float32)
    assert estimate(replace(fp32, on_cpu=True)) == estimate(fp32)


def test_a_budget_that_is_too_small_is_refused_as_the_cache_does():
    with pytest.raises(BudgetTooSmall, match='budget_tokens 10 is too small'):
        estimate(settings(cache=CacheConfig(budget_tokens=10)))
