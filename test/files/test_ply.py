# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""PLY clouds."""

import numpy as np
import pytest

from xstreamvggt_ros.files.ply import PlyCloud, read_ply, write_ply


def _cloud(count: int) -> PlyCloud:
    generator = np.random.default_rng(3)
    return PlyCloud(
        generator.standard_normal((count, 3)).astype(np.float32),
        generator.integers(0, 256, (count, 3), dtype=np.uint8),
    )


@pytest.mark.parametrize('count', [0, 1, 1000])
def test_round_trip(tmp_path, count):
    written = _cloud(count)
    write_ply(tmp_path / 'cloud.ply', written)
    read = read_ply(tmp_path / 'cloud.ply')
    np.testing.assert_array_equal(read.points, written.points)
    np.testing.assert_array_equal(read.colours, written.colours)


def test_the_bytes_are_what_the_format_says(tmp_path):
    write_ply(
        tmp_path / 'one.ply',
        PlyCloud(np.array([[1, 2, 3]], np.float32), np.array([[4, 5, 6]], np.uint8)),
    )
    header, _, body = (tmp_path / 'one.ply').read_bytes().partition(b'end_header\n')
    assert header.startswith(b'ply\nformat binary_little_endian 1.0\nelement vertex 1\n')
    assert body == np.array([1, 2, 3], '<f4').tobytes() + bytes([4, 5, 6])


def test_other_properties_are_passed_over(tmp_path):
    layout = np.dtype([('confidence', '<f8'), ('x', '<f4'), ('y', '<f4'), ('z', '<f4')])
    vertices = np.array([(9.0, 1, 2, 3), (8.0, 4, 5, 6)], dtype=layout)
    path = tmp_path / 'other.ply'
    path.write_bytes(
        b'ply\nformat binary_little_endian 1.0\ncomment by another\nelement vertex 2\n'
        b'property double confidence\nproperty float32 x\nproperty float y\nproperty float z\n'
        b'element face 0\nproperty list uchar int vertex_indices\nend_header\n'
        + vertices.tobytes()
    )
    cloud = read_ply(path)
    np.testing.assert_array_equal(cloud.points, [[1, 2, 3], [4, 5, 6]])
    assert (cloud.colours == 255).all()


@pytest.mark.parametrize(
    'content, message',
    [
        (b'not a ply', 'not a PLY'),
        (b'ply\nformat ascii 1.0\n', 'ascii'),
        (b'ply\nformat binary_little_endian 1.0\nelement vertex 0\nend_header\n', 'no vertices'),
        (
            b'ply\nformat binary_little_endian 1.0\nelement vertex 2\nproperty float x\n'
            b'property float y\nproperty float z\nend_header\n' + bytes(12),
            '1 of 2 points',
        ),
    ],
)
def test_other_files_are_refused_by_name(tmp_path, content, message):
    (tmp_path / 'bad.ply').write_bytes(content)
    with pytest.raises(ValueError, match=rf'bad\.ply.*{message}'):
        read_ply(tmp_path / 'bad.ply')


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / 'cloud.ply'
    write_ply(path, _cloud(3))
    before = path.read_bytes()
    with pytest.raises(ValueError):
        write_ply(path, PlyCloud(np.zeros((2, 3), np.float32), np.zeros((5, 3), np.uint8)))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ['cloud.ply']
