# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parity vectors: outputs of the published networks on small deterministic models."""

from dataclasses import dataclass
import json
from pathlib import Path

import numpy as np
import torch

from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.model import load_random_weights, ModelConfig, StreamVGGT
from xstreamvggt_ros.stream import Frame, StreamingReconstructor

FOLDER = Path(__file__).parents[1] / 'data' / 'golden'
# Name in the file, name in Frame.
ARRAYS = {
    'pose_enc': 'pose_encoding',
    'depth': 'depth',
    'depth_conf': 'depth_confidence',
    'points': 'points',
    'points_conf': 'points_confidence',
}


@dataclass(frozen=True)
class Golden:
    """One file: its images (F, 3, H, W), expected arrays and configurations."""

    images: torch.Tensor
    expected: dict[str, np.ndarray]
    model_config: ModelConfig
    budget: int | None
    pool_size: int

    def model(self) -> StreamVGGT:
        """Build the network that the file was made by."""
        model = StreamVGGT(self.model_config)
        load_random_weights(model)
        return model

    def cache_config(self, **changes) -> CacheConfig:
        """Return the cache that the file was made by, with changes."""
        if self.budget is None:
            return CacheConfig(**changes)
        paper = {
            'budget_tokens': self.budget,
            'pool_size': self.pool_size,
            'policy': 'query_key',
            'strict_budget': False,
        }
        return CacheConfig(**(paper | changes))


def load(name: str) -> Golden:
    """Read the file of that name."""
    with np.load(FOLDER / f'{name}.npz') as file:
        config = json.loads(str(file['config']))
        return Golden(
            images=torch.from_numpy(file['images']),
            expected={array: file[array] for array in ARRAYS},
            model_config=ModelConfig(**config['model']),
            budget=config['cache']['budget'],
            pool_size=config['cache'].get('pool_size', 16),
        )


def stacked(frames: list[Frame]) -> dict[str, np.ndarray]:
    """Stack frames into arrays named and shaped as in a file."""
    return {
        array: torch.stack([getattr(frame, field) for frame in frames]).numpy()
        for array, field in ARRAYS.items()
    }


def replay(golden: Golden, config: CacheConfig) -> dict[str, np.ndarray]:
    """Feed the file's images to its network, one at a time."""
    reconstructor = StreamingReconstructor(golden.model(), config)
    return stacked([reconstructor.step(image) for image in golden.images])
