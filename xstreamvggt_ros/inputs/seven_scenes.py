# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Folders in the layout of 7-Scenes (Shotton et al., CVPR 2013): `<scene>/seq-NN`.

frame-NNNNNN.color.png (or .jpg); frame-NNNNNN.depth.png, 16-bit millimetres, 0 and 65535 invalid;
frame-NNNNNN.pose.txt, camera-to-world (4, 4), metres. The data set has no calibration: its authors
name a focal length of 585 and the centre (320, 240), which is taken for colour and depth alike
unless camera-intrinsics.txt lies beside the frames. Images are 30 a second.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from xstreamvggt_ros.inputs.folder import file_frame, FileSequence, listed, number_in, present
from xstreamvggt_ros.inputs.problems import Problems
from xstreamvggt_ros.inputs.reading import (
    image_size,
    INTRINSICS_FILE,
    matrix_of,
    pinhole,
    read_calibration,
    read_depth_png,
    read_pose,
)
from xstreamvggt_ros.inputs.sequence import stamp_at

LAYOUT = '7scenes'
RATE_HZ = 30.0
INTRINSICS = matrix_of(585.0, 585.0, 320.0, 240.0)
INVALID = (0, 65535)


def is_layout(path: Path) -> bool:
    """Tell whether a folder holds such frames."""
    return any(path.glob('frame-*.color.*'))


def open_folder(path: Path) -> FileSequence:
    """Open one sequence, e.g. chess/seq-03."""
    problems = Problems()
    images = listed(path, 'frame-*.color.*', LAYOUT)
    depths = present([_beside(file, '.depth.png') for file in images], 'depth', problems)
    poses = present([_beside(file, '.pose.txt') for file in images], 'pose', problems)
    calibration = path / INTRINSICS_FILE
    own = calibration.is_file()
    intrinsics = read_calibration(calibration, problems) if own else INTRINSICS
    camera = pinhole(intrinsics, image_size(images))
    frames = tuple(
        file_frame(
            stamp_at(number_in(image.with_suffix('')), RATE_HZ),
            image,
            problems,
            camera,
            partial(read_depth_png, depth, 1000.0, problems, INVALID),
            partial(read_pose, pose, problems),
            intrinsics,
        )
        for image, depth, pose in zip(images, depths, poses, strict=True)
    )
    files = [file for file in (*images, *depths, *poses) if file] + [calibration] * own
    name = f'{path.parent.name}/{path.name}' if path.name.startswith('seq-') else path.name
    return FileSequence(name, LAYOUT, frames, path, tuple(files), problems)


def _beside(image: Path, suffix: str) -> Path:
    return image.with_name(image.name.split('.color.')[0] + suffix)
