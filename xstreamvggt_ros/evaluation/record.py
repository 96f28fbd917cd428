# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
A run on disk: one folder, there whole or not at all, from which it can be scored again.

record.json: settings, input, versions, figures. frames.npz, depth.npz, points.npz: see `arrays`.
trajectory.tum, truth.tum: the poses; of a stream that is not scored, those are in
trajectory_<world>.tum. pictures/: JPEG of the frames that the report shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import json
import os
from pathlib import Path
import shutil
import tempfile
from typing import Any

import numpy as np

from xstreamvggt_ros.evaluation.arrays import DepthArrays, FrameArrays, PointArrays
from xstreamvggt_ros.evaluation.budgets import NONE
from xstreamvggt_ros.evaluation.collect import Collected
from xstreamvggt_ros.evaluation.jsonable import dumps
from xstreamvggt_ros.evaluation.run_config import RunConfig, SCHEMA
from xstreamvggt_ros.files.hashing import file_sha256
from xstreamvggt_ros.files.replacing import replacing
from xstreamvggt_ros.files.trajectories import Trajectory, write_tum
from xstreamvggt_ros.geometry import quaternion_from_rotation

RECORD = 'record.json'
PICTURES = 'pictures'
UNFINISHED = '.unfinished-'
# Work on processors keeps at least one of them busy; less was had by others.
LEAST_CPU = 0.9
NEEDED = (
    'schema',
    'key',
    'config',
    'sequence',
    'environment',
    'files',
    'metrics',
    'curves',
    'protocol',
)


class RecordError(ValueError):
    """A record cannot be read; the message names it and says what to do."""


@dataclass(frozen=True, eq=False)
class Record:
    """
    A finished run.

    folder: where it lies. info: what record.json holds. config: its settings.
    """

    folder: Path
    info: dict[str, Any]
    config: RunConfig

    @property
    def sequence(self) -> str:
        """The name of its sequence."""
        return self.info['sequence']['name']

    @property
    def dataset(self) -> str:
        """The name of its data set."""
        return self.info['sequence']['dataset']

    @property
    def metrics(self) -> dict[str, Any]:
        """Its figures, as `scoring` names them."""
        return self.info['metrics']

    @property
    def untried(self) -> bool:
        """Whether it ended before its budget was full, so that nothing was forgotten."""
        return self.config.budget != NONE and self.metrics.get('cache_evicted') == 0

    @property
    def starved(self) -> bool:
        """Whether others had the processors, so that its times are those of a busy machine."""
        share = self.metrics.get('cpu_share')
        return share is not None and share < LEAST_CPU

    def frames(self) -> FrameArrays:
        """Read what is known of each frame; RecordError where it is damaged."""
        return self._load(FrameArrays)

    def depth(self) -> DepthArrays:
        """Read the depth maps; RecordError where they are damaged."""
        return self._load(DepthArrays)

    def points(self) -> PointArrays:
        """Read the points; RecordError where they are damaged."""
        return self._load(PointArrays)

    def picture(self, index: int) -> Path | None:
        """Give the JPEG file of a frame, None where it was not kept."""
        path = self.folder / PICTURES / f'{index:06d}.jpg'
        return path if path.is_file() else None

    def _load(self, kind):
        try:
            return kind.load(self.folder)
        except (OSError, ValueError) as error:
            raise RecordError(f'{error}; delete {self.folder} and run it again') from error


def read_record(folder: Path) -> Record:
    """Read a finished run and check its files; RecordError says what is wrong with it."""
    path = folder / RECORD
    try:
        info = json.loads(path.read_text(encoding='utf-8'))
    except FileNotFoundError:
        raise RecordError(f'{folder} is no finished run: it has no {RECORD}') from None
    except (OSError, ValueError) as error:
        raise RecordError(
            f'{path} is damaged: {error}; delete {folder} and run it again'
        ) from error
    missing = [name for name in NEEDED if not isinstance(info, dict) or name not in info]
    if missing:
        raise RecordError(f'{path} lacks {", ".join(missing)}; delete {folder} and run it again')
    if info['schema'] != SCHEMA:
        raise RecordError(
            f'{path} is of schema {info["schema"]}, this version reads {SCHEMA}; run it again'
        )
    try:
        _check_files(folder, info['files'])
        text = [info['sequence'][name] for name in ('name', 'dataset')]
        if not all(isinstance(each, str) for each in text):
            raise TypeError(f'its sequence is named {text}')
    except (AttributeError, KeyError, TypeError) as error:
        raise RecordError(
            f'{path} is damaged: {type(error).__name__} {error}; delete {folder} and run it again'
        ) from error
    try:
        config = RunConfig.from_settings(info['config'])
    except (TypeError, ValueError) as error:
        raise RecordError(f'{path} has a configuration that is none: {error}') from error
    return Record(folder, info, config)


