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
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product
import json
from multiprocessing import get_context
from pathlib import Path
import statistics
import sys

import numpy as np
import torch
from tqdm import tqdm

from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.cache.policies import POLICIES
from xstreamvggt_ros.evaluation.code_version import code_version
from xstreamvggt_ros.evaluation.hashing import file_sha256
from xstreamvggt_ros.geometry import invert_rigid, rigid, unproject, world_from_camera_points
from xstreamvggt_ros.model.bundled import bundled_checkpoint
from xstreamvggt_ros.scores import (
    absolute_error,
    PointProtocol,
    relative_error,
    score_depth,
    score_points,
)
from xstreamvggt_ros.stream import StreamingReconstructor
from xstreamvggt_ros.stream.loading import load_network
from xstreamvggt_ros.synthetic.held_out import held_out_config, render, Sequence
from xstreamvggt_ros.training import batches, metrics, shards
from xstreamvggt_ros.training.batches import make_batch
from xstreamvggt_ros.training.metrics import SHORTEST_PATH

# Validation looks at the seeds from 0 on; on those from 1000 on the default policy was chosen.
FIRST_SEED = 2000
SHARES = (50, 25, 12)
POINTS = PointProtocol(alignment='sim3', max_points=5_000, neighbours=12)
# Every so many pixels each way give a point.
STRIDE = 4
METRICS = ('AbsRel', 'δ < 1.25', 'ATE %', 'RPE m', 'RPE °', 'Acc m', 'Comp m')
HIGHER_IS_BETTER = ('δ < 1.25',)
# They mean nothing where the camera only turns.
OF_PATHS = ('ATE %', 'RPE m')
RESAMPLES = 2_000


@dataclass(frozen=True)
class Setting:
    """A cache: share of the unbounded one in per cent (None: all), bits, and how it is kept."""

    share: int | None = None
    bits: int = 16
    policy: str = CacheConfig.recommended().policy
    scheme: str = 'auto'
    camera_cache: str = CacheConfig.recommended().camera_cache

    def cache(self, tokens: int) -> CacheConfig:
        """Give the configuration where an unbounded cache would hold so many tokens a layer."""
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
    scene = render(held_out_config(seed, frames))
    batch = make_batch(Sequence(*(part[None] for part in scene.parts())), size)
    images, depth, poses, intrinsics = (part[0] for part in vars(batch).values())
    world = world_from_camera_points(unproject(depth, intrinsics), poses)
    tokens = frames * model.config.tokens_per_frame(*size)
    rows = []
    for setting in chosen:
        stream = StreamingReconstructor(model, setting.cache(tokens), point_head=False)
        answers = [stream.step(image) for image in images]
        figures = score(answers, depth, poses, world)
        rows.append({'seed': seed, 'setting': setting.name(), **figures})
    return rows


def conditions(frames: int, size: tuple[int, int], checkpoint: str = '') -> dict[str, object]:
    """Give what rows must share with others to be compared with them."""
    # What the code's version leaves out makes scenes and figures here.
    own = [__file__, *(module.__file__ for module in (batches, metrics, shards))]
    return {
        'weights': file_sha256(Path(checkpoint or bundled_checkpoint('tiny'))),
        'code': ' '.join([code_version('exact'), *map(file_sha256, map(Path, own))]),
        'frames': frames,
        'size': list(size),
    }


def score(answers, depth, camera_from_world, world) -> dict[str, float]:
    """
    Score a stream's frames by METRICS against depth (F, H, W), poses and points of a scene.

    OF_PATHS are NaN where the true path is shorter than 0.3 m.
    """
    truth = [np.where(each > 0, each, np.nan) for each in depth.numpy()]
    of_depth = score_depth([answer.depth.numpy() for answer in answers], truth).sequence
    estimate = _world_from_camera(torch.stack([answer.camera_from_world for answer in answers]))
    true = _world_from_camera(camera_from_world)
    absolute, relative = absolute_error(estimate, true), relative_error(estimate, true)
    seen = (depth > 0)[:, ::STRIDE, ::STRIDE]
    points = torch.stack([answer.points for answer in answers])[:, ::STRIDE, ::STRIDE][seen]
    true_points = world[:, ::STRIDE, ::STRIDE][seen]
    cloud = score_points(points.numpy(), true_points.numpy(), POINTS)
    moving = absolute.path >= SHORTEST_PATH
    values = (
        of_depth.abs_rel,
        of_depth.delta,
        100 * absolute.translation.rmse / absolute.path if moving else np.nan,
        relative.translation.rmse if moving else np.nan,
        relative.rotation.rmse,
        cloud.accuracy.mean,
        cloud.completeness.mean,
    )
    return dict(zip(METRICS, map(float, values), strict=True))


