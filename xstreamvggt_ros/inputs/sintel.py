# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Folders in the layout of MPI Sintel (Butler et al., ECCV 2012) with its depth and camera data.

training/final/<scene>/frame_NNNN.png (or clean, albedo); training/depth/<scene>/frame_NNNN.dpt;
training/camdata_left/<scene>/frame_NNNN.cam. Both binary files begin with the float 202021.25,
little-endian. A .dpt goes on with width and height, int32, and float32 depth row by row, in the
film's unit, which stands for metres. A .cam goes on with the intrinsics (3, 3) and camera from
world (3, 4), float64. The film has 24 images a second; there is no invalid value, the sky is far.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.geometry import invert_rigid
from xstreamvggt_ros.inputs.folder import FileSequence, listed, number_in, present
from xstreamvggt_ros.inputs.problems import Problems
from xstreamvggt_ros.inputs.reading import (
    checked_intrinsics,
    image_size,
    known_depth,
    pinhole,
    read_rgb,
    rigid_pose,
)
from xstreamvggt_ros.inputs.sequence import FrameTruth, SequenceFrame, stamp_at

LAYOUT = 'sintel'
RATE_HZ = 24.0
TAG = np.float32(202021.25)
PASSES = ('final', 'clean', 'albedo')
# A depth map beyond this many pixels is a damaged header, not a film.
MAX_PIXELS = 2**26


def is_layout(path: Path) -> bool:
    """Tell whether a folder is a scene of a pass, e.g. training/final/alley_1."""
    truth = (path.parent.parent / name / path.name for name in ('depth', 'camdata_left'))
    return path.parent.name in PASSES and any(folder.is_dir() for folder in truth)


def open_folder(path: Path) -> FileSequence:
    """Open one scene of a pass, e.g. training/final/alley_1."""
    problems = Problems()
    images = listed(path, 'frame_*.png', LAYOUT)
    training = path.parent.parent
    depths = present(
        [training / 'depth' / path.name / f'{file.stem}.dpt' for file in images],
        'depth',
        problems,
    )
    cameras = present(
        [training / 'camdata_left' / path.name / f'{file.stem}.cam' for file in images],
        'camera',
        problems,
    )
    size = image_size(images)
    frames = []
    for image, depth, camera in zip(images, depths, cameras, strict=True):
        intrinsics, pose = _camera(camera, problems)
        frames.append(
            SequenceFrame(
                stamp_at(number_in(image) - 1, RATE_HZ),
                image.name,
                pinhole(intrinsics, size),
                partial(read_rgb, image, problems),
                partial(_truth, depth, pose, intrinsics, problems),
                read_pose=lambda pose=pose: pose,
            )
        )
    files = [file for file in (*images, *depths, *cameras) if file]
    name = f'{path.parent.name}/{path.name}'
    return FileSequence(name, LAYOUT, tuple(frames), training, tuple(files), problems)


def read_dpt(file: Path) -> np.ndarray:
    """Read depth (H, W) float32; InputError naming the file where it is damaged."""
    data = _tagged(file)
    width, height = np.frombuffer(data, '<i4', 2) if len(data) >= 8 else (0, 0)
    pixels = int(width) * int(height)
    if not 0 < pixels <= MAX_PIXELS or width < 0 or len(data) != 8 + 4 * pixels:
        raise InputError(f'{file} has {len(data)} bytes for {width}x{height} pixels: damaged')
    return known_depth(np.frombuffer(data, '<f4', pixels, 8).reshape(height, width))


def read_cam(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read intrinsics (3, 3) and world from camera (4, 4); InputError where it is damaged."""
    data = _tagged(file)
    if len(data) != 8 * 21:
        raise InputError(f'{file} has {len(data)} bytes of numbers, not 168: damaged')
    numbers = np.frombuffer(data, '<f8')
    try:
        intrinsics = checked_intrinsics(numbers[:9].reshape(3, 3))
        return intrinsics, invert_rigid(rigid_pose(numbers[9:].reshape(3, 4)))
    except ValueError as error:
        raise InputError(f'{file}: {error}') from error


def _tagged(file: Path) -> bytes:
    data = file.read_bytes()
    if len(data) < 4 or np.frombuffer(data, '<f4', 1)[0] != TAG:
        raise InputError(f'{file} does not begin with {TAG}: it is damaged or of another kind')
    return data[4:]


def _camera(file: Path | None, problems: Problems) -> tuple[np.ndarray | None, np.ndarray | None]:
    if file is None:
        return None, None
    try:
        return read_cam(file)
    except (OSError, ValueError) as error:
        problems.add(f'no camera: {error}')
        return None, None


def _truth(file: Path | None, pose, intrinsics, problems: Problems) -> FrameTruth:
    depth = None
    if file is not None:
        try:
            depth = read_dpt(file)
        except (OSError, ValueError) as error:
            problems.add(f'no depth: {error}')
    return FrameTruth(depth, pose, intrinsics)