def find_records(folder: Path) -> tuple[list[Record], list[str]]:
    """Read every finished run below a folder, in order, and say which could not be read."""
    records, problems = [], []
    for path in sorted(folder.rglob(RECORD)):
        if path.parent.name.startswith(UNFINISHED):
            continue
        try:
            records.append(read_record(path.parent))
        except RecordError as error:
            problems.append(str(error))
    return records, problems


def write_record(
    folder: Path, info: Mapping[str, Any], collected: Collected, pictures: set[int]
) -> Record:
    """
    Write a run to `folder` in one step, in place of what was there, and read it back.

    `pictures` are the frames whose pictures are kept. OSError from the disk.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=UNFINISHED + folder.name, dir=folder.parent))
    try:
        for arrays in (collected.frames, collected.depth, collected.points):
            arrays.save(unfinished)
        if not info['sequence']['independent_frames']:
            _write_trajectories(unfinished, collected.frames)
        (unfinished / PICTURES).mkdir()
        for index in sorted(pictures & collected.pictures.keys()):
            path = unfinished / PICTURES / f'{index:06d}.jpg'
            path.write_bytes(collected.pictures[index])
        _write_info(unfinished, {**info, 'files': _files(unfinished)})
        # mkdtemp's folders are for nobody else.
        unfinished.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(unfinished, folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return read_record(folder)


def rewrite_metrics(record: Record, changes: Mapping[str, Any]) -> Record:
    """Put new entries into record.json, which is replaced in one step."""
    _write_info(record.folder, {**record.info, **changes})
    return read_record(record.folder)


def remove_unfinished(folder: Path) -> int:
    """Remove what runs that were killed left below a folder; say how many there were."""
    found = [path for path in folder.rglob(f'{UNFINISHED}*') if path.is_dir()]
    for path in found:
        shutil.rmtree(path, ignore_errors=True)
    return len(found)


def _write_info(folder: Path, info: Mapping[str, Any]) -> None:
    with replacing(folder / RECORD) as temporary:
        temporary.write_text(dumps(info) + '\n', encoding='utf-8')


def _files(folder: Path) -> dict[str, dict[str, Any]]:
    files = sorted(path for path in folder.rglob('*') if path.is_file())
    return {
        str(path.relative_to(folder)): {
            'bytes': path.stat().st_size,
            'sha256': file_sha256(path),
        }
        for path in files
    }


def _check_files(folder: Path, files: Mapping[str, Mapping[str, Any]]) -> None:
    for name, expected in files.items():
        path = folder / name
        if not path.is_file():
            raise RecordError(f'{path} is missing; delete {folder} and run it again')
        same = path.stat().st_size == expected['bytes'] and (
            file_sha256(path) == expected['sha256']
        )
        if not same:
            raise RecordError(
                f'{path} is damaged: it is not what {RECORD} says; delete {folder} and run it '
                'again'
            )


def _write_trajectories(folder: Path, frames: FrameArrays) -> None:
    files = {'truth.tum': frames.true_poses}
    for world in np.unique(frames.worlds[frames.worlds >= 0]).tolist():
        name = 'trajectory' if world == frames.main_world else f'trajectory_{world}'
        files[f'{name}.tum'] = frames.poses_of(world)
    for name, poses in files.items():
        known = np.isfinite(poses).all((1, 2))
        turns = [quaternion_from_rotation(pose[:3, :3]) for pose in poses[known]]
        write_tum(
            folder / name,
            Trajectory(
                frames.stamps_ns[known],
                poses[known][:, :3, 3],
                np.array(turns).reshape(-1, 4),
            ),
        )
