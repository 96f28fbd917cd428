# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Trajectories as TUM RGB-D files: 'timestamp tx ty tz qx qy qz qw', one pose a line."""

from dataclasses import dataclass
import os
from pathlib import Path

import numpy as np

from xstreamvggt_ros.files.replacing import replacing
from xstreamvggt_ros.geometry.stamps import NANOSECONDS

COLUMNS = '# timestamp tx ty tz qx qy qz qw'


@dataclass(frozen=True)
class Trajectory:
    """
    Hold F poses of one frame in another, here the optical frame in the map.

    `stamps_ns` (F,) int64, nanoseconds since the epoch; `positions` (F, 3) float64, metres;
    `quaternions` (F, 4) float64, x y z w.
    """

    stamps_ns: np.ndarray
    positions: np.ndarray
    quaternions: np.ndarray

    def __len__(self) -> int:
        return len(self.stamps_ns)


def write_tum(path: str | os.PathLike, trajectory: Trajectory) -> None:
    """Write a trajectory; stamps keep every nanosecond and numbers every bit."""
    rows = np.concatenate([trajectory.positions, trajectory.quaternions], axis=1)
    with replacing(path) as temporary:
        with temporary.open('w', encoding='ascii') as file:
            print(COLUMNS, file=file)
            for stamp_ns, row in zip(trajectory.stamps_ns.tolist(), rows.tolist(), strict=True):
                print(format_stamp(stamp_ns), *map(repr, row), file=file)


def read_tum(path: str | os.PathLike) -> Trajectory:
    """Read a trajectory; raises ValueError naming file and line where one is not eight numbers."""
    stamps, rows = [], []
    for number, line in enumerate(Path(path).read_text(encoding='utf-8').splitlines(), start=1):
        columns = line.split('#')[0].split()
        if not columns:
            continue
        try:
            stamp, *row = columns
            stamps.append(parse_stamp(stamp))
            rows.append([float(value) for value in row])
            if len(row) != 7:
                raise ValueError(f'{len(columns)} columns')
        except ValueError as error:
            raise ValueError(
                f'{path}:{number}: {error}; a TUM line is "{COLUMNS.removeprefix("# ")}"'
            ) from None
    values = np.array(rows, dtype=np.float64).reshape(-1, 7)
    return Trajectory(np.array(stamps, dtype=np.int64), values[:, :3], values[:, 3:])


def format_stamp(stamp_ns: int) -> str:
    """Print nanoseconds as seconds with nine decimals, exactly."""
    sign = '-' if stamp_ns < 0 else ''
    seconds, nanoseconds = divmod(abs(stamp_ns), NANOSECONDS)
    return f'{sign}{seconds}.{nanoseconds:09d}'


def parse_stamp(text: str) -> int:
    """Read seconds into nanoseconds; exact where there are at most nine decimals."""
    seconds, _, decimals = text.partition('.')
    if not (seconds.lstrip('-').isdecimal() and (decimals + '0').isdecimal()):
        # Exponents and the like carry no exact nanoseconds anyway.
        return round(float(text) * NANOSECONDS)
    nanoseconds = int(f'{decimals:<09}'[:9])
    whole = int(seconds) * NANOSECONDS
    return whole - nanoseconds if seconds.startswith('-') else whole + nanoseconds
