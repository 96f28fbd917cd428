# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Print what a compressed cache costs in accuracy: python -m benchmarks.compression.

The bundled network reconstructs held-out scenes once with a cache without bound and once with each
setting. The figures of a setting are compared with those of the unbounded cache on the same scene,
and those of the other policies with the default's; shown are medians over scenes and, in brackets,
95 % intervals by bootstrap. Runs are kept in a file, so that a killed command goes on where it
stopped; those of other weights or code are left alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
import sys

import torch
from torch import Tensor

from benchmarks.kept_runs import complete
from benchmarks.paired import table
from benchmarks.scenes import Scene, SOURCES
from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.cache.policies import POLICIES
from xstreamvggt_ros.evaluation.code_version import code_version
from xstreamvggt_ros.files.hashing import file_sha256
from xstreamvggt_ros.model import StreamVGGT
from xstreamvggt_ros.model.bundled import bundled_checkpoint
from xstreamvggt_ros.stream import Frame, StreamingReconstructor
from xstreamvggt_ros.stream.loading import load_network

# Validation looks at the seeds from 0 on; policies were chosen on those from 1000 and 8000 on.
FIRST_SEED = 2000
SHARES = (50, 25, 12)


@dataclass(frozen=True)
class Setting:
    """A cache: share of the unbounded one in per cent (None: all), bits, and how it is kept."""

    share: int | None = None
    bits: int = 16
    policy: str = CacheConfig.recommended().policy
    scheme: str = 'auto'
    camera_cache: str = CacheConfig.recommended().camera_cache

    def cache(self, model: StreamVGGT, images: Tensor) -> CacheConfig:
        """Give the configuration at that share of the tokens that images (F, 3, H, W) make."""
        tokens = len(images) * model.config.tokens_per_frame(*images.shape[-2:])
        budget = None if self.share is None else round(self.share / 100 * tokens)
        return CacheConfig(
            budget_tokens=budget,
            bits=self.bits,
            policy=self.policy,
            scheme=self.scheme,
            camera_cache=self.camera_cache,
        )

    def name(self) -> str:
        """Name it in a row of the table."""
        share = 'unbounded' if self.share is None else f'{self.share} %'
        parts = [share, f'{self.bits} bits']
        parts += [] if self.share is None else [self.policy]
        parts += [] if self.scheme == 'auto' else [self.scheme]
        parts += ['one camera list'] if self.camera_cache == 'shared' else []
        return ', '.join(parts)


def settings(every_policy: bool) -> Iterator[Setting]:
    """
    Yield the settings of the table, the unbounded cache first.

    Policies are compared at a quarter and 4 bits, or with every_policy at every share and width.
    """
    yield Setting()
    yield Setting(camera_cache='shared')
    yield Setting(bits=4)
    for share, bits in product(SHARES, (16, 4)):
        yield Setting(share, bits)
    yield Setting(25, 4, scheme='kcvt')
    yield Setting(25, 4, camera_cache='shared')
    others = [policy for policy in POLICIES if policy != Setting().policy]
    for share, bits in product(SHARES, (16, 4)) if every_policy else [(25, 4)]:
        for policy in others:
            yield Setting(share, bits, policy)


def compared(policies: Iterable[str], shares: Iterable[int]) -> Iterator[Setting]:
    """Yield the settings that compare policies at those shares and 4 bits."""
    yield Setting()
    for share, policy in product(shares, policies):
        yield Setting(share, 4, policy)


def measure(
    seed: int, chosen: list[Setting], frames: int, size: tuple[int, int], checkpoint: str = ''
) -> list[dict]:
    """Run the settings over one scene; a row each. An empty checkpoint is the bundled one."""
    torch.set_num_threads(1)
    model = load_network('tiny', checkpoint, '', 'cpu', 'float32')
    scene = Scene.held_out(seed, frames, size)
    rows = []
    for setting in chosen:
        answers, _ = run_setting(model, scene.images, setting)
        rows.append({'seed': seed, 'setting': setting.name(), **scene.score(answers)})
    return rows


def run_setting(model: StreamVGGT, images: Tensor, setting: Setting) -> tuple[list[Frame], int]:
    """Stream images (F, 3, H, W) through a cache; give answers, and its global blocks' bytes."""
    stream = StreamingReconstructor(model, setting.cache(model, images), point_head=False)
    answers = [stream.step(image) for image in images]
    return answers, sum(layer.bytes for layer in stream.cache_stats().layers)


def conditions(frames: int, size: tuple[int, int], checkpoint: str = '') -> dict[str, object]:
    """Give what rows must share with others to be compared with them."""
    return {
        'weights': file_sha256(Path(checkpoint or bundled_checkpoint('tiny'))),
        'code': ' '.join([code_version('exact'), *map(file_sha256, [Path(__file__), *SOURCES])]),
        'frames': frames,
        'size': list(size),
    }


def tables(rows: list[dict], shares: Iterable[int]) -> str:
    """Write every setting against the unbounded cache, then at each share against the default."""
    written = [table(rows, Setting().name())]
    for share in shares:
        policies = [Setting(share, 4, policy).name() for policy in POLICIES]
        at_share = [row for row in rows if row['setting'] in policies]
        default, measured = Setting(share, 4).name(), {row['setting'] for row in at_share}
        if default in measured and len(measured) > 1:
            written.append(table(at_share, default))
    return '\n\n'.join(written)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.compression', description=__doc__.strip().splitlines()[0]
    )
    parser.add_argument('--scenes', type=int, default=64)
    parser.add_argument('--frames', type=int, default=48)
    parser.add_argument('--size', type=int, nargs=2, default=(126, 168))
    parser.add_argument('--jobs', type=int, default=2, help='processes')
    parser.add_argument(
        '--every-policy', action='store_true', help='each at every share and width'
    )
    parser.add_argument(
        '--policies', nargs='*', choices=sorted(POLICIES), metavar='NAME', help='these alone'
    )
    parser.add_argument('--shares', type=int, nargs='+', default=[25], help='of --policies')
    parser.add_argument('--first-seed', type=int, default=FIRST_SEED, help='of the scenes')
    parser.add_argument('--checkpoint', default='', help='file of weights; the bundled one')
    parser.add_argument('--runs', type=Path, default=Path('out/compression.jsonl'))
    options = parser.parse_args()
    if options.policies is None:
        chosen = list(settings(options.every_policy))
    else:
        chosen = list(compared(options.policies, options.shares))
    of_run = {
        'frames': options.frames,
        'size': tuple(options.size),
        'checkpoint': options.checkpoint,
    }
    seeds = range(options.first_seed, options.first_seed + options.scenes)
    by_name = {setting.name(): setting for setting in chosen}
    work = partial(measure, **of_run)
    rows = complete(options.runs, conditions(**of_run), seeds, by_name, work, options.jobs)
    shares = dict.fromkeys(each.share for each in chosen if each.share is not None)
    sys.stdout.write(tables(rows, shares) + '\n')


if __name__ == '__main__':
    main()
