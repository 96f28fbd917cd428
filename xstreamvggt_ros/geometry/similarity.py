# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Similarity transforms, Sim(3)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

# In units of the worlds. Beyond it float32, which clouds and poses are made of, has no place for
# the scene, and at last no number.
FURTHEST = 1e9


@dataclass(frozen=True, eq=False)
class Similarity:
    """
    Map points of one world into another: x to scale * rotation @ x + translation, float64.

    rotation: (3, 3), translation: (3,) in the unit of the world mapped into.
    """

    scale: float = 1.0
    rotation: np.ndarray = field(default_factory=lambda: np.eye(3))
    translation: np.ndarray = field(default_factory=lambda: np.zeros(3))

    def state(self) -> Tensor:
        """Return it as a (13,) float64 tensor: scale, rotation row by row, translation."""
        return torch.from_numpy(
            np.concatenate(([self.scale], self.rotation.ravel(), self.translation))
        )

    @classmethod
    def from_state(cls, state: Tensor) -> Similarity:
        """Return what `state` was taken of; ValueError where it is none."""
        if state.shape != (13,):
            raise ValueError(f'a saved similarity is {tuple(state.shape)}, not 13 finite numbers')
        values = state.double().cpu().numpy()
        if not np.isfinite(values).all():
            raise ValueError(f'a saved similarity is {values}; it must be 13 finite numbers')
        scale, rotation = float(values[0]), values[1:10].reshape(3, 3)
        turned = np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-3)
        if not (1e-9 < scale < 1e9 and turned and np.linalg.det(rotation) > 0):
            raise ValueError(
                f'a saved similarity is {values}; it must be a scale above 0 and a rotation'
            )
        translation = values[10:]
        if np.abs(translation).max() > FURTHEST:
            raise ValueError(
                f'a saved similarity moves by {translation}; it must be at most {FURTHEST:g}'
            )
        return cls(scale, rotation, translation)
