# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Folders in the layout that ScanNet (Dai et al., CVPR 2017) exports its .sens files to.

`<scene>/color/N.jpg`; depth/N.png, 16-bit millimetres, 0 invalid, of another size than the colour
image and registered to it; pose/N.txt, camera-to-world (4, 4), metres, -inf where tracking was
lost; intrinsic/intrinsic_color.txt and intrinsic_depth.txt (4, 4). Images are 30 a second.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from xstreamvggt_ros.evaluation.datasets.folder import (
    file_frame,
    FileSequence,
    listed,
    number_in,
    present,
)
from xstreamvggt_ros.evaluation.datasets.problems import Problems
from xstreamvggt_ros.evaluation.datasets.reading import (
    image_size,
    pinhole,
    read_depth_png,
    read_numbers,
    read_pose,
)
from xstreamvggt_ros.io.frames import InputError
from xstreamvggt_ros.io.sources import stamp_at

LAYOUT = 'scannet'
RATE_HZ = 30.0


def is_layout(path: Path) -> bool:
    """Tell whether a folder is an exported scene."""
    return all((path / name).is_dir() for name in ('color', 'depth', 'pose'))


def open_folder(path: Path) -> FileSequence:
    """Open one exported scene, e.g. scene0707_00."""
    problems = Problems()
    images = listed(path / 'color', '*.jpg', LAYOUT)
    depths = present([path / 'depth' / f'{file.stem}.png' for file in images], 'depth', problems)
    poses = present([path / 'pose' / f'{file.stem}.txt' for file in images], 'pose', problems)
    color = _intrinsics(path / 'intrinsic' / 'intrinsic_color.txt', problems)
    of_depth = _intrinsics(path / 'intrinsic' / 'intrinsic_depth.txt', problems)
    camera = None if color is None else pinhole(color, image_size(images))
    frames = tuple(
        file_frame(
            stamp_at(number_in(image), RATE_HZ),
            image,
            problems,
            camera,
            partial(read_depth_png, depth, 1000.0, problems),
            partial(_pose, pose, problems),
            of_depth,
        )
        for image, depth, pose in zip(images, depths, poses, strict=True)
    )
    files = [file for file in (*images, *depths, *poses) if file]
    files += [path / 'intrinsic' / f'intrinsic_{kind}.txt' for kind in ('color', 'depth')]
    return FileSequence(path.name, LAYOUT, frames, path, tuple(files), problems)


def _intrinsics(file: Path, problems: Problems) -> np.ndarray | None:
    try:
        return read_numbers(file, (4, 4))[:3, :3]
    except InputError as error:
        problems.add(f'no intrinsics: {error}')
        return None


def _pose(file: Path | None, problems: Problems) -> np.ndarray | None:
    return None if file is None else read_pose(file, problems)
