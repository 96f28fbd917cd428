# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
NYU Depth V2 (Silberman et al., ECCV 2012): the labelled file, or images exported from it.

nyu_depth_v2_labeled.mat is MATLAB 7.3, which is HDF5 with its axes reversed: images (N, 3, W, H)
uint8, depths (N, W, H) float32 metres (filled in) and rawDepths likewise (0 unknown). splits.mat
beside it numbers the official 795 training and 654 test images from 1: trainNdxs and testNdxs.

Exported: <scene>/rgb_NNNNN.jpg (or .png) with sync_depth_NNNNN.png, 16-bit millimetres, 0 unknown.

The images are no videos. They are undistorted; the calibration is the toolbox's.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.inputs.folder import file_frame, FileSequence, present
from xstreamvggt_ros.inputs.problems import Problems
from xstreamvggt_ros.inputs.reading import (
    image_size,
    known_depth,
    matrix_of,
    natural_key,
    pinhole,
    read_depth_png,
)
from xstreamvggt_ros.inputs.sequence import DamagedFrame, FrameTruth, SequenceFrame, stamp_at

LABELLED, EXPORTED = 'nyu', 'nyu_exported'
INTRINSICS = matrix_of(518.85790117, 519.46961112, 325.58244941, 253.73616633)
SUBSETS = {'all': '', 'test': 'testNdxs', 'train': 'trainNdxs'}
DEPTHS = ('depths', 'rawDepths')
# The images stand for themselves; stamps only order them.
RATE_HZ = 1.0
MAX_IMAGES, MAX_PIXELS = 100_000, 2**26


def is_labelled(path: Path) -> bool:
    """Tell whether a path is the labelled file."""
    return path.is_file() and path.suffix == '.mat'


def is_exported(path: Path) -> bool:
    """Tell whether a folder, or its scenes, hold exported images."""
    return any(path.glob('sync_depth_*.png')) or any(path.glob('*/sync_depth_*.png'))


def open_labelled(path: Path, subset: str = 'all', depth: str = 'depths') -> FileSequence:
    """Open the labelled file; `subset` of splits.mat beside it, `depth` filled in or raw."""
    if subset not in SUBSETS:
        raise InputError(f'subset is {subset!r}; use one of: {", ".join(SUBSETS)}')
    if depth not in DEPTHS:
        raise InputError(f'depth is {depth!r}; use one of: {", ".join(DEPTHS)}')
    problems = Problems()
    with _opened(path) as file:
        if 'images' not in file or depth not in file:
            raise InputError(f'{path} has no images and {depth}: {", ".join(sorted(file))}')
        count, height, width = _extent(path, file['images'].shape, file[depth].shape)
    camera = pinhole(INTRINSICS, (height, width))
    chosen = range(count)
    files = [path]
    if subset != 'all':
        splits = path.with_name('splits.mat')
        chosen, files = _split(splits, SUBSETS[subset], count), [path, splits]
    frames = tuple(
        SequenceFrame(
            stamp_at(index, RATE_HZ),
            f'{index + 1:05d}',
            camera,
            partial(_image, path, index, problems),
            partial(_truth, path, depth, index, problems),
        )
        for index in chosen
    )
    return FileSequence(
        f'{path.stem}/{subset}', LABELLED, frames, path.parent, tuple(files), problems, True
    )


def open_exported(path: Path) -> FileSequence:
    """Open a folder of exported images, one scene or a folder of scenes."""
    problems = Problems()
    images = sorted(
        (
            file
            for pattern in ('rgb_*', '*/rgb_*')
            for file in path.glob(pattern)
            if file.suffix in ('.jpg', '.png')
        ),
        key=lambda file: (file.parent.name, natural_key(file)),
    )
    if not images:
        raise InputError(f'{path} has no rgb_*.jpg: it is no folder in the layout {EXPORTED}')
    depths = present(
        [file.with_name(f'sync_depth_{file.stem[4:]}.png') for file in images], 'depth', problems
    )
    camera = pinhole(INTRINSICS, image_size(images))
    frames = tuple(
        file_frame(
            stamp_at(index, RATE_HZ),
            image,
            problems,
            camera,
            partial(read_depth_png, depth, 1000.0, problems),
            intrinsics=INTRINSICS,
            name=str(image.relative_to(path)),
        )
        for index, (image, depth) in enumerate(zip(images, depths, strict=True))
    )
    files = tuple(file for file in (*images, *depths) if file)
    return FileSequence(path.name, EXPORTED, frames, path, files, problems, True)


def _opened(path: Path):
    try:
        import h5py
    except ImportError as error:
        raise InputError(f'{path} needs h5py: pip install h5py') from error
    try:
        return h5py.File(path, 'r')
    except OSError as error:
        raise InputError(f'{path} is no MATLAB 7.3 file, or a damaged one: {error}') from error


def _extent(path: Path, images: tuple, depths: tuple) -> tuple[int, int, int]:
    """Check the shapes, which a damaged file may say anything of; give N, H, W."""
    count, channels, width, height = images if len(images) == 4 else (0, 0, 0, 0)
    sizes = count <= MAX_IMAGES and width * height <= MAX_PIXELS
    if channels != 3 or depths != (count, width, height) or not sizes:
        raise InputError(
            f'{path} has images of {images} and depth of {depths}; (N, 3, W, H) and (N, W, H) '
            'are expected'
        )
    return count, height, width


def _split(file: Path, key: str, count: int) -> list[int]:
    from scipy.io import loadmat

    try:
        numbers = np.sort(loadmat(file)[key].ravel().astype(np.int64)) - 1
    except Exception as error:  # noqa: BLE001 the parser of a damaged file raises what it pleases
        raise InputError(f'{file} has no {key}: {error}') from error
    if not len(numbers) or numbers[0] < 0 or numbers[-1] >= count:
        raise InputError(f'{file}: {key} names images that are not among the {count}')
    return numbers.tolist()


def _image(path: Path, index: int, problems: Problems) -> np.ndarray:
    try:
        with _opened(path) as file:
            return np.ascontiguousarray(file['images'][index].transpose(2, 1, 0), dtype=np.uint8)
    except (OSError, KeyError, InputError) as error:
        text = f'{path}: image {index + 1} is left out, it is damaged: {error}'
        problems.add(text)
        raise DamagedFrame(text) from error


def _truth(path: Path, depth: str, index: int, problems: Problems) -> FrameTruth:
    try:
        with _opened(path) as file:
            return FrameTruth(known_depth(file[depth][index].T), None, INTRINSICS)
    except (OSError, KeyError, InputError) as error:
        problems.add(f'{path}: no depth for image {index + 1}, it is damaged: {error}')
        return FrameTruth(intrinsics=INTRINSICS)
