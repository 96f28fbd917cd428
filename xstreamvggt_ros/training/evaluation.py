# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Figures of a network on held-out sequences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
import statistics

import torch
from torch import Tensor

from xstreamvggt_ros.files.code_digest import code_digest
from xstreamvggt_ros.geometry import decode_pose_encoding
from xstreamvggt_ros.model import StreamVGGT
from xstreamvggt_ros.synthetic.held_out import held_out_config, render, Sequence, SIZE
from xstreamvggt_ros.training import metrics
from xstreamvggt_ros.training.batches import make_batch
from xstreamvggt_ros.training.shards import ShardFolder
from xstreamvggt_ros.training.truth import Batch, ground_truth

PER_SHARD = 8
# What renders them.
SCENES = 'synthetic.held_out'


@dataclass(frozen=True)
class Answer:
    """What the network said of one sequence and the truth; see Predictions and Truth."""

    batch: Batch
    depth: Tensor
    confidence: Tensor
    pose_encoding: Tensor


def held_out(
    folder: ShardFolder, count: int, frames: int, size: tuple[int, int] = SIZE
) -> list[Sequence]:
    """
    Return the first `count` held-out sequences, rendered into the folder where missing.

    Those that other code rendered are left where they are and not used.
    """
    sequences = []
    code = code_digest((SCENES,))
    for first in range(0, count, PER_SHARD):
        name = f'{size[0]}x{size[1]}x{frames}-{code}-{first:06d}'
        shard = folder.folder / f'shard-{name}.npz'
        if not shard.exists():
            indices = range(first, first + PER_SHARD)
            folder.write(name, [render(held_out_config(index, frames, size)) for index in indices])
        sequences += folder.read(shard)
    return sequences[:count]


@torch.inference_mode()
def answer(model: StreamVGGT, sequence: Sequence, size: tuple[int, int]) -> Answer:
    """Run model, in its own precision, over a whole sequence at `size`, pixels (height, width)."""
    device = model.aggregator.camera_token.device
    batch = make_batch(Sequence(*(part[None].to(device) for part in sequence.parts())), size)
    predictions = model(batch.images, point_head=False)
    return Answer(
        batch,
        predictions.depth[0].float(),
        predictions.depth_confidence[0].float(),
        predictions.pose_encodings[-1][0].float(),
    )


def figures(answers: Iterable[Answer]) -> dict[str, float]:
    """
    Average the figures of merit over sequences.

    abs_rel, delta: depth at one scale per sequence. ate: per cent of the path, mean over the
    sequences that have one, and ate_median. rotation, fov: degrees.
    """
    rows: dict[str, list[float]] = {}
    for item in answers:
        for name, value in _figures_of(item).items():
            if value is not None:
                rows.setdefault(name, []).append(value)
    result = {name: statistics.fmean(values) for name, values in rows.items()}
    if 'ate' in rows:
        result['ate_median'] = statistics.median(rows['ate'])
    return result


def _figures_of(item: Answer) -> dict[str, float | None]:
    truth = item.batch
    poses, _ = decode_pose_encoding(item.pose_encoding, *truth.depth.shape[-2:])
    abs_rel, delta = metrics.depth_errors(item.depth, truth.depth[0])
    ate = metrics.trajectory_error(poses, truth.camera_from_world[0])
    fov = ground_truth(truth).pose_encoding[0, :, 7:]
    return {
        'abs_rel': abs_rel,
        'delta': delta,
        'ate': None if ate is None else 100 * ate,
        'rotation': metrics.rotation_error(poses, truth.camera_from_world[0]),
        'fov': metrics.field_of_view_error(item.pose_encoding[:, 7:], fov),
    }


def shown(found: dict[str, float]) -> str:
    """Write figures on one line."""
    return '  '.join(f'{name} {value:.4f}' for name, value in found.items())


def save_pictures(answers: Iterable[Answer], path: Path, frames: int = 6) -> None:
    """Write a sheet: for each sequence a row of images, of true and of predicted inverse depth."""
    import numpy as np
    from PIL import Image

    rows = []
    for item in answers:
        true = item.batch.depth[0]
        index = torch.linspace(0, len(true) - 1, min(frames, len(true))).round().long()
        valid = true > 0
        scale = true[valid].median() / item.depth[valid].median()
        nearest = true[valid].quantile(0.02) if valid.sum() < 1e6 else true[valid].min()
        images = (item.batch.images[0, index] * 255).byte().permute(0, 2, 3, 1)
        rows.append(torch.cat(list(images), dim=1))
        for depth in (true, item.depth * scale):
            near = torch.where(depth > 0, nearest / depth, 0).clamp(0, 1)[index]
            rows.append((torch.cat(list(near), dim=1) * 255).byte()[..., None].expand(-1, -1, 3))
    Image.fromarray(np.ascontiguousarray(torch.cat(rows).cpu().numpy())).save(path)
