# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Any folder of images, in natural order (frame2 before frame10).

Depth maps are never taken for images: names with the word depth, and 16-bit grey files beside
others. camera-intrinsics.txt is the images' calibration. They have no stamps: `rate` spaces
them.
"""

from __future__ import annotations

import math
from pathlib import Path
import re

from PIL import Image

from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.images.decoding_compressed import FILE_FORMATS
from xstreamvggt_ros.inputs.folder import file_frame, FileSequence
from xstreamvggt_ros.inputs.problems import Problems
from xstreamvggt_ros.inputs.reading import (
    image_size,
    INTRINSICS_FILE,
    natural_key,
    pinhole,
    read_calibration,
)
from xstreamvggt_ros.inputs.sequence import stamp_at

LAYOUT = 'images'
RATE_HZ = 30.0
IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')
# Files that can hold more than eight bits a channel, as depth maps do.
DEEP_SUFFIXES = ('.png', '.tif', '.tiff')
DEPTH_WORDS = {'depth', 'disparity', 'disp'}


def is_layout(path: Path) -> bool:
    """Tell whether a folder holds images."""
    return path.is_dir() and any(is_image(file) for file in path.iterdir())


def is_image(file: Path) -> bool:
    """Tell whether a file is called as images are."""
    return file.suffix.lower() in IMAGE_SUFFIXES


def open_folder(path: Path, rate: float = RATE_HZ) -> FileSequence:
    """Open a folder of images, `rate` a second."""
    if not (rate > 0 and math.isfinite(rate)):
        raise InputError(f'rate is {rate}; give images a second, above 0')
    problems = Problems()
    images = image_files(path, problems)
    calibration = path / INTRINSICS_FILE
    own = calibration.is_file()
    intrinsics = read_calibration(calibration, problems) if own else None
    camera = pinhole(intrinsics, image_size(images))
    frames = tuple(
        file_frame(stamp_at(index, rate), image, problems, camera)
        for index, image in enumerate(images)
    )
    files = (*images, *([calibration] * own))
    return FileSequence(path.name, LAYOUT, frames, path, files, problems)


def image_files(folder: Path, problems: Problems) -> list[Path]:
    """List a folder's images in natural order; InputError where there are none."""
    files = sorted(filter(is_image, folder.iterdir()), key=natural_key)
    colours = [file for file in files if file.stem.endswith('.color')]
    named = [file for file in files if not _is_called_depth(file)]
    images = colours or [file for file in named if not _is_deep_grey(file)]
    left_out = [file.name for file in named if file not in set(images)]
    if named and not images:
        # A camera of 16 bits; depth maps that are not called so cannot be told from its images.
        problems.add(
            f"{folder}: its {len(named)} images are 16 bits of grey, taken for a camera's; if "
            'they are depth maps, give the folder with the images of the camera'
        )
        return named
    if not images:
        found = f'{len(files)} depth maps and no images' if files else 'no images'
        raise InputError(
            f'{folder} has {found} ({", ".join(IMAGE_SUFFIXES)}) and is no rosbag '
            f'(no metadata.yaml, .mcap or .db3); give the folder that holds the files themselves'
        )
    if not colours:
        what = f'{folder}: 16 bits of grey, taken for depth maps'
        problems.add_missing(what, left_out, len(files))
    return images


def _is_called_depth(file: Path) -> bool:
    return bool(DEPTH_WORDS & set(re.split(r'[^a-z]+', file.stem.lower())))


def _is_deep_grey(file: Path) -> bool:
    if file.suffix.lower() not in DEEP_SUFFIXES:
        return False
    try:
        with Image.open(file, formats=FILE_FORMATS) as image:  # the header alone is read
            return image.mode.startswith(('I', 'F'))
    except Exception:  # noqa: BLE001 Pillow raises what it pleases; reading it says so, by name
        return False
