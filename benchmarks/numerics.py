# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Print what weights in fewer bits change against fp32: python -m benchmarks.numerics.

The networks of the golden vectors and `tiny` run with an unbounded cache, so that nothing but the
precision differs. Depth is compared pixel by pixel, the mean of |d / d_fp32 - 1|; the camera's
position by the root mean square of its distance to where fp32 has it, over the length of the path.
float8 is emulated: its rounded numbers are multiplied in fp32, as `model.float8` does on a CPU.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.fidelity import golden_network, rendered
from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.model import load_checkpoint, load_random_weights, ModelConfig, StreamVGGT
from xstreamvggt_ros.stream import StreamingReconstructor
from xstreamvggt_ros.stream.loading import DTYPES

COMPARED = ('bfloat16', 'int8', 'float8')
FRAMES = 32
NETWORKS = ('conv4', 'vits4', 'tiny')


@dataclass(frozen=True)
class Deviation:
    """Mean relative error of depth, and of positions by the length of the path."""

    depth: float
    pose: float


def deviations(
    make: Callable[[], StreamVGGT], images: Tensor, names: tuple[str, ...] = COMPARED
) -> dict[str, Deviation]:
    """Run the images (F, 3, H, W) in fp32 and in other precisions; `make` gives the network."""
    depth, positions = _outputs(make(), images)
    path = positions.diff(dim=0).norm(dim=1).sum()
    found = {}
    for name in names:
        narrow = make().set_precision(DTYPES[name]).pack()
        other_depth, other_positions = _outputs(narrow, images)
        distance = (other_positions - positions).norm(dim=1)
        found[name] = Deviation(
            float((other_depth / depth - 1).abs().mean()),
            float(distance.square().mean().sqrt() / path),
        )
    return found


def _outputs(model: StreamVGGT, images: Tensor) -> tuple[Tensor, Tensor]:
    reconstructor = StreamingReconstructor(model, CacheConfig(), point_head=False)
    frames = [reconstructor.step(image) for image in images]
    return torch.stack([frame.depth for frame in frames]), torch.stack(
        [frame.camera_centre for frame in frames]
    )


def network(name: str, checkpoint: Path | None) -> tuple[Callable[[], StreamVGGT], Tensor | None]:
    """Return what makes a network, and the images of its golden file where it has one."""
    if name != 'tiny':
        _, arrays, _ = golden_network(f'full_{name}')
        return lambda: golden_network(f'full_{name}')[0], torch.from_numpy(arrays['images'])

    def tiny() -> StreamVGGT:
        model = StreamVGGT(ModelConfig.preset('tiny'))
        if checkpoint is None:
            load_random_weights(model)
        else:
            load_checkpoint(model, checkpoint)
        return model

    return tiny, None


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--frames', type=int, default=FRAMES, help='of the rendered room')
    parser.add_argument('--checkpoint', type=Path, help='of tiny; random weights without')
    arguments = parser.parse_args()
    print('| network | images | weights | depth, mean relative | position, RMS by path |')
    print('|---|---|---|---|---|')
    for name in NETWORKS:
        make, golden = network(name, arguments.checkpoint)
        height, width = (168, 224) if golden is None else golden.shape[-2:]
        room = rendered(arguments.frames, height, width)
        cases = [('room', room)] if golden is None else [('golden', golden), ('room', room)]
        for kind, images in cases:
            for dtype, found in deviations(make, images).items():
                words = f'{dtype}, emulated' if dtype == 'float8' else dtype
                print(
                    f'| {name} | {len(images)}, {kind} | {words} | {found.depth:.2%} | '
                    f'{found.pose:.2%} |'
                )


if __name__ == '__main__':
    main()