def _world_from_camera(camera_from_world: torch.Tensor) -> np.ndarray:
    poses = camera_from_world.double().numpy()
    return np.stack([invert_rigid(rigid(pose[:, :3], pose[:, 3])) for pose in poses])


def relative_changes(rows: list[dict], reference: str) -> dict[str, dict[str, np.ndarray]]:
    """
    Give, per setting and metric, how much worse (in per cent) each scene came out.

    Scenes without that metric are left out.
    """
    base = {row['seed']: row for row in rows if row['setting'] == reference}
    changes: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        for metric in METRICS:
            before = base[row['seed']][metric]
            worse = (row[metric] - before) / before * 100
            sign = -1 if metric in HIGHER_IS_BETTER else 1
            changed = changes.setdefault(row['setting'], {}).setdefault(metric, [])
            if np.isfinite(worse):
                changed.append(sign * worse)
    return {
        setting: {metric: np.array(values) for metric, values in by_metric.items()}
        for setting, by_metric in changes.items()
    }


def interval(values: np.ndarray, seed: int = 0) -> tuple[float, float, float]:
    """Return the median of values (N,) and its 95 % interval by bootstrap; NaN without values."""
    if not len(values):
        return np.nan, np.nan, np.nan
    rng = np.random.default_rng(seed)
    drawn = rng.choice(values, (RESAMPLES, len(values)))
    low, high = np.percentile(np.median(drawn, axis=1), [2.5, 97.5])
    return float(np.median(values)), float(low), float(high)


def table(rows: list[dict], reference: str) -> str:
    """Write medians of the reference, then what the others lose, as Markdown."""
    own = [row for row in rows if row['setting'] == reference]
    moving = sum(np.isfinite(row[OF_PATHS[0]]) for row in own)
    lines = [
        f'{len(own)} scenes ({moving} of them with a path), {reference}: '
        + ', '.join(f'{m} {_median(row[m] for row in own):.4g}' for m in METRICS),
        '',
        'Worse than that, in per cent of it (below 0: better):',
        '',
        '| cache | ' + ' | '.join(METRICS) + ' |',
        '|---' * (1 + len(METRICS)) + '|',
    ]
    for setting, by_metric in relative_changes(rows, reference).items():
        if setting != reference:
            cells = ['{:+.1f} [{:+.1f}, {:+.1f}]'.format(*interval(by_metric[m])) for m in METRICS]
            lines.append(f'| {setting} | ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines)


def _median(values: Iterable[float]) -> float:
    return statistics.median([value for value in values if np.isfinite(value)] or [np.nan])


def tables(rows: list[dict]) -> str:
    """Write every setting against the unbounded cache, then every policy against the default."""
    policies = [Setting(25, 4, policy).name() for policy in (Setting().policy, *POLICIES)]
    others = [row for row in rows if row['setting'] in policies]
    written = [table(rows, Setting().name())]
    if policies[0] in {row['setting'] for row in others}:
        written.append(table(others, policies[0]))
    return '\n\n'.join(written)


def kept_rows(path: Path, conditions: dict[str, object]) -> list[dict]:
    """
    Read the rows that were made under these conditions, one of a scene and setting.

    A kill may have cut one short.
    """
    rows: dict[tuple[int, str], dict] = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            row = json.loads(line)
            if conditions.items() <= row.items():
                rows[row['seed'], row['setting']] = row
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return list(rows.values())


def missing(
    rows: list[dict], seeds: Iterable[int], chosen: list[Setting]
) -> dict[int, list[Setting]]:
    """Give the settings that each scene has no row of; scenes that have all are left out."""
    done = {(row['seed'], row['setting']) for row in rows}
    left = {seed: [each for each in chosen if (seed, each.name()) not in done] for seed in seeds}
    return {seed: settings for seed, settings in left.items() if settings}


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
    shared = conditions(**of_run)
    seeds = range(options.first_seed, options.first_seed + options.scenes)
    order = [setting.name() for setting in chosen]
    kept = [
        row
        for row in kept_rows(options.runs, shared)
        if row['seed'] in seeds and row['setting'] in order
    ]
    left = missing(kept, seeds, chosen)
    options.runs.parent.mkdir(parents=True, exist_ok=True)
    work = partial(measure, **of_run)
    with (
        ProcessPoolExecutor(options.jobs, mp_context=get_context('spawn')) as pool,
        options.runs.open('a') as file,
    ):
        if file.tell() and not options.runs.read_text().endswith('\n'):
            # A row that was cut short spoils no other.
            file.write('\n')
        measured = pool.map(work, left.keys(), left.values())
        for rows in tqdm(measured, total=len(left), desc='scenes'):
            file.write(''.join(json.dumps(shared | row) + '\n' for row in rows))
            file.flush()
            kept += rows
    kept.sort(key=lambda row: order.index(row['setting']))
    sys.stdout.write(tables(kept) + '\n')


if __name__ == '__main__':
    main()
