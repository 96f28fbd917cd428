# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Folders in the layout of Neural RGB-D (Azinović et al., CVPR 2022): `<scene>`.

images/imgN.png; depth/depthN.png, 16-bit millimetres, 0 invalid; focal.txt, one focal length in
pixels, the centre being the image's; poses.txt, the true camera-to-world matrices one below the
other (4N, 4), metres, with OpenGL's camera axes (x right, y up, z backward), NaN where unknown.
Images are taken to be 30 a second.
"""

from __future__ import annotations

from functools import partial
import math
from pathlib import Path

import numpy as np

from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.inputs.folder import file_frame, FileSequence, listed, number_in, present
from xstreamvggt_ros.inputs.problems import Problems
from xstreamvggt_ros.inputs.reading import (
    image_size,
    matrix_of,
    pinhole,
    read_depth_png,
    read_numbers,
    rigid_pose,
)
from xstreamvggt_ros.inputs.sequence import stamp_at

LAYOUT = 'neural_rgbd'
RATE_HZ = 30.0
DEPTHS = ('depth', 'depth_filtered', 'depth_with_noise')
POSES = 'poses.txt'
# Turns optical axes (y down, z forward) into OpenGL's (y up, z backward).
OPENGL_FROM_OPTICAL = np.diag([1.0, -1.0, -1.0, 1.0])


def is_layout(path: Path) -> bool:
    """Tell whether a folder is such a scene."""
    return (path / 'focal.txt').is_file() and (path / 'images').is_dir()


def open_folder(path: Path, depth: str = 'depth') -> FileSequence:
    """Open one scene; `depth` is the folder of its truth, one of DEPTHS."""
    if depth not in DEPTHS:
        raise InputError(f'depth is {depth!r}; use one of: {", ".join(DEPTHS)}')
    problems = Problems()
    images = listed(path / 'images', 'img*.png', LAYOUT)
    numbers = [number_in(image) for image in images]
    depths = present([path / depth / f'depth{n}.png' for n in numbers], 'depth', problems)
    poses = read_poses(path / POSES, problems)
    bad = [image.name for image, n in zip(images, numbers, strict=True) if n not in poses]
    problems.add_missing(f'{path / POSES}: no valid pose', bad, len(images))
    size = image_size(images)
    intrinsics = _intrinsics(path / 'focal.txt', size, problems)
    camera = pinhole(intrinsics, size)
    frames = tuple(
        file_frame(
            stamp_at(number, RATE_HZ),
            image,
            problems,
            camera,
            partial(read_depth_png, depth_file, 1000.0, problems),
            partial(poses.get, number),
            intrinsics,
        )
        for number, image, depth_file in zip(numbers, images, depths, strict=True)
    )
    files = [file for file in (*images, *depths) if file] + [path / POSES, path / 'focal.txt']
    return FileSequence(path.name, LAYOUT, frames, path, tuple(files), problems)


def read_poses(file: Path, problems: Problems) -> dict[int, np.ndarray]:
    """Read world from optical frame (4, 4) by the image's number; those not valid are left out."""
    try:
        values = np.array(file.read_text(encoding='ascii').split(), dtype=np.float64)
        if len(values) % 16:
            raise ValueError(f'it has {len(values)} numbers, not 16 for each image')
    except (OSError, ValueError) as error:
        problems.add(f'{file} gives no poses: {error}')
        return {}
    poses = {}
    for number, matrix in enumerate(values.reshape(-1, 4, 4)):
        try:
            poses[number] = rigid_pose(matrix @ OPENGL_FROM_OPTICAL)
        except ValueError:
            continue
    return poses


def _intrinsics(file: Path, size: tuple[int, int] | None, problems: Problems) -> np.ndarray | None:
    try:
        focal = float(read_numbers(file, ()))
        if not (math.isfinite(focal) and focal > 0):
            raise InputError(f'{file} has the focal length {focal}; it is in pixels, above 0')
    except InputError as error:
        problems.add(f'no intrinsics: {error}')
        return None
    return matrix_of(focal, focal, size[1] / 2, size[0] / 2) if size else None
