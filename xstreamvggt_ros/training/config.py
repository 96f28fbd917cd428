# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a training run is made of."""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Stage:
    """
    A part of the curriculum.

    until: the share of the run at which the stage ends. size: (height, width) of the images in
    pixels, multiples of 14. shapes: the (sequences, frames) that a batch is drawn from.
    strides: least and most rendered frames from one frame of a sequence to the next. pairs: train
    this many pairs of blocks by guidance alone, which costs a fraction; None: the whole network.
    """

    until: float
    size: tuple[int, int]
    shapes: tuple[tuple[int, int], ...]
    strides: tuple[int, int] = (1, 16)
    pairs: int | None = None


@dataclass(frozen=True)
class LossConfig:
    """
    Weights of the losses.

    camera: of the pose encodings, whose iterations count iteration_decay^(last - i) and whose
    Huber loss turns linear at huber_delta. points: of the point head, beside 1 of the depth head.
    alpha: reward of confidence. gradient: of the gradient term. sky: of the log confidence where
    nothing can be measured. logarithmic: compare dense maps as the heads give them, before exp,
    so that errors are relative; False compares them in units of the scene, as VGGT does.
    matching, read_outs: of the guidance (see guidance), given to the pairs guided_blocks and to
    all of them.
    """

    camera: float = 10.0
    iteration_decay: float = 0.6
    huber_delta: float = 0.02
    points: float = 0.5
    alpha: float = 0.2
    gradient: float = 1.0
    sky: float = 0.05
    logarithmic: bool = True
    matching: float = 0.2
    read_outs: float = 0.5
    guided_blocks: tuple[int, ...] = (0, 1)

    def weights(self) -> dict[str, float]:
        """Give the weight of each loss that the trainer computes."""
        return {
            'camera': self.camera,
            'depth': 1.0,
            'points': self.points,
            'poses': self.camera * self.read_outs,
            'patches': self.read_outs,
            'matching': self.matching,
        }


@dataclass(frozen=True)
class TrainingConfig:
    """
    Describe a run.

    steps: length of the schedule (warm-up, then cosine to final_lr) where no clock gives it.
    depth_share, point_share: share of a batch's frames that the dense heads are trained on. ema:
    decay of the averaged weights per ema_every steps. rendered, frames: size and length of the
    rendered sequences. pool: how many of them are held on the device at most, where there is room,
    and pool_least, how many there must be to begin; 0: they are read from the disk where they are
    used. held_out, held_out_frames: how many sequences, of how many frames, validation looks at.
    """

    stages: tuple[Stage, ...]
    steps: int
    seed: int = 0
    lr: float = 1e-3
    final_lr: float = 1e-5
    warmup: int = 200
    weight_decay: float = 0.05
    betas: tuple[float, float] = (0.9, 0.98)
    clip: float = 1.0
    muon: bool = True
    depth_share: float = 0.5
    point_share: float = 0.25
    ema: float = 0.99
    ema_every: int = 4
    validate_every: int = 500
    save_every: int = 250
    rendered: tuple[int, int] = (126, 168)
    frames: int = 32
    pool: int = 0
    pool_least: int = 64
    held_out: int = 24
    held_out_frames: int = 12
    loss: LossConfig = field(default_factory=LossConfig)

    def stage(self, progress: float) -> Stage:
        """Return the stage at that share of the run; the last one goes on for ever."""
        for stage in self.stages:
            if progress < stage.until:
                return stage
        return self.stages[-1]


def _whole_network(size: tuple[int, int], until: float) -> tuple[Stage, Stage]:
    """Train on short sequences until that share of the steps, then on ones up to 24 frames."""
    short, long = ((16, 2), (8, 4), (4, 8)), ((8, 4), (4, 8), (2, 16), (1, 24))
    return Stage(until, size, short, (1, 20)), Stage(1.0, size, long, (1, 20))


def _longer(size: tuple[int, int], steps: int) -> TrainingConfig:
    """Go on from weights that match already (--init)."""
    stages = _whole_network(size, 0.6)
    return TrainingConfig(stages, steps, lr=8e-4, depth_share=0.3, point_share=0.05)


RECIPES = {
    # Two cores: 32 small frames a step at most.
    'cpu': TrainingConfig(
        stages=(
            # Matching comes of a sudden, after a thousand steps or so; poses follow from it.
            Stage(0.4, (84, 112), ((16, 2),), (2, 20), pairs=2),
            *_whole_network((84, 112), 0.75),
        ),
        steps=10_000,
        lr=2e-3,
        depth_share=0.2,
        point_share=0.05,
    ),
    'cpu-longer': _longer((84, 112), 10_000),
    # Half as large again, which two cores take for less than twice the time.
    'cpu-larger': _longer((126, 168), 7_000),
    # One large GPU and a few minutes: 384 frames a step, of which one captured graph is launched.
    'gpu': TrainingConfig(
        stages=(
            Stage(0.4, (126, 168), ((192, 2), (96, 4), (48, 8))),
            Stage(1.0, (126, 168), ((96, 4), (48, 8), (24, 16), (16, 24)), (1, 20)),
        ),
        steps=12_000,
        lr=1.5e-3,
        point_share=0.125,
        ema_every=1,
        ema=0.998,
        validate_every=2500,
        save_every=500,
        pool=8192,
    ),
    # The same for `small`, whose images are larger.
    'gpu-small': TrainingConfig(
        stages=(
            Stage(0.4, (126, 168), ((192, 2), (96, 4), (48, 8))),
            Stage(1.0, (168, 224), ((48, 4), (24, 8), (12, 16), (8, 24)), (1, 20)),
        ),
        steps=12_000,
        lr=1.5e-3,
        depth_share=0.75,
        point_share=0.05,
        ema_every=1,
        ema=0.998,
        validate_every=2500,
        save_every=500,
        rendered=(168, 224),
        pool=8192,
    ),
}


def quick(config: TrainingConfig) -> TrainingConfig:
    """Return a recipe with every part of it, on images too few and small to learn from."""
    size = (42, 56)
    stages = tuple(
        replace(stage, size=size, shapes=((2, 2), (1, 3)), strides=(1, 2))
        for stage in config.stages
    )
    return replace(
        config,
        stages=stages,
        steps=8,
        warmup=2,
        rendered=size,
        frames=4,
        pool=min(config.pool, 16),
        pool_least=8,
        held_out=2,
        held_out_frames=3,
    )
