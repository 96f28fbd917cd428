# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Coloured point clouds as binary PLY files."""

from dataclasses import dataclass
import os

import numpy as np

from xstreamvggt_ros.files.replacing import replacing

VERTEX = np.dtype(
    [('x', '<f4'), ('y', '<f4'), ('z', '<f4'), ('red', 'u1'), ('green', 'u1'), ('blue', 'u1')]
)
PLY_NAMES = {'f4': 'float', 'u1': 'uchar'}
PLY_TYPES = {
    **dict.fromkeys(('char', 'int8'), 'i1'),
    **dict.fromkeys(('uchar', 'uint8'), 'u1'),
    **dict.fromkeys(('short', 'int16'), '<i2'),
    **dict.fromkeys(('ushort', 'uint16'), '<u2'),
    **dict.fromkeys(('int', 'int32'), '<i4'),
    **dict.fromkeys(('uint', 'uint32'), '<u4'),
    **dict.fromkeys(('float', 'float32'), '<f4'),
    **dict.fromkeys(('double', 'float64'), '<f8'),
}


@dataclass(frozen=True)
class PlyCloud:
    """Hold N points: `points` (N, 3) float32, metres; `colours` (N, 3) uint8, RGB."""

    points: np.ndarray
    colours: np.ndarray

    def __len__(self) -> int:
        return len(self.points)


def write_ply(path: str | os.PathLike, cloud: PlyCloud) -> None:
    """Write a cloud as little-endian binary PLY with x, y, z, red, green, blue."""
    vertices = np.empty(len(cloud), dtype=VERTEX)
    for column, name in enumerate('xyz'):
        vertices[name] = cloud.points[:, column]
    for column, name in enumerate(('red', 'green', 'blue')):
        vertices[name] = cloud.colours[:, column]
    properties = [f'property {PLY_NAMES[VERTEX[name].str[1:]]} {name}' for name in VERTEX.names]
    header = [
        'ply',
        'format binary_little_endian 1.0',
        f'element vertex {len(cloud)}',
        *properties,
        'end_header',
        '',
    ]
    with replacing(path) as temporary:
        with temporary.open('wb') as file:
            file.write('\n'.join(header).encode('ascii'))
            # Not by tofile, whose error does not say why.
            file.write(vertices.data)


def read_ply(path: str | os.PathLike) -> PlyCloud:
    """
    Read a little-endian binary PLY whose first element is its vertices.

    Properties beside position and colour are passed over; a cloud without colours of 8
    bits is white. Raises ValueError naming the file for any other kind of file.
    """
    with open(path, 'rb') as file:
        try:
            count, dtype = _read_header(file, path)
        except (KeyError, TypeError) as error:
            raise ValueError(f'{path} has a header that is damaged: {error}') from error
        # By the size of what is there, not by what the header claims.
        there = (os.fstat(file.fileno()).st_size - file.tell()) // dtype.itemsize
        if not 0 <= count <= there:
            raise ValueError(f'{path}: {there} of {count} points; the file is cut short')
        vertices = np.fromfile(file, dtype=dtype, count=count)
    with np.errstate(over='ignore'):
        points = np.stack([vertices[name] for name in 'xyz'], axis=1).astype(np.float32)
    colours = np.full((count, 3), 255, dtype=np.uint8)
    if all(dtype.fields.get(name, (None,))[0] == np.uint8 for name in ('red', 'green', 'blue')):
        colours = np.stack([vertices[name] for name in ('red', 'green', 'blue')], axis=1)
    return PlyCloud(points, colours)


def _read_header(file, path) -> tuple[int, np.dtype]:
    """Read up to end_header; give the number of vertices and the layout of one."""
    if file.readline().strip() != b'ply':
        raise ValueError(f'{path} is not a PLY file')
    count, fields, element = 0, [], ''
    for line in iter(file.readline, b''):
        match line.decode('ascii', 'replace').split():
            case ['format', encoding, *_] if encoding != 'binary_little_endian':
                raise ValueError(f'{path} is {encoding}; only binary_little_endian is read')
            case ['element', name, number]:
                element = name
                if name == 'vertex':
                    count = _whole(number, path)
            case ['property', kind, name] if element == 'vertex':
                fields.append((name, PLY_TYPES[kind]))
            case ['end_header']:
                break
    if not {'x', 'y', 'z'} <= {name for name, _ in fields}:
        raise ValueError(f'{path} has no vertices with x, y and z')
    try:
        return count, np.dtype(fields)
    except ValueError as error:
        raise ValueError(f'{path} has a header that is damaged: {error}') from error


def _whole(text: str, path) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f'{path} has {text!r} vertices; a whole number is expected') from None
