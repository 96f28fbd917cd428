# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small samples in the exact layouts of public data sets, and what must come out of them."""

from pathlib import Path

import numpy as np
from PIL import Image
from scipy.spatial.transform import Rotation

from xstreamvggt_ros.geometry import rigid

HEIGHT, WIDTH = 6, 8


def pixels(index: int, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Return an image that no other index has."""
    shape = height, width, 3
    return np.random.default_rng(index).integers(0, 256, shape, dtype=np.uint8)


def camera_pose(index: int) -> np.ndarray:
    """Return world from optical frame (4, 4), another for every index."""
    turn = Rotation.from_rotvec([0.1 * index, -0.2, 0.05 * index]).as_matrix()
    return rigid(turn, [0.5 * index, 1.0, -0.25 * index])


def save_image(file: Path, index: int) -> None:
    """Write the image of an index."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels(index)).save(file)


def save_depth(file: Path, values: list, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Write a 16-bit PNG whose first numbers are `values`, the rest of them 1000."""
    file.parent.mkdir(parents=True, exist_ok=True)
    stored = np.full((height, width), 1000, np.uint16)
    stored.ravel()[: len(values)] = values
    Image.fromarray(stored).save(file)
    return stored


def save_text(file: Path, text: str) -> None:
    """Write a text file, and its folders."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def matrix_text(matrix: np.ndarray) -> str:
    """Write a matrix as rows of numbers."""
    return ''.join(' '.join(f'{value:.17g}' for value in row) + '\n' for row in matrix)


def cut(file: Path) -> None:
    """Leave the first half of a file."""
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
