# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How long the device takes, part by part and through the pipeline, and what memory it takes."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch

from benchmarks.gpu_check.setting import random_network, Setting, TOKENS
from benchmarks.speed.contenders import Contender, Memory
from benchmarks.speed.parts import StopWatch, weight_bytes
from benchmarks.speed.peaks import measure
from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.pipeline import CloudChoice, PipelineConfig, ReconstructionPipeline

MIB, GIGA = 2**20, 1e9
FRAMES = (1, 50, 200, 400)
# What the node ships with.
CLOUD = CloudChoice(20.0, 1)


def peaks(setting: Setting) -> dict[str, Any]:
    """Measure what the device can do at most."""
    found = measure(setting.device, *((256, 0.01) if setting.quick else (8192, 0.5)))
    rates = {name: rate / GIGA for name, rate in found.operations.items()}
    return {'giga_operations': rates, 'gigabytes': found.bandwidth / GIGA}


def step(setting: Setting) -> dict[str, Any]:
    """Time a steady frame, launch by launch and captured, at 2,048 tokens and as it ships."""
    found: dict[str, Any] = {}
    image = setting.image()
    for label, tokens in (('2048', TOKENS), ('recommended', None)):
        for way, captured in (('eager', False), ('captured', True)):
            if captured and not setting.on_cuda:
                continue
            stream = setting.stream(setting.config(tokens), captured)
            for _ in range(_until_steady(setting, tokens)):
                stream.step(image)
            found[f'{way}_{label}'] = setting.milliseconds(
                lambda stream=stream: stream.step(image)
            )
            found[f'{way}_{label}_not_kept'] = setting.milliseconds(
                lambda stream=stream: stream.step(image, keep=False)
            )
            del stream
    return found


def parts(setting: Setting) -> dict[str, Any]:
    """Time the parts of a frame, each waited for, launch by launch."""
    model = random_network(setting.preset, setting.device).set_precision(torch.bfloat16).eval()
    watch = StopWatch(setting.device)
    watch.watch(model)
    contender = Contender('ours', model, 'bfloat16', setting.config())
    memory = Memory(contender, 20, setting.size, watch.timed)
    image, sums = setting.image(), {}
    with torch.inference_mode():
        memory.advance(model, image, False)
        for _ in range(setting.rounds):
            watch.take()
            memory.advance(model, image, False)
            for name, seconds in watch.take().items():
                sums[name] = sums.get(name, 0.0) + 1e3 * seconds / setting.rounds
    return sums


def race(setting: Setting) -> dict[str, Any]:
    """Time ours beside an unbounded cache and the paper's method done the plain way."""
    contenders = {
        'unbounded': Contender('unbounded', setting.model, 'bfloat16', CacheConfig()),
        'naive': Contender('naive', setting.model, 'bfloat16', None),
        'ours, eager': Contender('ours', setting.model, 'bfloat16', setting.config()),
    }
    found: dict[str, Any] = {}
    rounds = 2 if setting.quick else 4
    for frame in (1, 4) if setting.quick else FRAMES:
        for name, contender in contenders.items():
            found[f'{name}, frame {frame}'] = _advance(setting, contender, frame, False, rounds)
    naive = [value for name, value in found.items() if name.startswith('naive')]
    ours = setting.results.get('step', {}).get('captured_2048')
    found['than_naive'] = None if ours is None else sorted(naive)[len(naive) // 2] / ours
    return found


def fp32(setting: Setting) -> dict[str, Any]:
    """Time what the published code does: fp32, both heads, an unbounded cache."""
    model = random_network(setting.preset, setting.device).eval()
    contender = Contender('unbounded', model, 'float32', CacheConfig())
    frame = 3 if setting.quick else 200
    took = _advance(setting, contender, frame, True, 2)
    ours = setting.results.get('step', {}).get('captured_2048')
    return {'ms': took, 'frame': frame, 'than_unbounded': None if ours is None else took / ours}


def memory(setting: Setting) -> dict[str, Any]:
    """Measure the most that a stream takes beside the weights."""
    if not setting.on_cuda:
        return {}
    weights = sum(each.nbytes for each in setting.model.parameters())
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    stream, image = setting.stream(setting.config(), captured=True), setting.image()
    for _ in range(_until_steady(setting, TOKENS) + 3):
        stream.step(image)
    torch.cuda.synchronize()
    most = torch.cuda.max_memory_allocated() - before
    return {
        'beyond_weights': most / MIB,
        'weights': weights / MIB,
        'read_a_frame': weight_bytes(setting.model, False) / MIB,
        'cache': stream.cache_stats().bytes / MIB,
        'reserved': torch.cuda.max_memory_reserved() / MIB,
    }


def pipeline(setting: Setting) -> dict[str, Any]:
    """Time the pipeline from an array of 640x480 to arrays, cloud packed, one after the other."""
    config = PipelineConfig(max(setting.size), cloud=CLOUD)
    network = setting.stream(setting.config(), captured=True)
    device = setting.device if setting.on_cuda else None
    whole = ReconstructionPipeline(network, config, device=device)
    whole.warm_up()
    image = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    filling = [_seconds(lambda: whole.process(image)) for _ in range(4 if setting.quick else 80)]
    steady = sorted(filling[len(filling) // 2 :])
    frames = 4 if setting.quick else 100
    began = time.perf_counter()
    _overlapped(whole, image, frames)
    rate = frames / (time.perf_counter() - began)
    return {
        'first': 1e3 * filling[0],
        'slowest_filling': 1e3 * max(filling[1:]),
        'one_by_one': 1 / steady[len(steady) // 2],
        'rate': rate,
    }


def _overlapped(whole: ReconstructionPipeline, image: np.ndarray, frames: int) -> None:
    """Run frames as the node's worker does: the next begins before the last is fetched."""
    begun = pending = None
    for _ in range(frames):
        prepared = whole.prepare(image)
        if begun is not None:
            pending = whole.finish(begun)
        begun = whole.begin(prepared)
        if pending is not None:
            pending.result()
    whole.finish(begun).result()


def node(setting: Setting) -> dict[str, Any]:
    """Run the same images through the node, over DDS."""
    from benchmarks.speed.end_to_end import node_rate

    frames = 10 if setting.quick else 120
    rate = node_rate(setting.preset, 'bfloat16', setting.size, frames, str(setting.device))
    alone = setting.results.get('pipeline', {}).get('rate')
    return {'rate': rate, 'node_by_pipeline': None if not alone else rate / alone}


def _until_steady(setting: Setting, tokens: int | None) -> int:
    """Give the frames after which slots and lists are full, whatever fills last."""
    if setting.quick:
        return 3
    return 6 if tokens else 16


@torch.inference_mode()
def _advance(
    setting: Setting, contender: Contender, frame: int, point_head: bool, rounds: int
) -> float:
    state = Memory(contender, frame, setting.size, lambda name, function: function)
    image = setting.image()
    state.advance(contender.model, image, point_head)
    return setting.milliseconds(lambda: state.advance(contender.model, image, point_head), rounds)


def _seconds(function) -> float:
    began = time.perf_counter()
    function()
    return time.perf_counter() - began
