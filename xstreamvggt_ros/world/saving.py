# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stream on disk: its map, its trajectory, its memory and a record of the run; no ROS."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from itertools import count
import json
import os
from pathlib import Path
import platform
from typing import Any

import numpy as np

from xstreamvggt_ros.files.ply import PlyCloud, write_ply
from xstreamvggt_ros.files.replacing import replacing
from xstreamvggt_ros.files.trajectories import format_stamp, Trajectory, write_tum
from xstreamvggt_ros.geometry import quaternion_from_rotation
from xstreamvggt_ros.stream import Resumable, save_snapshot
from xstreamvggt_ros.world.accumulation import Accumulation

FILES = ('map_{}.ply', 'trajectory_{}.tum', 'stream_{}.safetensors', 'run_{}.json')
VERSIONED = ('xstreamvggt_ros', 'torch', 'numpy', 'safetensors')


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
    # Before anything is written: what fails halfway leaves a numbered map behind.
    trajectory = _trajectory(accumulation)
    start = format_stamp(accumulation.first_stamp_ns)
    map_file, trajectory_file, stream_file, record_file = _free_names(folder, start)
    files = [trajectory_file, stream_file, record_file]
    if accumulation.keeps_map:
        files.insert(0, map_file)
        cloud = accumulation.cloud()
        write_ply(map_file, PlyCloud(cloud.points, cloud.colours))
    write_tum(trajectory_file, trajectory)
    save_snapshot(stream_file, stream)
    _write_record(
        record_file,
        {
            **record,
            'versions': versions(),
            'start': start,
            'frames': accumulation.frames,
            'trajectory_poses': len(trajectory),
            'map_points': len(accumulation.cloud().points),
            'files': [file.name for file in files],
        },
    )
    return files


def versions() -> dict[str, str]:
    """Give the versions of what a reconstruction depends on."""
    found = {'python': platform.python_version()}
    for name in VERSIONED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = 'not installed'
    return found


def _free_names(folder: Path, start: str) -> list[Path]:
    """Name a save's files by the first number that no earlier save of such a stream has taken."""
    for number in count(1):
        name = start.replace('.', '_') + (f'_{number}' if number > 1 else '')
        files = [folder / pattern.format(name) for pattern in FILES]
        if not any(map(os.path.lexists, files)):
            return files


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
