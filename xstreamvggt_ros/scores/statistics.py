# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The usual summary of errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ErrorStatistics:
    """Summary of errors (N,), NaN where there are none; std is the population's."""

    rmse: float
    mean: float
    median: float
    std: float
    min: float
    max: float
    count: int

    @classmethod
    def of(cls, errors: np.ndarray) -> ErrorStatistics:
        """Summarise."""
        errors = np.asarray(errors, dtype=np.float64)
        if not len(errors):
            return cls(*[np.nan] * 6, 0)
        return cls(
            float(np.sqrt(np.mean(errors**2))),
            float(errors.mean()),
            float(np.median(errors)),
            float(errors.std()),
            float(errors.min()),
            float(errors.max()),
            len(errors),
        )
