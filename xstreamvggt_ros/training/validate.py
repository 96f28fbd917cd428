# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Print the figures of a checkpoint on scenes that no training has seen.

    python -m xstreamvggt_ros.training.validate --checkpoint best-84x112.safetensors
"""

from __future__ import annotations

import argparse
from pathlib import Path
import sys
import tempfile

import torch

from xstreamvggt_ros.model import load_checkpoint, ModelConfig, StreamVGGT
from xstreamvggt_ros.training.evaluation import answer, figures, held_out, save_pictures, shown
from xstreamvggt_ros.training.shards import ShardFolder

PICTURED = 10


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('--checkpoint', type=Path, required=True)
    parser.add_argument('--preset', default='tiny', help='shape of the network')
    parser.add_argument('--sequences', type=int, default=24)
    parser.add_argument('--frames', type=int, default=12)
    parser.add_argument(
        '--size', type=int, nargs=2, default=(126, 168), metavar=('HEIGHT', 'WIDTH')
    )
    parser.add_argument('--rendered', type=Path, help='folder that keeps the rendered scenes')
    parser.add_argument('--pictures', type=Path, help='image file for depth beside the truth')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    options = parser.parse_args()
    model = StreamVGGT(ModelConfig.preset(options.preset))
    load_checkpoint(model, options.checkpoint)
    model = model.to(options.device).eval()
    with tempfile.TemporaryDirectory() as temporary:
        folder = ShardFolder(options.rendered or Path(temporary))
        sequences = held_out(folder, options.sequences, options.frames)
        answers = [answer(model, sequence, tuple(options.size)) for sequence in sequences]
    sys.stdout.write(shown(figures(answers)) + '\n')
    if options.pictures:
        save_pictures(answers[:PICTURED], options.pictures)


if __name__ == '__main__':
    main()
