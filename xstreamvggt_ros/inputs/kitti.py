# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Folders in the layouts of KITTI's depth data (Uhrig et al., 3DV 2017) and of its raw recordings.

val_selection_cropped: image/<drive>_image_<frame>_image_0C.png,
groundtruth_depth/<drive>_groundtruth_depth_<frame>_image_0C.png and intrinsics/<as image>.txt
(3, 3); single images of many drives, no videos.

Raw: <date>/<drive>/image_0C/data/<frame>.png with image_0C/timestamps.txt,
<date>/calib_cam_to_cam.txt (P_rect_0C), and depth as in
<drive>/proj_depth/groundtruth/image_0C/<frame>.png, which is either beside the images or in the
folder `depth_root` of the annotated depth (train/<drive>/… and val/<drive>/…). The first and last
five images of a drive have none.

Depth is 16-bit, 256 a metre, 0 unknown. Neither layout has poses.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

import numpy as np

from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.geometry.stamps import NANOSECONDS
from xstreamvggt_ros.inputs.folder import file_frame, FileSequence, listed, number_in, present
from xstreamvggt_ros.inputs.problems import Problems
from xstreamvggt_ros.inputs.reading import (
    checked_intrinsics,
    image_size,
    pinhole,
    read_depth_png,
    read_intrinsics,
)
from xstreamvggt_ros.inputs.sequence import stamp_at

SELECTION, RAW = 'kitti', 'kitti_raw'
UNITS_PER_METRE = 256.0
RATE_HZ = 10.0
CAMERAS = (2, 3)
CALIBRATION = 'calib_cam_to_cam.txt'


def is_selection(path: Path) -> bool:
    """Tell whether a folder is val_selection_cropped, by what is in it."""
    return (path / 'groundtruth_depth').is_dir() and (path / 'image').is_dir()


def is_raw(path: Path) -> bool:
    """Tell whether a folder is a drive, e.g. 2011_09_26/2011_09_26_drive_0002_sync."""
    return any((path / f'image_{camera:02d}' / 'data').is_dir() for camera in CAMERAS)


def open_selection(path: Path, drive: str = '') -> FileSequence:
    """Open val_selection_cropped, or its images of one `drive` (2011_09_26_drive_0002_sync)."""
    problems = Problems()
    images = listed(path / 'image', f'{drive or "*"}_image_*_image_0?.png', SELECTION)
    depths = present(
        [
            path / 'groundtruth_depth' / file.name.replace('_image_', '_groundtruth_depth_', 1)
            for file in images
        ],
        'depth',
        problems,
    )
    calibrations = present(
        [path / 'intrinsics' / f'{file.stem}.txt' for file in images], 'intrinsics', problems
    )
    frames = []
    for index, (image, depth, calibration) in enumerate(
        zip(images, depths, calibrations, strict=True)
    ):
        intrinsics = read_intrinsics(calibration, (3, 3), problems)
        frames.append(
            file_frame(
                stamp_at(index, RATE_HZ),
                image,
                problems,
                pinhole(intrinsics, image_size([image])),
                partial(read_depth_png, depth, UNITS_PER_METRE, problems),
                intrinsics=intrinsics,
            )
        )
    files = tuple(file for file in (*images, *depths, *calibrations) if file)
    return FileSequence(drive or path.name, SELECTION, tuple(frames), path, files, problems, True)


def open_raw(path: Path, camera: int = 2, depth_root: str = '') -> FileSequence:
    """Open a drive's images of `camera` (2: left, 3: right), rectified."""
    if camera not in CAMERAS:
        raise InputError(f'camera is {camera}; use 2 (left) or 3 (right), which have colour')
    problems = Problems()
    folder = f'image_{camera:02d}'
    images = listed(path / folder / 'data', '*.png', RAW)
    truth = _depth_folder(path, folder, depth_root, problems)
    depths = present([truth / file.name for file in images], 'depth', problems)
    stamps_file, calibration = path / folder / 'timestamps.txt', path.parent / CALIBRATION
    stamps = _stamps(stamps_file, images, problems)
    intrinsics = _rectified(calibration, camera, problems)
    model = pinhole(intrinsics, image_size(images))
    frames = tuple(
        file_frame(
            stamp,
            image,
            problems,
            model,
            partial(read_depth_png, depth, UNITS_PER_METRE, problems),
            intrinsics=intrinsics,
        )
        for stamp, image, depth in zip(stamps, images, depths, strict=True)
    )
    files = [file for file in (*images, *depths) if file] + [stamps_file, calibration]
    name = f'{path.name}/{folder}'
    return FileSequence(name, RAW, frames, path.parent, tuple(files), problems)


def parse_time(text: str) -> int:
    """Read `2011-09-26 13:02:25.951199337` into nanoseconds since the epoch, as UTC, exactly."""
    date, _, decimals = text.strip().partition('.')
    moment = datetime.strptime(date, '%Y-%m-%d %H:%M:%S').replace(tzinfo=timezone.utc)
    return round(moment.timestamp()) * NANOSECONDS + int(f'{decimals:<09}'[:9])


def _stamps(file: Path, images: Sequence[Path], problems: Problems) -> list[int]:
    """Give the images' stamps; by their numbers, ten a second, where the list is no good."""
    try:
        lines = file.read_text(encoding='ascii').split('\n')
        return [parse_time(lines[number_in(image)]) for image in images]
    except (OSError, ValueError, IndexError) as error:
        problems.add(f'{file}: {error}; images are taken to be {RATE_HZ:g} a second')
        return [stamp_at(number_in(image), RATE_HZ) for image in images]


def _rectified(file: Path, camera: int, problems: Problems) -> np.ndarray | None:
    key = f'P_rect_{camera:02d}:'
    try:
        lines = file.read_text(encoding='ascii').splitlines()
        values = next(line.split()[1:] for line in lines if line.startswith(key))
        return checked_intrinsics(np.array(values, dtype=np.float64).reshape(3, 4)[:, :3])
    except (OSError, ValueError, StopIteration) as error:
        problems.add(f'{file} has no {key} of 3 x 4 numbers: {error}')
        return None


def _depth_folder(path: Path, folder: str, depth_root: str, problems: Problems) -> Path:
    inner = Path('proj_depth') / 'groundtruth' / folder
    candidates = [path / inner]
    if depth_root:
        candidates += [Path(depth_root) / part / path.name / inner for part in ('val', 'train')]
    found = next((each for each in candidates if each.is_dir()), None)
    if found is None:
        problems.add(f'no depth: none of {", ".join(map(str, candidates))} exists')
    return found or candidates[0]
