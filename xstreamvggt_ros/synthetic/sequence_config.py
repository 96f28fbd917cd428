# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a synthetic sequence is made of."""

from __future__ import annotations

from dataclasses import dataclass

SCENES = ('room', 'outdoor', 'mixed')
MOTIONS = ('handheld', 'driving', 'drone', 'rotation', 'mixed')
MAX_SEED = 2**62


@dataclass(frozen=True)
class SequenceConfig:
    """
    Describe one synthetic sequence; the same values give the same frames on the same device.

    `scene` and `motion` of 'mixed' are drawn from the seed. `speed` scales translation and
    rotation per frame (1.0: 2-8 cm and 1-4 degrees a frame indoors). `horizontal_fov` is a range
    in degrees; the focal length is square and constant over the sequence. `principal_offset` is
    the largest shift of the principal point from (W/2, H/2), as a fraction of the image size.
    `clutter` scales how many things stand about. `shadows` adds cast shadows of the main light.
    `samples_per_pixel` above 1 smooths edges of the colour image; depth is always that of the
    pixel's centre. `motion_blur` averages over the shutter time, with at least four samples.
    `texture_seed` chooses the library of textures, which costs about a second per seed.
    Raises ValueError for a value out of range.
    """

    seed: int = 0
    frames: int = 48
    height: int = 168
    width: int = 224
    scene: str = 'mixed'
    motion: str = 'mixed'
    speed: float = 1.0
    horizontal_fov: tuple[float, float] = (50.0, 90.0)
    principal_offset: float = 0.0
    clutter: float = 1.0
    shadows: bool = True
    samples_per_pixel: int = 1
    motion_blur: bool = False
    sensor_noise: bool = True
    jpeg: bool = False
    texture_seed: int = 0

    def __post_init__(self):
        _check_choice('scene', self.scene, SCENES)
        _check_choice('motion', self.motion, MOTIONS)
        _check_range('seed', self.seed, 0, MAX_SEED)
        _check_range('texture_seed', self.texture_seed, 0, MAX_SEED)
        _check_range('frames', self.frames, 1, 100_000)
        _check_range('height', self.height, 8, 4096)
        _check_range('width', self.width, 8, 4096)
        _check_range('speed', self.speed, 0.05, 10.0)
        _check_range('principal_offset', self.principal_offset, 0.0, 0.25)
        _check_range('clutter', self.clutter, 0.0, 2.0)
        _check_range('samples_per_pixel', self.samples_per_pixel, 1, 64)
        if len(self.horizontal_fov) != 2:
            raise ValueError(f'horizontal_fov is {self.horizontal_fov}: give (least, most)')
        least, most = self.horizontal_fov
        _check_range('horizontal_fov[0]', least, 20.0, most)
        _check_range('horizontal_fov[1]', most, least, 130.0)


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f'{name} is {value!r}: choose one of {", ".join(choices)}')


def _check_range(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise ValueError(f'{name} is {value}: give a value from {least} to {most}')
