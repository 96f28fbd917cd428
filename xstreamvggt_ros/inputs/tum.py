# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Folders in the layout of TUM RGB-D (Sturm et al., IROS 2012).

The Bonn RGB-D Dynamic data set (Palazzolo et al., IROS 2019) has the same.

rgb.txt and depth.txt list `stamp file`; depth is 16-bit, 5000 a metre, 0 invalid, registered to
the colour image; groundtruth.txt is a TUM trajectory. Depth and pose of an image are those nearest
in time, within a tolerance (0.02 s), never interpolated.

TUM's poses are of the colour camera's optical frame. Bonn's are of the markers: its authors give
the pose of the sensor as T_ros T T_ros T_m. T_m is a rotation times 1.0593 (the depth camera's
error of scale); the rotation is taken, and depth is left as it was recorded.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.files.stamped_poses import nearest_stamps, StampedPoses
from xstreamvggt_ros.files.trajectories import checked_stamp, NotSecondsError, read_lines, read_tum
from xstreamvggt_ros.geometry import rigid
from xstreamvggt_ros.geometry.stamps import NANOSECONDS
from xstreamvggt_ros.images.camera_model import CameraModel
from xstreamvggt_ros.inputs.folder import file_frame, FileSequence
from xstreamvggt_ros.inputs.problems import Problems
from xstreamvggt_ros.inputs.reading import image_size, matrix_of, pinhole, read_depth_png

