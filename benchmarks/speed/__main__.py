# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Print where a frame's time and memory go: python -m benchmarks.speed.

The device's peaks are measured first. Then an unbounded cache (StreamVGGT), the paper's method
done the plain way (XStreamVGGT) and this package run in turn from states that streams have after
1 to 1,000 frames, all in one process, so that a busy machine slows all alike. Weights are random
and the same everywhere. Last the node, from an image sent to its cloud received.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
import json
import logging
from pathlib import Path
import re
import sys

import torch

from benchmarks.speed.contenders import contenders
from benchmarks.speed.end_to_end import end_to_end, HEADER
from benchmarks.speed.parts import StopWatch
from benchmarks.speed.peaks import clock_name, GIGA, measure, Peaks
from benchmarks.speed.race import race
from benchmarks.speed.rows import costs_table, parts_table, Row
from xstreamvggt_ros.evaluation.environment import environment
from xstreamvggt_ros.model import ModelConfig
from xstreamvggt_ros.stream.loading import choose_device, choose_dtype, load_network

RESULTS = Path(__file__).resolve().parents[1] / 'results'
FRAMES = (1, 10, 50, 100, 500, 1000)
# Height and width by preset and kind of device; and rounds, few where a frame takes seconds.
SIZES = {('tiny', 'cpu'): (168, 224), ('streamvggt', 'cpu'): (168, 224),
         ('tiny', 'cuda'): (168, 224), ('streamvggt', 'cuda'): (392, 518)}  # fmt: skip
ROUNDS = {('tiny', 'cpu'): 15, ('streamvggt', 'cpu'): 3,
          ('tiny', 'cuda'): 30, ('streamvggt', 'cuda'): 15}  # fmt: skip
_LOG = logging.getLogger('benchmarks.speed')


def run_preset(preset: str, options: argparse.Namespace, peaks: Peaks) -> list[Row]:
    """Race at every frame."""
    device = choose_device(options.device)
    config = ModelConfig.preset(preset)
    _LOG.info('%s: making random weights', preset)
    model = load_network(preset, 'random', '', str(device), 'auto').requires_grad_(False)
    entered = contenders(config, model, options.dtype or default_dtypes(device))
    watches = {id(each.model): StopWatch(device) for each in entered}
    for each in {id(each.model): each.model for each in entered}.values():
        watches[id(each)].watch(each)
    image = torch.rand(3, *options.size(preset, device), device=device)
    rounds = options.rounds or ROUNDS[preset, device.type]
    rows: list[Row] = []
    for frame in options.frames:
        _LOG.info('%s: frame %d', preset, frame)
        rows += race(entered, frame, image, rounds, peaks, watches, options.point_head, rows)
    return rows


def default_dtypes(device: torch.device) -> tuple[str, ...]:
    """Return the precisions that ours runs in, beside that of the others."""
    return ('bfloat16', 'int8') if device.type == 'cpu' else ('bfloat16',)


def report(results: dict) -> str:
    """Set everything as Markdown."""
    about, peaks = results['environment'], results['peaks']
    rates = ', '.join(f'{rate / GIGA:.0f} {name}' for name, rate in peaks.operations.items())
    parts = [
        f'# Speed on {about["device"]}, commit {about["commit"]}',
        f'{about["threads"]} threads, torch {torch.__version__}. Peaks measured first: {rates} '
        f'(billion operations a second), {peaks.bandwidth / GIGA:.1f} GB/s copied. Timed by '
        f'{clock_name(choose_device(about["device_type"]))}.',
    ]
    for preset, rows in results['presets'].items():
        height, width = results['sizes'][preset]
        rounds = max((len(row.seconds) for row in rows), default=0)
        parts += [
            f'## {preset}, {width}x{height}, {rounds} rounds, point head '
            f'{"on" if results["point_head"] else "off"}',
            f'Mean milliseconds of the parts, median of all of them.\n\n{parts_table(rows)}',
            f"Median of the rounds' ratios, quartiles in brackets.\n\n{costs_table(rows)}",
        ]
    if results['end_to_end']:
        lines = '\n'.join(str(each) for each in results['end_to_end'])
        parts.append(f'## Through the node\n\n{HEADER}\n{lines}')
    return '\n\n'.join(parts) + '\n'


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--presets', nargs='*', default=['tiny', 'streamvggt'])
    parser.add_argument('--frames', nargs='+', type=int, default=FRAMES)
    parser.add_argument('--rounds', type=int, default=0, help="0: the preset's")
    parser.add_argument('--device', default='auto')
    parser.add_argument(
        '--dtype', nargs='+', choices=('bfloat16', 'int8'), help='of ours beside the rest'
    )
    parser.add_argument('--image', nargs=2, type=int, metavar=('HEIGHT', 'WIDTH'))
    parser.add_argument('--point-head', action='store_true', help='run the point head as well')
    parser.add_argument('--node', nargs='*', default=['tiny'], help='presets to run the node with')
    parser.add_argument('--node-frames', type=int, default=100)
    parser.add_argument('--cuda-graph', action='store_true', help='replay frames as one graph')
    parser.add_argument('--output', type=Path, default=RESULTS, help='folder for the results')
    parser.add_argument('--quick', action='store_true', help='little of everything, for a test')
    options = parser.parse_args(arguments)
    if options.quick:
        options.presets, options.frames, options.rounds = ['tiny'], (1, 3), 1
        options.image, options.node = (56, 70), []
    options.size = lambda preset, device: tuple(options.image or SIZES[preset, device.type])
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run, print, and write JSON and Markdown."""
    options = parse(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format='%(message)s')
    device = choose_device(options.device)
    wide = str(choose_dtype('auto', device)).removeprefix('torch.')
    peaks = measure(device, *((256, 0.01) if options.quick else ()))
    results = {
        'environment': environment(str(device), 'auto'),
        'peaks': peaks,
        'point_head': options.point_head,
        'sizes': {preset: options.size(preset, device) for preset in options.presets},
        'presets': {preset: run_preset(preset, options, peaks) for preset in options.presets},
        'end_to_end': [
            end_to_end(
                preset,
                dtype,
                options.size(preset, device),
                options.node_frames,
                str(device),
                options.cuda_graph,
            )
            for preset in options.node
            for dtype in dict.fromkeys((wide, *(options.dtype or default_dtypes(device))))
        ],
    }
    text = report(results)
    print(text)
    options.output.mkdir(parents=True, exist_ok=True)
    words = re.findall(r'\w+', results['environment']['device'].lower().replace('(r)', ''))
    stem = '_'.join(['speed', '-'.join(words), *(options.presets or ['node'])])
    (options.output / f'{stem}.md').write_text(text, encoding='utf-8')
    dumped = json.dumps(results, indent=1, default=asdict)
    (options.output / f'{stem}.json').write_text(dumped + '\n', encoding='utf-8')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
