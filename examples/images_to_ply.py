# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reconstruct a folder of images: python examples/images_to_ply.py <folder> <cloud.ply>."""

from pathlib import Path
import sys

import numpy as np

from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.files.ply import PlyCloud, write_ply
from xstreamvggt_ros.images.prepare import prepare_image
from xstreamvggt_ros.images.preprocessing import Preprocessing
from xstreamvggt_ros.inputs.reading import natural_key
from xstreamvggt_ros.ops.threads import configure_threads
from xstreamvggt_ros.stream import load_network, StreamingReconstructor

# Of the points of each image, the surest half; all that is sure is kept.
KEPT = 0.5


def main(folder: str, target: str) -> None:
    """Read the images by name, and write their points in the world of the first camera."""
    configure_threads()
    model = load_network('tiny', '', '', 'auto', 'auto')
    stream = StreamingReconstructor(model, CacheConfig.recommended(), point_head=False)
    points, colours = [], []
    for path in sorted(Path(folder).glob('*.[jp][pn]g'), key=natural_key):
        if path.stem.endswith('.depth'):
            continue
        image = prepare_image(path, model.config.image_size)
        frame = stream.step(image)
        sure = frame.depth_confidence >= frame.depth_confidence.quantile(1 - KEPT)
        points.append(frame.points[sure].cpu().numpy())
        colours.append(Preprocessing.picture(image)[sure.cpu()].numpy())
        print(path.name, 'seen from', frame.camera_centre.tolist())
    if not points:
        sys.exit(f'{folder} has no .jpg or .png of a camera')
    write_ply(target, PlyCloud(np.concatenate(points), np.concatenate(colours)))


if __name__ == '__main__':
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
