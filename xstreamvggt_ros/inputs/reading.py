# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files of data sets: decoded, or named as damaged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import re

import numpy as np
from PIL import Image

from xstreamvggt_ros.files.errors import InputError, why
from xstreamvggt_ros.geometry import rigid
from xstreamvggt_ros.images.camera_model import CameraModel
from xstreamvggt_ros.images.decoding_compressed import decode_picture, FILE_FORMATS
from xstreamvggt_ros.inputs.problems import Problems
from xstreamvggt_ros.inputs.sequence import DamagedFrame

INTRINSICS_FILE = 'camera-intrinsics.txt'
# An image beyond this many pixels is a damaged header, not a camera's.
MAX_PIXELS = 2**27
# Pose files carry few digits; what is farther from a rotation than this is none.
ROTATION_TOLERANCE = 0.05


def read_rgb(file: Path, problems: Problems) -> np.ndarray:
    """Decode an image to (H, W, 3) uint8; DamagedFrame, and a problem, where that fails."""
    try:
        return decode_picture(file.read_bytes(), file.suffix, MAX_PIXELS)
    except Exception as error:  # noqa: BLE001 Pillow's parsers raise what they please
        text = f'{file} is left out, a damaged or missing image: {why(file, error)}'
        problems.add(text, f'images in {file.parent} that are left out')
        raise DamagedFrame(text) from error


def natural_key(path: Path) -> list[tuple[int, str]]:
    """Order names as people do: runs of digits by their value."""
    runs = re.split(r'(\d+)', path.name)
    return [(int(run), '') if run.isdecimal() else (-1, run) for run in runs]


def image_size(files: list[Path]) -> tuple[int, int] | None:
    """Read height and width off the header of the first image that has a whole one."""
    for file in files:
        try:
            with Image.open(file, formats=FILE_FORMATS) as image:
                return image.height, image.width
        except Exception:  # noqa: BLE001,S112 reading it will name it
            continue
    return None


def read_depth_png(
    file: Path | None, units_per_metre: float, problems: Problems, invalid: tuple[int, ...] = (0,)
) -> np.ndarray | None:
    """Decode a 16-bit depth map to (H, W) float32 metres, NaN where a value is `invalid`."""
    if file is None:
        return None
    try:
        with Image.open(file, formats=FILE_FORMATS) as image:
            if not image.mode.startswith(('I', 'F')):
                raise ValueError(f'it has mode {image.mode}, not 16 bits of grey')
            values = np.array(image)
    except Exception as error:  # noqa: BLE001 Pillow's parsers raise what they please
        text = f'{file} gives no depth, it is damaged or missing: {why(file, error)}'
        problems.add(text, f'depth in {file.parent} that is left out')
        return None
    depth = values.astype(np.float32) / np.float32(units_per_metre)
    depth[np.isin(values, invalid)] = np.nan
    return depth


def known_depth(depth: np.ndarray) -> np.ndarray:
    """Give depth as float32 with NaN for what is not a positive, finite distance."""
    depth = np.array(depth, dtype=np.float32)
    with np.errstate(invalid='ignore'):
        depth[~(np.isfinite(depth) & (depth > 0))] = np.nan
    return depth


def read_numbers(file: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Read a text file of numbers; InputError naming it where there are others than `shape`."""
    try:
        values = np.array(file.read_text(encoding='ascii').split(), dtype=np.float64)
        return values.reshape(shape)
    except (OSError, ValueError) as error:
        wanted = ' x '.join(map(str, shape))
        raise InputError(f'{file} is not {wanted} numbers: {error}') from error


def read_pose(file: Path | None, problems: Problems) -> np.ndarray | None:
    """Read a camera-to-world matrix (4, 4) of a text file; None, and a problem, if it is bad."""
    if file is None:
        return None
    try:
        return rigid_pose(read_numbers(file, (4, 4)))
    except InputError as error:
        problems.add(f'no pose: {error}', f'poses in {file.parent} that are left out')
    except ValueError as error:
        problems.add(f'{file}: {error}', f'poses in {file.parent} that are left out')
    return None


def rigid_pose(matrix: np.ndarray) -> np.ndarray:
    """Bring a matrix (3 or 4, 4) to the nearest rigid (4, 4); ValueError where it is far off."""
    if not np.isfinite(matrix).all():
        raise ValueError('the pose is not finite, the tracking was lost')
    left, scales, right = np.linalg.svd(matrix[:3, :3])
    rotation = left @ right
    if np.abs(scales - 1).max() > ROTATION_TOLERANCE or np.linalg.det(rotation) < 0:
        raise ValueError('the pose has no rotation in its upper left corner')
    return rigid(rotation, matrix[:3, 3])


def read_intrinsics(
    file: Path | None, shape: tuple[int, int], problems: Problems
) -> np.ndarray | None:
    """Read a text file's intrinsics, the upper left (3, 3) of `shape`; None if there are none."""
    if file is None:
        return None
    return _checked(file, lambda: read_numbers(file, shape)[:3, :3], problems)


def read_calibration(file: Path, problems: Problems) -> np.ndarray | None:
    """
    Read intrinsics (3, 3) that somebody wrote in one of the usual ways.

    A matrix of 3 x 3, 3 x 4 or 4 x 4, or `fx fy cx cy`; parted by blanks, commas or semicolons,
    with comments behind #. None, and a problem that names the ways, where it is none of them.
    """
    return _checked(file, lambda: _calibration(file), problems)


def _checked(file: Path, read: Callable[[], np.ndarray], problems: Problems) -> np.ndarray | None:
    try:
        return checked_intrinsics(read())
    except InputError as error:
        problems.add(f'no intrinsics: {error}')
    except ValueError as error:
        problems.add(f'no intrinsics: {file}: {error}')
    return None


def _calibration(file: Path) -> np.ndarray:
    try:
        text = file.read_bytes().decode('utf-8-sig', 'replace')
        lines = [line.split('#')[0] for line in text.splitlines()]
        numbers = [float(each) for each in re.split(r'[\s,;\[\]]+', ' '.join(lines)) if each]
    except (OSError, ValueError) as error:
        raise InputError(f'{file} is no list of numbers: {error}') from error
    match len(numbers):
        case 4:
            return matrix_of(*numbers)
        case 9:
            return np.reshape(numbers, (3, 3))
        case 12 | 16:
            return np.reshape(numbers, (-1, 4))[:3, :3]
    raise InputError(
        f'{file} has {len(numbers)} numbers; write fx fy cx cy, or a matrix of 3 x 3, 3 x 4 or '
        '4 x 4'
    )


def checked_intrinsics(matrix: np.ndarray) -> np.ndarray:
    """Return intrinsics (3, 3); ValueError where they are no pinhole camera's."""
    CameraModel(1, 1, tuple(np.ravel(matrix)))
    return matrix


def pinhole(
    intrinsics: np.ndarray | None,
    size: tuple[int, int] | None,
    distortion: tuple[float, ...] = (),
) -> CameraModel | None:
    """Describe a camera by its intrinsics (3, 3), image size (H, W) and plumb-bob distortion."""
    if intrinsics is None or size is None:
        return None
    height, width = size
    kind = 'plumb_bob' if distortion else 'none'
    return CameraModel(width, height, tuple(np.ravel(intrinsics)), distortion, kind)


def matrix_of(fx: float, fy: float, cx: float, cy: float) -> np.ndarray:
    """Write intrinsics as a (3, 3) matrix."""
    return np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])
