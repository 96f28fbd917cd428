# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Print how far a compressed cache moves the outputs: python -m benchmarks.fidelity.

Two questions. What does rounding alone change, against the published code's simulated 4 bits? And
what do scheme, bits, policy and budget together change, against a cache without bound? Errors are
relative: the L2 norm of the difference over frames after the first, by that of the reference.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
import json
from pathlib import Path
import sys
import time
from unittest import mock

import numpy as np
import torch
from tqdm import tqdm

from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.cache.cache_config import SCHEMES
from xstreamvggt_ros.cache.codecs.token import TokenCodec
from xstreamvggt_ros.cache.policies import POLICIES
from xstreamvggt_ros.model import load_checkpoint, load_random_weights, ModelConfig, StreamVGGT
from xstreamvggt_ros.stream import Frame, StreamingReconstructor
from xstreamvggt_ros.synthetic import render_sequence, SequenceConfig

GOLDEN = Path(__file__).parents[1] / 'test' / 'data' / 'golden'
NETWORKS = ('conv4', 'vits4')
# Name in a golden file, field of Frame.
ARRAYS = {
    'depth': 'depth',
    'depth_conf': 'depth_confidence',
    'points': 'points',
    'points_conf': 'points_confidence',
    'pose_enc': 'pose_encoding',
}
SHOWN = ('depth', 'points', 'pose_enc')
FRACTIONS = (0.5, 0.25, 0.125)
STORAGE = [('', 16)] + [(s, b) for s in SCHEMES if s != 'auto' for b in (8, 4, 2)]


@dataclass(frozen=True)
class Row:
    """One setting on one network: relative errors, MiB of the cache, ms a frame."""

    model: str
    policy: str
    scheme: str
    bits: int
    fraction: float
    errors: dict[str, float]
    mebibytes: float
    milliseconds: float


@dataclass(frozen=True)
class Subject:
    """A network and the images (F, 3, H, W) it is tried on."""

    name: str
    model: StreamVGGT
    images: torch.Tensor


def replay(subject: Subject, config: CacheConfig) -> tuple[dict[str, np.ndarray], float, float]:
    """Run the images through; returns arrays by name, MiB of the cache and median ms a frame."""
    reconstructor = StreamingReconstructor(subject.model, config)
    frames: list[Frame] = []
    durations = []
    for image in subject.images:
        began = time.perf_counter()
        frames.append(reconstructor.step(image))
        durations.append(time.perf_counter() - began)
    arrays = {
        name: torch.stack([getattr(frame, field) for frame in frames]).numpy()
        for name, field in ARRAYS.items()
    }
    return arrays, reconstructor.cache_stats().bytes / 2**20, 1e3 * float(np.median(durations))


def errors(actual: dict[str, np.ndarray], reference: dict[str, np.ndarray]) -> dict[str, float]:
    """Return the relative error of each array over frames after the first."""
    return {
        name: float(
            np.linalg.norm(actual[name][1:] - reference[name][1:])
            / np.linalg.norm(reference[name][1:])
        )
        for name in ARRAYS
    }


def golden_network(name: str) -> tuple[StreamVGGT, dict[str, np.ndarray], dict]:
    """Return the network, the arrays and the cache settings of a golden file."""
    with np.load(GOLDEN / f'{name}.npz') as file:
        arrays = {key: file[key] for key in file.files if key != 'config'}
        config = json.loads(str(file['config']))
    model = StreamVGGT(ModelConfig(**config['model']))
    load_random_weights(model)
    return model, arrays, config['cache']


def rounding_alone() -> Iterator[tuple[str, str, dict[str, float]]]:
    """Yield (network, storage, errors against the pruned cache without rounding)."""
    for name in NETWORKS:
        model, pruned, cache = golden_network(f'pruned_{name}')
        subject = Subject(name, model, torch.from_numpy(pruned['images']))
        _, simulated, _ = golden_network(f'simulated_int4_{name}')
        yield name, 'published simulation', errors(simulated, pruned)
        paper = {
            'budget_tokens': cache['budget'],
            'pool_size': cache['pool_size'],
            'policy': 'query_key',
            'strict_budget': False,
        }
        for scheme in ('kcvt', 'channel_static'):
            arrays, _, _ = replay(subject, CacheConfig(**paper, bits=4, scheme=scheme))
            yield name, scheme, errors(arrays, pruned)
            with quantised_camera_lists():
                arrays, _, _ = replay(subject, CacheConfig(**paper, bits=4, scheme=scheme))
            yield name, f'{scheme}, camera lists too', errors(arrays, pruned)


def quantised_camera_lists() -> mock._patch:
    """Round the camera head's lists as well, which the package never does."""

    def codec(heads: int, head_dim: int, dtype: torch.dtype) -> TokenCodec:
        return TokenCodec(heads, head_dim, 4)

    return mock.patch('xstreamvggt_ros.cache.camera_cache.PlainCodec', codec)