TUM, BONN = 'tum', 'bonn'
UNITS_PER_METRE = 5000.0
TOLERANCE_S = 0.02
LISTS = ('rgb.txt', 'depth.txt', 'groundtruth.txt')
# fx, fy, cx, cy and plumb-bob distortion of the cameras, as the data sets' authors publish them.
CALIBRATIONS = {
    'freiburg1': (
        matrix_of(517.3, 516.5, 318.6, 255.3),
        (0.2624, -0.9531, -0.0054, 0.0026, 1.1633),
    ),
    'freiburg2': (
        matrix_of(520.9, 521.0, 325.1, 249.7),
        (0.2312, -0.7849, -0.0033, -0.0001, 0.9172),
    ),
    'freiburg3': (matrix_of(535.4, 539.2, 320.1, 247.6), ()),
    'bonn': (
        matrix_of(542.822841, 542.576870, 315.593520, 237.756098),
        (0.039903, -0.099343, -0.000730, -0.000144, 0.0),
    ),
}
# What the authors of TUM RGB-D name for drivers that are not calibrated.
DEFAULT_CALIBRATION = matrix_of(525.0, 525.0, 319.5, 239.5), ()
BONN_ROS = np.array([[-1.0, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
BONN_MARKERS_FROM_SENSOR = np.array(
    [[1.0157, 0.1828, -0.2389, 0.0113], [0.0009, -0.8431, -0.6413, -0.0098],
     [-0.3009, 0.6147, -0.8085, 0.0111], [0.0, 0.0, 0.0, 1.0]]
)  # fmt: skip


def is_layout(path: Path) -> bool:
    """Tell whether a folder is of this layout, TUM's or Bonn's."""
    return (path / 'rgb.txt').is_file()


def is_bonn(path: Path) -> bool:
    """Tell whether a folder's name is one that Bonn's sequences have."""
    return is_layout(path) and path.name.startswith('rgbd_bonn')


def open_tum(path: Path, tolerance_s: float = TOLERANCE_S) -> FileSequence:
    """Open a sequence of TUM RGB-D."""
    return _open(path, TUM, _tolerance(tolerance_s), lambda pose: pose)


def open_bonn(path: Path, tolerance_s: float = TOLERANCE_S) -> FileSequence:
    """Open a sequence of Bonn RGB-D Dynamic."""
    return _open(path, BONN, _tolerance(tolerance_s), bonn_sensor_pose)


def bonn_sensor_pose(pose: np.ndarray) -> np.ndarray:
    """Turn a pose of Bonn's groundtruth.txt (4, 4) into world from the optical frame, rigid."""
    left, _, right = np.linalg.svd(BONN_MARKERS_FROM_SENSOR[:3, :3])
    markers_from_sensor = rigid(left @ right, BONN_MARKERS_FROM_SENSOR[:3, 3])
    return BONN_ROS @ pose @ BONN_ROS @ markers_from_sensor


def read_list(file: Path, problems: Problems) -> list[tuple[int, Path]]:
    """
    Read stamps (ns) and files in order of time, by blanks or commas; other lines are named.

    Of several entries with one stamp the first is taken. InputError where stamps are no seconds.
    """
    try:
        lines = read_lines(file)
    except OSError as error:
        problems.add(f'{file} cannot be read: {error}')
        return []
    found: dict[int, Path] = {}
    doubled, left_out = 0, []
    for number, line in enumerate(lines, start=1):
        columns = line.split('#')[0].replace(',', ' ').split()
        if not columns:
            continue
        try:
            stamp, name = columns
            stamp_ns = checked_stamp(stamp)
            image = file.parent / _inside(name, file.parent)
        except ValueError as error:
            if isinstance(error, NotSecondsError) and not found:
                raise InputError(f'{file}:{number}: {error}') from error
            left_out.append(f'{file}:{number}: a line is "stamp file": {error}')
            continue
        doubled += stamp_ns in found
        found.setdefault(stamp_ns, image)
    problems.add_lines(left_out)
    if doubled:
        problems.add(f'{file}: {doubled} entries have the stamp of another; the first is taken')
    return sorted(found.items())


def _inside(name: str, folder: Path) -> Path:
    """Give a name that a list has, below the folder; ValueError where it leads elsewhere."""
    path = Path(name)
    if path.is_absolute() and path.is_relative_to(folder):
        path = path.relative_to(folder)
    if path.is_absolute() and (folder / path.parent.name / path.name).is_file():
        # Lists are made on one machine and read on another.
        path = Path(path.parent.name, path.name)
    if path.is_absolute() or '..' in path.parts:
        raise ValueError(f'{name} is not below the folder; copy or link the file into it')
    return path


def _open(path: Path, layout: str, tolerance_ns: int, of_sensor) -> FileSequence:
    problems = Problems()
    images = read_list(path / LISTS[0], problems)
    if not images:
        reasons = '; '.join(problems.lines())
        raise InputError(
            f'{path / LISTS[0]} lists no images: not a sequence in the layout of TUM. {reasons}'
        )
    depths = read_list(path / LISTS[1], problems)
    poses = _read_poses(path / LISTS[2], problems)
    stamps = np.array([stamp for stamp, _ in images])
    nearest = nearest_stamps(np.array([stamp for stamp, _ in depths]), stamps, tolerance_ns)
    depth_files = [depths[index][1] if index >= 0 else None for index in nearest]
    pose_indices = nearest_stamps(poses.stamps_ns, stamps, tolerance_ns)
    _name_missing(path, problems, tolerance_ns, images, nearest, pose_indices)
    camera, intrinsics = _camera(path, layout, [file for _, file in images], problems)
    frames = tuple(
        file_frame(
            stamp,
            file,
            problems,
            camera,
            partial(read_depth_png, depth, UNITS_PER_METRE, problems),
            partial(_pose, poses.poses, index, of_sensor),
            intrinsics,
        )
        for (stamp, file), depth, index in zip(images, depth_files, pose_indices, strict=True)
    )
    files = [file for _, file in images] + [file for file in depth_files if file]
    files += [path / name for name in LISTS]
    return FileSequence(path.name, layout, frames, path, tuple(files), problems)


def _tolerance(seconds: float) -> int:
    if not 0 <= seconds <= 10:
        raise InputError(f'tolerance_s is {seconds}; give 0 to 10 seconds')
    return round(seconds * NANOSECONDS)


def _read_poses(file: Path, problems: Problems) -> StampedPoses:
    try:
        return StampedPoses.of_trajectory(read_tum(file, problems.add))
    except NotSecondsError as error:
        raise InputError(str(error)) from error
    except (OSError, ValueError) as error:
        problems.add(f'no poses: {error}')
        return StampedPoses.sorted([], [])


def _pose(poses: np.ndarray, index: int, of_sensor) -> np.ndarray | None:
    return None if index < 0 else of_sensor(poses[index])


def _name_missing(path, problems, tolerance_ns, images, *nearest) -> None:
    names = [file.name for _, file in images]
    seconds = tolerance_ns / NANOSECONDS
    for source, indices in zip(LISTS[1:], nearest, strict=True):
        lost = [name for name, index in zip(names, indices, strict=True) if index < 0]
        problems.add_missing(f'{path / source}: nothing within {seconds:g} s', lost, len(names))


def _camera(
    path: Path, layout: str, images: list[Path], problems: Problems
) -> tuple[CameraModel | None, np.ndarray]:
    """Give the calibration of the sequence's camera, by its name."""
    keys = [key for key in CALIBRATIONS if key == layout or key in path.name]
    found = CALIBRATIONS[keys[0]] if keys else None
    if found is None:
        problems.add(
            f'{path}: the name tells no camera (freiburg1, 2 or 3); the uncalibrated one is taken'
        )
    intrinsics, distortion = found or DEFAULT_CALIBRATION
    return pinhole(intrinsics, image_size(images), distortion), intrinsics
