# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Train a network, or go on training it.

    python -m xstreamvggt_ros.training --run .training/run --recipe gpu --minutes 10
    python -m xstreamvggt_ros.training --run .training/run --recipe gpu --minutes 20 --resume
    python -m xstreamvggt_ros.training --run .training/small --preset small --recipe gpu-small \
        --minutes 15 --init xstreamvggt_ros/weights/tiny.safetensors
    python -m xstreamvggt_ros.training --run .training/cpu --shards .training/shards

The folder of the run holds what to go on from (last.pt, or last.safetensors of at most 16 MiB
where minutes are given), best-84x112.safetensors and its like (the best on held-out scenes at
that size), log.jsonl, curves.png and pictures.png. Without --shards the host's other cores render
scenes into it meanwhile. --init takes weights of a narrower network, too.
"""

from __future__ import annotations

import argparse
import contextlib
from dataclasses import asdict
import json
import logging
from pathlib import Path

from xstreamvggt_ros.training.beginning import prepare
from xstreamvggt_ros.training.config import RECIPES
from xstreamvggt_ros.training.loop import train
from xstreamvggt_ros.training.renderers import spare_cores
from xstreamvggt_ros.training.widening import NotWider


def main() -> None:
    """Run the command line."""
    parser = _parser()
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format='%(asctime)s %(message)s')
    with contextlib.ExitStack() as stack:
        try:
            run = prepare(options, stack)
        except (ValueError, OSError, NotWider) as error:
            # Their messages are written for the user.
            parser.error(str(error))
        options.run.mkdir(parents=True, exist_ok=True)
        settings = json.dumps(asdict(run.trainer.config), indent=2)
        (options.run / 'config.json').write_text(settings + '\n')
        train(run.trainer, run.source, options.run, options.max_minutes, run.renderers)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='python -m xstreamvggt_ros.training',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--run', type=Path, required=True, help='folder of the run')
    parser.add_argument('--shards', type=Path, help='folder that prerender writes to')
    parser.add_argument(
        '--renderers',
        type=int,
        help=f'processes that render into it; none where --shards is given, else {spare_cores()}',
    )
    start = parser.add_mutually_exclusive_group()
    start.add_argument('--resume', action='store_true', help='go on from the last file')
    start.add_argument('--init', type=Path, help='safetensors to start from, optimiser fresh')
    parser.add_argument('--recipe', choices=sorted(RECIPES), help='by the device unless given')
    parser.add_argument('--preset', default='tiny', help='shape of the network')
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        '--minutes', type=float, help='length of the schedule by the clock, resumptions included'
    )
    length.add_argument(
        '--steps',
        type=int,
        help='length of the schedule; with --resume it stays unless another one is given',
    )
    parser.add_argument('--lr', type=float, help='highest learning rate')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--compile', action='store_true', help='fuse the blocks: minutes first, then a third less'
    )
    parser.add_argument(
        '--eager', action='store_true', help='launch kernel by kernel on CUDA, too'
    )
    parser.add_argument(
        '--quick', action='store_true', help='few small images: see that everything works'
    )
    parser.add_argument('--device', help='cpu or cuda; cuda where there is one')
    parser.add_argument('--max-minutes', type=float, default=float('inf'), help='stop after')
    return parser


if __name__ == '__main__':
    main()
