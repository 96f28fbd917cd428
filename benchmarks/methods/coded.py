# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What processes are sent to do; they find nothing in the command's own module."""

from __future__ import annotations

from benchmarks.methods.trial import measure


def coded(seed: int, methods: list, codes: dict[str, str], **of_run) -> list[dict]:
    """Measure, and note in each row of which code its method is."""
    rows = measure(seed, methods, **of_run)
    return [row | {'method': codes.get(row['setting'])} for row in rows]
