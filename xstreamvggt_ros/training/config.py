# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a training run is made of."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Stage:
    """
    A part of the curriculum.

    until: the share of all steps at which the stage ends. size: (height, width) of the images in
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

    steps: length of the schedule (warm-up, then cosine to final_lr). depth_share, point_share:
    share of a batch's frames that the dense heads are trained on. ema: decay of the averaged
    weights per ema_every steps. rendered: size of the rendered frames. pool: sequences held where
    they are rendered in the process, one of them renewed every pool_every steps. held_out,
    held_out_frames: how many sequences, of how many frames, validation looks at.
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
    pool: int = 256
    pool_every: int = 4
    held_out: int = 24
    held_out_frames: int = 12
    loss: LossConfig = field(default_factory=LossConfig)

    def stage(self, step: int) -> Stage:
        """Return the stage that `step` belongs to; the last one goes on for ever."""
        for stage in self.stages:
            if step < stage.until * self.steps:
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
    # One large GPU, where a small batch would only wait for kernels to be launched.
    'gpu': TrainingConfig(
        stages=(
            Stage(0.3, (84, 112), ((128, 2), (64, 4))),
            Stage(0.7, (84, 112), ((128, 2), (64, 4), (32, 8), (10, 24))),
            Stage(1.0, (168, 224), ((48, 2), (24, 4), (12, 8), (6, 16), (4, 24))),
        ),
        steps=12_000,
        warmup=500,
        point_share=0.125,
        ema_every=1,
        ema=0.998,
        validate_every=1000,
        save_every=1000,
        rendered=(168, 224),
        pool=512,
    ),
}
