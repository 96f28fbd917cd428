# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One scene through methods at equal bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
import time

import torch
from torch import Tensor

from benchmarks import compression
from benchmarks.compression import run_setting, Setting
from benchmarks.methods import dense, rounding, tokens
from benchmarks.methods.catalogue import CONTROL, METHODS
from benchmarks.methods.dense import reconstruct
from benchmarks.methods.shipped import BITS, Room
from benchmarks.scenes import Scene
from xstreamvggt_ros.files.hashing import file_sha256
from xstreamvggt_ros.model import StreamVGGT
from xstreamvggt_ros.stream.layout import stream_layout
from xstreamvggt_ros.stream.loading import load_network


def shipped(share: int) -> Setting:
    """Give the package's own cache at that share, in per cent."""
    return Setting(share, BITS)


def room(model: StreamVGGT, images: Tensor, share: int) -> Room:
    """Give what the shipped cache has at that share of the tokens of images (F, 3, H, W)."""
    layout = stream_layout(model, *images.shape[-2:])
    slots = shipped(share).cache(model, images).budget_tokens
    return Room(slots, layout.global_blocks, layout.frame)


def measure(
    seed: int,
    chosen: Sequence[tuple[str, partial]],
    frames: int,
    size: tuple[int, int],
    share: int,
    codes: Mapping[str, str],
    checkpoint: str = '',
) -> list[dict]:
    """
    Run methods, given by name, over one scene; a row each.

    A method is a `partial` that a `Room` completes, or a `Setting` of the package's own cache. The
    control is run in any case, beside which the others' time is told. codes: of which code each
    method is, by name, to be noted in its row.
    """
    torch.set_num_threads(1)
    model = load_network('tiny', checkpoint, '', 'cpu', 'float32')
    scene = Scene.held_out(seed, frames, size)
    own = room(model, scene.images, share)

    def row(name: str, method: partial | Setting) -> dict:
        began = time.process_time()
        if isinstance(method, Setting):
            answers, taken = run_setting(model, scene.images, method)
        else:
            answers, cache = reconstruct(model, scene.images, method(own))
            taken = cache.bytes
        seconds = time.process_time() - began
        figures = {'bytes': taken, 'ms': 1e3 * seconds / frames, **scene.score(answers)}
        return {'seed': seed, 'setting': name, 'method': codes.get(name), **figures}

    control = row(CONTROL, METHODS[CONTROL])
    rows = [control if name == CONTROL else row(name, method) for name, method in chosen]
    return [each | {'by control': each['ms'] / control['ms']} for each in rows]


def conditions(
    frames: int, size: tuple[int, int], share: int, checkpoint: str = ''
) -> dict[str, object]:
    """Give what rows must share with others to be compared with them."""
    own = [Path(module.__file__) for module in (dense, rounding, tokens)] + [Path(__file__)]
    shared = compression.conditions(frames, size, checkpoint)
    return shared | {'trial': ' '.join(map(file_sha256, own)), 'share': share}