def subjects(checkpoint: Path | None, image_size: int, frames: int) -> Iterator[Subject]:
    """Yield the networks of the table on rendered rooms, seed held out from training."""
    for name in NETWORKS:
        model, arrays, _ = golden_network(f'full_{name}')
        yield Subject(name, model, rendered(frames, *arrays['images'].shape[-2:]))
    if checkpoint is not None:
        model = StreamVGGT(ModelConfig.preset('tiny'))
        load_checkpoint(model, checkpoint)
        size = image_size or model.config.image_size
        yield Subject(checkpoint.stem, model, rendered(frames, size * 3 // 4 // 14 * 14, size))


def rendered(frames: int, height: int, width: int) -> torch.Tensor:
    """Return images (F, 3, H, W) of a room."""
    sequence = render_sequence(
        SequenceConfig(seed=2**30, frames=frames, height=height, width=width, scene='room')
    )
    return torch.as_tensor(sequence.images).permute(0, 3, 1, 2).float() / 255


def table(subject: Subject, policies: Iterable[str], fractions: Iterable[float]) -> Iterator[Row]:
    """Yield a row per policy, scheme, bits and budget, a fraction of what all frames take."""
    height, width = subject.images.shape[-2:]
    tokens = len(subject.images) * subject.model.config.tokens_per_frame(height, width)
    reference, mebibytes, milliseconds = replay(subject, CacheConfig())
    yield Row(
        subject.name, 'unbounded', '', 16, 1.0, errors(reference, reference), mebibytes,
        milliseconds)  # fmt: skip
    settings = [
        (policy, scheme, bits, fraction)
        for fraction in fractions
        for policy in policies
        for scheme, bits in STORAGE
    ]
    for policy, scheme, bits, fraction in tqdm(settings, desc=subject.name, file=sys.stderr):
        config = CacheConfig(
            budget_tokens=round(fraction * tokens),
            policy=policy,
            scheme=scheme or 'auto',
            bits=bits,
        )
        arrays, mebibytes, milliseconds = replay(subject, config)
        yield Row(
            subject.name, policy, scheme, bits, fraction, errors(arrays, reference), mebibytes,
            milliseconds)  # fmt: skip


def markdown(rows: list[Row]) -> str:
    """Set rows of one network as a table, best first within a budget."""
    lines = [
        '| budget | policy | scheme | bits | depth | points | pose | MiB | ms a frame |',
        '|---|---|---|---|---|---|---|---|---|',
    ]
    for row in sorted(rows, key=lambda row: (-row.fraction, row.bits < 16, _score(row))):
        figures = ' | '.join(f'{row.errors[name]:.4f}' for name in SHOWN)
        lines.append(
            f'| {row.fraction:.1%} | {row.policy} | {row.scheme or "none"} | {row.bits} | '
            f'{figures} | {row.mebibytes:.3f} | {row.milliseconds:.1f} |'
        )
    return '\n'.join(lines)


def summary(rows: list[Row]) -> str:
    """Average over networks, budgets and arrays what each policy and each storage costs."""
    lines = ['| setting | mean error of depth, points and pose |', '|---|---|']
    for bits, scheme in ((16, ''), (4, 'channel_static'), (4, 'kcvt')):
        for policy in POLICIES:
            chosen = [
                _score(row)
                for row in rows
                if (row.policy, row.bits, row.scheme) == (policy, bits, scheme)
            ]
            if chosen:
                label = f'{policy}, {scheme or "not quantised"}, {bits} bits'
                lines.append(f'| {label} | {np.mean(chosen):.4f} |')
    return '\n'.join(lines)


def _score(row: Row) -> float:
    return float(np.mean([row.errors[name] for name in SHOWN]))


def _rounding_markdown() -> str:
    lines = [f'| network | storage | {" | ".join(ARRAYS)} |', '|---' * (2 + len(ARRAYS)) + '|']
    for network, storage, values in rounding_alone():
        figures = ' | '.join(f'{values[name]:.5f}' for name in ARRAYS)
        lines.append(f'| {network} | {storage} | {figures} |')
    return '\n'.join(lines)


def options(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits where it names a network that there is not."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.fidelity', description=__doc__.splitlines()[1]
    )
    parser.add_argument('--checkpoint', type=Path, help='a tiny checkpoint to try as well')
    parser.add_argument('--image-size', type=int, default=0, help="its long side; 0: the preset's")
    parser.add_argument('--only', help='name of the one network to try')
    parser.add_argument('--frames', type=int, default=24, help='length of the sequence')
    parser.add_argument('--policies', nargs='+', default=sorted(POLICIES), choices=POLICIES)
    parser.add_argument('--fractions', nargs='+', type=float, default=FRACTIONS)
    parser.add_argument('--json', type=Path, help='also write every row here')
    chosen = parser.parse_args(argv)
    names = [*NETWORKS, *([chosen.checkpoint.stem] if chosen.checkpoint else [])]
    if chosen.only not in (None, *names):
        parser.error(f'--only {chosen.only}: choose one of {", ".join(names)}')
    return chosen


def main() -> None:
    """Print what rounding alone changes, a table per network, and the summary."""
    chosen = options()
    sys.stdout.write(f'## Rounding alone\n\n{_rounding_markdown()}\n\n')
    rows: list[Row] = []
    for subject in subjects(chosen.checkpoint, chosen.image_size, chosen.frames):
        if chosen.only not in (None, subject.name):
            continue
        new = list(table(subject, chosen.policies, chosen.fractions))
        sys.stdout.write(f'## {subject.name}\n\n{markdown(new)}\n\n')
        rows += new
    sys.stdout.write(f'## Summary\n\n{summary(rows)}\n')
    if chosen.json:
        chosen.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + '\n')


if __name__ == '__main__':
    main()
