# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Print how memory behaves over a long stream: python -m benchmarks.flatness.

With --node it is that of the node's process over DDS, for as long as is asked for.
The tiny network runs on a rendered room, played to and fro. Allocation of the cache and resident
memory are read as it goes; in the end one step is traced for its largest allocation, and early
and late frames are compared.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
import os
from pathlib import Path

import numpy as np
import torch

from benchmarks.node_flatness import main as watch_node
from benchmarks.processes import memory
from benchmarks.speed.peaks import clock_name, now
from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.cache.policies import POLICIES
from xstreamvggt_ros.model import load_random_weights, ModelConfig, StreamVGGT
from xstreamvggt_ros.stream import StreamingReconstructor
from xstreamvggt_ros.synthetic import render_sequence, SequenceConfig

CHECKPOINTS = (20, 50, 100, 200, 500, 1000, 2000)
EARLY, LATE, SETTLED = slice(100, 300), slice(800, 1000), 500
RESAMPLES = 2000


def largest_allocation(reconstructor: StreamingReconstructor, image: torch.Tensor) -> int:
    """Return the most bytes that a single operation of one step allocates."""
    with torch.profiler.profile(profile_memory=True) as profile:
        reconstructor.step(image)
    return max(event.self_cpu_memory_usage for event in profile.events())


def late_by_early(milliseconds: list[float]) -> tuple[float, float, float]:
    """Return late frames' median by that of early ones, between the ends of its 95 % interval."""
    draw = np.random.default_rng(0)
    medians = [
        np.median(draw.choice(milliseconds[part], (RESAMPLES, len(milliseconds[part]))), axis=1)
        for part in (EARLY, LATE)
    ]
    low, high = np.percentile(medians[1] / medians[0], (2.5, 97.5))
    middle = np.median(milliseconds[LATE]) / np.median(milliseconds[EARLY])
    return float(low), float(middle), float(high)


def growth(resident: list[int]) -> float:
    """Return the slope in bytes a frame of resident memory over the settled frames."""
    settled = resident[SETTLED:]
    return float(np.polyfit(np.arange(len(settled)), settled, 1)[0])


def add_node_options(parser: argparse.ArgumentParser) -> None:
    """Add what belongs to --node."""
    add = parser.add_argument_group('with --node').add_argument
    add('--node', action='store_true', help='the node over DDS, in a process of its own')
    add('--minutes', type=float, default=10.0, help='how long to go on (%(default)g)')
    add('--rate', type=float, default=10.0, help='images a second at most (%(default)g)')
    add('--map', action=argparse.BooleanOptionalAction, default=True, help='keep the map')
    add('--subscribers', type=int, default=2, help='to cloud and map (%(default)s)')
    add('--image', type=int, nargs=2, default=(480, 640), metavar=('HEIGHT', 'WIDTH'))
    add('-p', '--param', action='append', default=[], metavar='NAME:=VALUE')
    add('--settle', type=int, default=1000, help='frames left out of the slope (%(default)s)')
    add(
        '--output',
        type=Path,
        default=Path('flatness'),
        help='folder of samples, figures and plot; where it has samples, these are added to',
    )
    add('--heap', action='store_true', help='note too what mallinfo2 says of the heap')
    add('--view', action='store_true', help='with xstreamvggt_view, its page open and closed')
    add('--stretch', type=float, default=5.0, help='minutes it is open at a time (%(default)g)')
    add('--closed', type=float, help='minutes it is closed (as long)')
    add('--client', action='store_true', help='look at it without Chromium, if there is one')
    add('--bound', type=float, help='bytes a frame that the slope must stay below, or exit 1')


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--frames', type=int, default=1000)
    parser.add_argument('--budget-tokens', type=int, default=1024)
    shipped = CacheConfig.recommended()
    parser.add_argument('--bits', type=int, default=shipped.bits)
    parser.add_argument('--scheme', default=shipped.scheme)
    parser.add_argument('--policy', default=shipped.policy, choices=sorted(POLICIES))
    add_node_options(parser)
    arguments = parser.parse_args()
    if arguments.node:
        raise SystemExit(watch_node(arguments))
    model = StreamVGGT(ModelConfig.preset('tiny'))
    load_random_weights(model)
    config = replace(
        shipped.with_budget(budget_tokens=arguments.budget_tokens),
        bits=arguments.bits,
        scheme=arguments.scheme,
        policy=arguments.policy,
    )
    reconstructor = StreamingReconstructor(model, config, point_head=False)
    sequence = render_sequence(SequenceConfig(seed=2**30, frames=32, height=84, width=112))
    images = torch.as_tensor(sequence.images).permute(0, 3, 1, 2).float() / 255
    images = torch.cat([images, images.flip(0)])
    print('| frame | tokens a layer | cache, bytes | scratch, bytes | resident, MiB | ms |')
    print('|---|---|---|---|---|---|')
    durations: list[float] = []
    resident: list[int] = []
    sizes: set[int] = set()
    device = torch.device('cpu')
    for index in range(1, arguments.frames + 1):
        began = now(device)
        reconstructor.step(images[index % len(images)])
        durations.append(1e3 * (now(device) - began))
        resident.append(sum(memory(os.getpid()).values()))
        sizes.add(reconstructor.cache_stats().bytes)
        if index in CHECKPOINTS or index == arguments.frames:
            stats = reconstructor.cache_stats()
            print(
                f'| {index} | {stats.layers[0].tokens} | {stats.bytes} | {stats.scratch_bytes} | '
                f'{resident[-1] / 2**20:.1f} | {np.median(durations[-100:]):.1f} |'
            )
    config = model.config
    copy = 2 * arguments.budget_tokens * config.embed_dim * config.depth * 4
    largest = largest_allocation(reconstructor, images[0])
    print(f'largest allocation of a step: {largest} bytes; the cache in fp32: {copy} bytes')
    print(f'sizes of the cache over all frames, bytes: {sorted(sizes)}; {clock_name(device)}')
    if arguments.frames >= LATE.stop:
        low, middle, high = late_by_early(durations)
        print(
            f'median of frames 800 to 1,000 by that of 100 to 300: {middle:.3f} '
            f'(95 % interval {low:.3f} to {high:.3f})'
        )
    if arguments.frames > SETTLED + 1:
        print(f'resident memory from frame {SETTLED} on: {growth(resident):.0f} bytes a frame')


if __name__ == '__main__':
    main()
