# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Run everything that only a GPU can tell: benchmarks/gpu_check.sh does, ready for a bare machine.

Each part is run in a process that goes on to the next; where one ends or hangs, that part has
failed, and another process takes the rest. The last that is printed is a table of what is asked.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
import subprocess
import sys
import time
import traceback
from typing import Any

import torch

from benchmarks.gpu_check import numbers, speed
from benchmarks.gpu_check.setting import Setting
from benchmarks.gpu_check.targets import targets_table

# In the order in which they run, with the seconds that each may take. `step` comes before what is
# compared with it.
PARTS = {
    'tests': (numbers.tests, 75),
    'golden': (numbers.golden, 30),
    'tiny': (numbers.tiny, 30),
    'launches': (numbers.launches, 45),
    'peaks': (speed.peaks, 15),
    'step': (speed.step, 45),
    'parts': (speed.parts, 30),
    'memory': (speed.memory, 20),
    'pipeline': (speed.pipeline, 30),
    'race': (speed.race, 45),
    'fp32': (speed.fp32, 45),
    'node': (speed.node, 90),
}
SECONDS = 235.0
# A CPU, where this is only tried out, may be busy with other things.
CPU_PATIENCE = 8


def run_parts(options: argparse.Namespace) -> None:
    """Run the parts that have no result yet, and write each one's when it is there."""
    device = torch.device(options.device)
    for name in options.parts:
        target = options.output / f'{name}.json'
        if target.exists():
            continue
        _note(target, {'error': 'the process ended'})
        setting = Setting(device, options.quick, results_of(options))
        began = time.monotonic()
        try:
            found = PARTS[name][0](setting)
        except Exception as error:
            found = {'error': f'{type(error).__name__}: {error}', 'trace': traceback.format_exc()}
        _note(target, found | {'seconds': round(time.monotonic() - began, 1)})
        if 'error' in found and device.type == 'cuda':
            # CUDA may give nothing but this error from now on.
            return


def orchestrate(options: argparse.Namespace) -> None:
    """Have other processes run the parts, one after the other, within the time."""
    until = time.monotonic() + SECONDS * _patience(options)
    for name in options.parts:
        (options.output / f'{name}.json').unlink(missing_ok=True)
    waiting = list(options.parts)
    while waiting:
        command = [sys.executable, '-m', 'benchmarks.gpu_check', '--worker']
        command += ['--device', options.device, '--output', str(options.output)]
        command += [*(['--quick'] if options.quick else []), '--parts', *waiting]
        process = subprocess.Popen(command)
        _watch(process, waiting, options, until)
        left = [name for name in waiting if not (options.output / f'{name}.json').exists()]
        if left == waiting:
            # Nothing was even begun.
            _note(options.output / f'{left[0]}.json', {'error': 'the process did not start'})
            left = left[1:]
        waiting = left
        if time.monotonic() > until:
            for name in waiting:
                _note(options.output / f'{name}.json', {'error': 'no time was left'})
            return


def _watch(
    process: subprocess.Popen, waiting: list[str], options: argparse.Namespace, until: float
) -> None:
    """Wait for a process, and end it where the part in hand takes too long."""
    current, began = None, time.monotonic()
    while process.poll() is None:
        begun = [name for name in waiting if (options.output / f'{name}.json').exists()]
        newest = begun[-1] if begun else None
        if newest != current:
            current, began = newest, time.monotonic()
            print(f'gpu_check: {current}', file=sys.stderr, flush=True)
        allowed = (PARTS[current][1] if current else 60) * _patience(options)
        if time.monotonic() > min(began + allowed, until):
            process.kill()
            process.wait()
            if current and 'seconds' not in _read(options.output / f'{current}.json'):
                _note(options.output / f'{current}.json', {'error': f'took over {allowed} s'})
            return
        time.sleep(0.1)


def _patience(options: argparse.Namespace) -> int:
    return CPU_PATIENCE if options.device == 'cpu' else 1


def results_of(options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Read what has been found."""
    files = {name: options.output / f'{name}.json' for name in PARTS}
    return {name: _read(file) for name, file in files.items() if file.exists()}


def report(options: argparse.Namespace) -> str:
    """Set everything as Markdown."""
    results = results_of(options)
    device = options.device
    if device.startswith('cuda') and torch.cuda.is_available():
        device = torch.cuda.get_device_name()
    lines = [f'# {device}, torch {torch.__version__}', '']
    for name, found in results.items():
        lines += [f'## {name}', '', *_bullets(found), '']
    lines += ['## What is asked', '']
    if options.quick:
        lines += ['A quick run: the figures say nothing.', '']
    return '\n'.join([*lines, targets_table(results)]) + '\n'


def _bullets(found: dict[str, Any]) -> list[str]:
    shown = {name: value for name, value in found.items() if name != 'trace'}
    return [
        f'- {name}: {value:.4g}' if isinstance(value, float) else f'- {name}: {value}'
        for name, value in shown.items()
    ]


def _note(target: Path, found: dict[str, Any]) -> None:
    target.write_text(json.dumps(found, indent=1) + '\n', encoding='utf-8')


def _read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding='utf-8') or '{}')


def main(arguments: list[str] | None = None) -> int:
    """Run, print, and write JSON and Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--quick', action='store_true', help='little of everything, for a test')
    parser.add_argument('--output', type=Path, default=Path('out_gpu_check'))
    parser.add_argument('--parts', nargs='+', choices=PARTS, default=list(PARTS))
    parser.add_argument('--worker', action='store_true', help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    if options.worker:
        run_parts(options)
        return 0
    orchestrate(options)
    text = report(options)
    print(text)
    (options.output / 'gpu_check.md').write_text(text, encoding='utf-8')
    everything = json.dumps(results_of(options), indent=1)
    (options.output / 'gpu_check.json').write_text(everything + '\n', encoding='utf-8')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
