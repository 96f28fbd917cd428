# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Trajectories as TUM RGB-D files: 'timestamp tx ty tz qx qy qz qw', one pose a line."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
import os
from pathlib import Path
import re

import numpy as np

from xstreamvggt_ros.files.replacing import replacing
from xstreamvggt_ros.geometry.stamps import NANOSECONDS

# Seconds since the epoch beyond this, in the year 5138, are other units; nanoseconds in 64 bits
# end before, in the year 2262.
SECONDS_END = 10**11
LATEST_NS = 2**63 - 1
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


class NotSecondsError(ValueError):
    """A file's stamps are not in seconds; the message says what they look like."""


def read_tum(path: str | os.PathLike, tell: Callable[[str], None] | None = None) -> Trajectory:
    """
    Read a trajectory; numbers may be parted by commas, and a header need not begin with #.

    Lines that are no pose are left out where `tell` takes a sentence about them; else, and where
    not one line is a pose, they raise ValueError naming file and line. So do stamps that are not
    in seconds from the first on (NotSecondsError), and a header that has the quaternion's w first,
    whatever `tell`.
    """
    stamps, rows, left_out = [], [], []
    for number, line in _lines(path):
        try:
            stamp_ns, row = _pose(line, finite=tell is not None)
        except ValueError as error:
            if isinstance(error, NotSecondsError) and not stamps:
                raise NotSecondsError(f'{path}:{number}: {error}') from None
            if not stamps and not left_out and _is_header(line):
                continue
            left_out.append(
                f'{path}:{number}: {error}; a TUM line is "{COLUMNS.removeprefix("# ")}"'
            )
            if tell is None:
                break
        else:
            stamps.append(stamp_ns)
            rows.append(row)
    if left_out and (tell is None or not stamps):
        raise ValueError(left_out[0])
    if left_out:
        count = len(left_out)
        lines = 'a line is' if count == 1 else f'{count} lines are'
        tell(f'{lines} left out of {path}, {len(stamps)} are read; {left_out[0]}')
    values = np.array(rows, dtype=np.float64).reshape(-1, 7)
    return Trajectory(np.array(stamps, dtype=np.int64), values[:, :3], values[:, 3:])


def read_lines(path: str | os.PathLike) -> list[str]:
    """Read a text file's lines, whatever their encoding; what is no UTF-8 is in comments."""
    return Path(path).read_bytes().decode('utf-8-sig', 'surrogateescape').splitlines()


def _lines(path: str | os.PathLike) -> Iterator[tuple[int, list[str]]]:
    """Give number and columns of the lines that are not empty or a comment."""
    for number, line in enumerate(read_lines(path), start=1):
        _mind_order(path, number, line)
        columns = line.split('#')[0].replace(',', ' ').split()
        if columns:
            yield number, columns


def _mind_order(path: str | os.PathLike, number: int, line: str) -> None:
    names = re.findall(r'q_?[wx]', line.lower())
    if names[:2] in (['qw', 'qx'], ['q_w', 'q_x']):
        raise ValueError(
            f'{path}:{number}: its header has qw before qx, as EuRoC does; a TUM line is '
            f'"{COLUMNS.removeprefix("# ")}"'
        )


def _pose(columns: list[str], finite: bool) -> tuple[int, list[float]]:
    stamp, *row = columns
    stamp_ns = checked_stamp(stamp)
    values = [float(value) for value in row]
    if len(values) != 7:
        raise ValueError(f'{len(columns)} columns')
    if finite and not np.isfinite(values).all():
        raise ValueError('numbers that are not finite')
    if finite and not any(values[3:]):
        raise ValueError('a quaternion of zeros')
    return stamp_ns, values


def _is_header(columns: list[str]) -> bool:
    try:
        float(columns[0])
    except ValueError:
        return True
    return False


def checked_stamp(text: str) -> int:
    """Read seconds into nanoseconds; NotSecondsError where they cannot be seconds."""
    try:
        stamp_ns = parse_stamp(text)
    except OverflowError:
        raise ValueError(f'the stamp {text} is not finite') from None
    if abs(stamp_ns) > SECONDS_END * NANOSECONDS:
        unit = 'nanoseconds' if abs(stamp_ns) > 10**17 * NANOSECONDS else 'milli- or microseconds'
        raise NotSecondsError(f'the stamp {text} is in no seconds: it looks like {unit}')
    if abs(stamp_ns) > LATEST_NS:
        raise ValueError(f'the stamp {text} is beyond the year 2262')
    return stamp_ns


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
