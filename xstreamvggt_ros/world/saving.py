# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stream on disk: its map, its trajectory, its memory and a record of the run; no ROS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from itertools import count
import json
import logging
import os
from pathlib import Path
import platform
import re
from typing import Any

import numpy as np

from xstreamvggt_ros.files.ply import PlyCloud, write_ply
from xstreamvggt_ros.files.replacing import replacing, sync
from xstreamvggt_ros.files.trajectories import format_stamp, Trajectory, write_tum
from xstreamvggt_ros.files.unfinished import remove, unfinished
from xstreamvggt_ros.geometry import quaternion_from_rotation
from xstreamvggt_ros.stream import Resumable, save_snapshot
from xstreamvggt_ros.world.accumulation import Accumulation

FILES = ('map_{}.ply', 'trajectory_{}.tum', 'stream_{}.safetensors', 'run_{}.json')
# The folder that a save is written into, and what it holds besides once all is there.
RESERVING, COMPLETE = '.saving_', 'complete'
RESERVED = re.compile(r'\.saving_-?\d+_\d{9}(_\d+)?')
VERSIONED = ('xstreamvggt_ros', 'torch', 'numpy', 'safetensors')

_LOG = logging.getLogger(__name__)


def save_stream(
    directory: str, accumulation: Accumulation, stream: Resumable, record: Mapping[str, Any]
) -> list[Path]:
    """
    Write what there is of a stream into `directory` and return the files.

    `map_<start>.ply` (unless no map is kept), `trajectory_<start>.tum`,
    `stream_<start>.safetensors` and `run_<start>.json`, <start> being the stamp of the stream's
    first frame. The trajectory is the first camera's, without a pose where that gave no image.
    Where any of them is there, all are named `…_<start>_2` or by the next number that is free.
    `record` goes into the last of them. ValueError: no directory, or no frame yet; OSError from
    the disk.
    """
    if not directory:
        raise ValueError('output.directory is empty; set it to the folder to save into')
    if not accumulation.frames:
        raise ValueError('there is no frame to save yet; send images first')
    folder = Path(directory).expanduser()
    # Before anything is written: what fails halfway is of no use to anybody.
    trajectory = _trajectory(accumulation)
    start = format_stamp(accumulation.first_stamp_ns)
    with _numbered(folder, start) as (beside, names):
        map_name, trajectory_name, stream_name, record_name = names
        files = [trajectory_name, stream_name, record_name]
        if accumulation.keeps_map:
            files.insert(0, map_name)
            cloud = accumulation.cloud()
            write_ply(beside / map_name, PlyCloud(cloud.points, cloud.colours))
        write_tum(beside / trajectory_name, trajectory)
        save_snapshot(beside / stream_name, stream)
        _write_record(
            beside / record_name,
            {
                **record,
                'versions': versions(),
                'start': start,
                'frames': accumulation.frames,
                'trajectory_poses': len(trajectory),
                'map_points': len(accumulation.cloud().points),
                'files': files,
            },
        )
    return [folder / name for name in files]


def versions() -> dict[str, str]:
    """Give the versions of what a reconstruction depends on."""
    found = {'python': platform.python_version()}
    for name in VERSIONED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = 'not installed'
    return found


@contextmanager
def _numbered(folder: Path, start: str) -> Iterator[tuple[Path, list[str]]]:
    """
    Give a folder to write into and the names of a save's files, of the first number that is free.

    A number is taken by making that folder, which only one of several can. On leaving, its files
    get their place in `folder`; after an error none of them is there. Saves that were killed are
    brought to their end first, or removed. OSError names the folder.
    """
    moved: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with unfinished(folder, partial(_reserve, folder, start), RESERVED.fullmatch, _mend) as to:
            yield to, _names(to)
            # From here on a save that is killed can be brought to its end.
            (to / COMPLETE).touch()
            sync(to)
            moved += _place(to)
            sync(folder)
    except BaseException as error:
        for file in moved:
            file.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unsaved(error, folder) from error
        raise


def _place(beside: Path) -> Iterator[Path]:
    """Give the files of a save their place, the record last: where that is, all of them are."""
    for name in _names(beside):
        if (beside / name).exists():
            # They are whole and on the disk: each was written so.
            os.rename(beside / name, beside.parent / name)
            yield beside.parent / name


def _mend(left: Path) -> None:
    """Bring a save that was killed to its end where all was written, else remove it."""
    try:
        held, whole = any(left.iterdir()), (left / COMPLETE).exists()
        for _ in _place(left) if whole else ():
            pass
    except OSError as error:
        _LOG.warning('a save that was killed is in %s and cannot be ended: %s', left, error)
        return
    remove(left)
    if held:
        end = 'its files have their place now' if whole else 'what there was of it is removed'
        _LOG.warning('a save into %s was killed; %s', left.parent, end)


def _reserve(folder: Path, start: str) -> Path:
    for number in count(1):
        name = start.replace('.', '_') + (f'_{number}' if number > 1 else '')
        beside = folder / f'{RESERVING}{name}'
        try:
            beside.mkdir()
        except FileExistsError:
            continue
        # Only now: another may have finished with that number before.
        if not any(os.path.lexists(folder / each) for each in _names(beside)):
            return beside
        # Another may have taken it for a dead one's, which nobody holds a lock on yet.
        remove(beside)
    raise AssertionError('there is always another number')


def _names(beside: Path) -> list[str]:
    return [pattern.format(beside.name.removeprefix(RESERVING)) for pattern in FILES]


def _unsaved(error: OSError, folder: Path) -> OSError:
    reason = error.strerror or str(error)
    return OSError(error.errno, f'{reason}: nothing was saved in {folder}, nor left there')


def _trajectory(accumulation: Accumulation) -> Trajectory:
    poses = accumulation.trajectory.newest()
    # None where only other cameras than the first have given images.
    matrices = np.array([pose.map_from_camera for pose in poses]).reshape(-1, 4, 4)
    quaternions = [quaternion_from_rotation(matrix[:3, :3]) for matrix in matrices]
    return Trajectory(
        np.array([pose.stamp_ns for pose in poses], dtype=np.int64),
        matrices[:, :3, 3],
        np.array(quaternions).reshape(-1, 4),
    )


def _write_record(path: Path, record: Mapping[str, Any]) -> None:
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(record, indent=2, default=list) + '\n', encoding='utf-8')
