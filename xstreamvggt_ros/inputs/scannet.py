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

from xstreamvggt_ros.inputs.folder import file_frame, FileSequence, listed, number_in, present
from xstreamvggt_ros.inputs.problems import Problems
from xstreamvggt_ros.inputs.reading import (
    image_size,
    pinhole,
    read_depth_png,
    read_intrinsics,
    read_pose,
)
from xstreamvggt_ros.inputs.sequence import stamp_at

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
    calibrations = [path / 'intrinsic' / f'intrinsic_{kind}.txt' for kind in ('color', 'depth')]
    color, of_depth = (read_intrinsics(file, (4, 4), problems) for file in calibrations)
    camera = pinhole(color, image_size(images))
    frames = tuple(
        file_frame(
            stamp_at(number_in(image), RATE_HZ),
            image,
            problems,
            camera,
            partial(read_depth_png, depth, 1000.0, problems),
            partial(read_pose, pose, problems),
            of_depth,
        )
        for image, depth, pose in zip(images, depths, poses, strict=True)
    )
    files = [file for file in (*images, *depths, *poses) if file] + calibrations
    return FileSequence(path.name, LAYOUT, frames, path, tuple(files), problems)
