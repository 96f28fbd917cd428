# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Write the averaged weights of a run as they ship with the package.

    python -m xstreamvggt_ros.training.ship --run .training/run
"""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path

import torch

from xstreamvggt_ros.model import ModelConfig, StreamVGGT
from xstreamvggt_ros.model.bundled import FOLDER
from xstreamvggt_ros.training.beginning import last_files
from xstreamvggt_ros.training.evaluation import answer, figures, held_out, shown
from xstreamvggt_ros.training.export import Export
from xstreamvggt_ros.training.initialisation import with_positions_of
from xstreamvggt_ros.training.packed import load_packed, read_notes
from xstreamvggt_ros.training.shards import ShardFolder

LOGGER = logging.getLogger(__name__)


def ship(run: Path, target: Path, config: ModelConfig) -> dict[str, float]:
    """
    Write a run's averaged weights for a network of that shape.

    Returns figures on the sequences that the run was validated with; the file says which.
    ValueError where the folder is not of one run, or weights do not fit half precision.
    """
    model = StreamVGGT(config).eval()
    last = _only_file(run)
    if last.suffix == '.safetensors':
        state = read_notes(last)
        load_packed(last, {'averaged': model})
    else:
        state = torch.load(last, map_location='cpu', weights_only=True)
        model.load_state_dict(with_positions_of(model, state['averaged']))
    shipped = Export(model)
    training = json.loads((run / 'config.json').read_text())
    size = tuple(training['stages'][-1]['size'])
    scenes = held_out(
        ShardFolder(run / 'held_out'),
        training['held_out'],
        training['held_out_frames'],
        tuple(training['rendered']),
    )
    found = figures(answer(shipped.model, scene, size) for scene in scenes)
    target.parent.mkdir(parents=True, exist_ok=True)
    shipped.write(
        target,
        step=state['step'],
        seed=state['seed'],
        size=size,
        figures=found,
        training=training,
    )
    return found


def _only_file(run: Path) -> Path:
    found = last_files(run)
    if not found:
        raise ValueError(f'{run} holds nothing that was trained; give the folder of a run')
    if len(found) > 1:
        raise ValueError(
            f'{run} holds {found[0].name} and {found[1].name}, of two runs, and the settings of '
            'one: move what does not belong to config.json elsewhere'
        )
    return found[0]


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('--run', type=Path, required=True, help='folder of the run')
    parser.add_argument('--preset', default='tiny', help='shape of the network')
    parser.add_argument('--target', type=Path, help='file; by default where the package looks')
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format='%(message)s')
    target = options.target or FOLDER / f'{options.preset}.safetensors'
    try:
        found = ship(options.run, target, ModelConfig.preset(options.preset))
    except (ValueError, OSError) as error:
        parser.error(str(error))
    LOGGER.info('%s: %s', target.name, shown(found))


if __name__ == '__main__':
    main()
