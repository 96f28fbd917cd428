# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the device gives the right numbers, and how many kernels it is asked to run."""

from __future__ import annotations

import importlib.util
from pathlib import Path
import re
import subprocess
import sys
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.profiler import profile, ProfilerActivity

from benchmarks.fidelity import golden_network, rendered
from benchmarks.gpu_check.setting import Setting
from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.model import bundled_checkpoint, load_checkpoint, ModelConfig, StreamVGGT
from xstreamvggt_ros.stream import Frame, StreamingReconstructor

GOLDEN = ('full_conv4', 'full_vits4')
# Of a golden file, and of a frame.
ARRAYS = {'pose_enc': 'pose_encoding', 'depth': 'depth', 'points': 'points'}
PRECISIONS = {'float32': torch.float32, 'bfloat16': torch.bfloat16}


def tests(setting: Setting) -> dict[str, Any]:
    """Run the tests that need a CUDA device."""
    found: dict[str, Any] = dict.fromkeys(('passed', 'failed', 'skipped'), 0)
    found |= {'said': [], 'failures': []}
    for which in _test_runs(setting):
        command = [sys.executable, '-m', 'pytest', '-q', *which]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        last = (done.stdout.strip().splitlines() or [''])[-1]
        counts = {word: int(number) for number, word in re.findall(r'(\d+) (\w+)', last)}
        counts['failed'] = sum(counts.get(word, 0) for word in ('failed', 'error', 'errors'))
        for name in ('passed', 'failed', 'skipped'):
            found[name] += counts.get(name, 0)
        found['said'].append(last)
        found['failures'] += re.findall(r'^(?:FAILED|ERROR) (.*)', done.stdout, re.MULTILINE)
    return found


def _test_runs(setting: Setting) -> list[list[str]]:
    """Give pytest's arguments: the tests that need a device, and those of kernels, run on it."""
    if setting.quick:
        return [['-m', 'gpu', 'test/ops/test_precision.py']]
    marked = [
        str(file)
        for file in sorted(Path('test').rglob('test_*.py'))
        if 'mark.gpu' in file.read_text(encoding='utf-8')
    ]
    if importlib.util.find_spec('rclpy') is None:
        marked = [file for file in marked if not file.startswith('test/node/')]
    return [['-m', 'gpu', *marked], ['-m', 'not gpu', 'test/ops']]


def golden(setting: Setting) -> dict[str, Any]:
    """Compare with the files of the published networks: the most that is off, of each maximum."""
    found: dict[str, Any] = {}
    for precision, dtype in PRECISIONS.items():
        worst: dict[str, float] = {}
        for name in GOLDEN[:1] if setting.quick else GOLDEN:
            model, arrays, _ = golden_network(name)
            model = model.set_precision(dtype).to(setting.device)
            images = torch.from_numpy(arrays['images']).to(setting.device)
            frames = _frames(model, images[:2] if setting.quick else images, True)
            for key, field in ARRAYS.items():
                given = np.stack([getattr(each, field).cpu().numpy() for each in frames])
                expected = arrays[key].reshape(-1, *given.shape[1:])[: len(given)]
                off = float(np.abs(given - expected).max() / np.abs(expected).max())
                worst[field] = max(worst.get(field, 0.0), off)
        found |= {f'{precision}_{field}': off for field, off in worst.items()}
        found[precision] = max(worst.values())
    return found


def tiny(setting: Setting) -> dict[str, Any]:
    """Compare with the CPU in fp32, `tiny` over a compressed cache: depth and position."""
    images = rendered(3 if setting.quick else 40, 126, 168)
    config = CacheConfig.recommended().with_budget(budget_frames=4)
    expected = _frames(_bundled(), images, False, config)
    centres = _path(expected)
    path = centres.diff(dim=0).norm(dim=1).sum()
    found = {}
    for precision, dtype in PRECISIONS.items():
        model = _bundled().set_precision(dtype).to(setting.device)
        frames = _frames(model, images.to(setting.device), False, config)
        depth = [
            (one.depth.cpu() / other.depth - 1).abs().mean()
            for one, other in zip(frames, expected, strict=True)
        ]
        away = _path(frames) - centres
        found[f'{precision}_depth'] = float(torch.stack(depth).mean())
        found[f'{precision}_pose'] = float(away.norm(dim=1).square().mean().sqrt() / path)
    return found


def launches(setting: Setting) -> dict[str, Any]:
    """Count a steady frame's kernels on tensors without memory, and as the profiler sees them."""
    from benchmarks.launches import by_part, count_launches

    shape = ModelConfig.preset(setting.preset)
    counts = count_launches(shape, setting.config(), setting.size)
    found = {'counted': sum(counts.values()), 'parts': by_part(counts)}
    if not setting.on_cuda:
        return found
    stream = setting.stream(setting.config(), captured=False)
    image = setting.image()
    for _ in range(4):
        stream.step(image)
    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        stream.step(image)
        torch.cuda.synchronize()
    kernels = [each for each in seen.events() if each.device_type.name == 'CUDA']
    names: dict[str, list[float]] = {}
    for each in kernels:
        names.setdefault(each.name[:80], []).append(each.device_time)
    longest = sorted(names.items(), key=lambda item: -sum(item[1]))[:25]
    return found | {
        'profiled': len(kernels),
        'kernels_ms': 1e-3 * sum(each.device_time for each in kernels),
        'longest': {name: [len(times), round(sum(times))] for name, times in longest},
    }


def _bundled() -> StreamVGGT:
    model = StreamVGGT(ModelConfig.preset('tiny')).eval()
    load_checkpoint(model, bundled_checkpoint('tiny'))
    return model


def _frames(
    model: StreamVGGT, images: Tensor, point_head: bool, config: CacheConfig | None = None
) -> list[Frame]:
    stream = StreamingReconstructor(model, config or CacheConfig(), point_head=point_head)
    return [stream.step(image) for image in images]


def _path(frames: list[Frame]) -> Tensor:
    """Give where the camera was (F, 3), on the host."""
    return torch.stack([each.camera_centre.cpu() for each in frames])
