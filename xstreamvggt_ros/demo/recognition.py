# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the network made anything of what it saw, by what it says itself."""

from __future__ import annotations

import numpy as np

from xstreamvggt_ros.demo.results import Results
from xstreamvggt_ros.guard.verdict import LEAST_CONFIDENCE

# The surest tenth of the pixels is no surer than this above the least confidence there is.
UNSURE = 0.05
# The camera's way from end to end, by the median depth of what it saw.
LEAST_WAY = 0.01


def doubts(results: Results) -> list[str]:
    """
    Say in sentences with figures why a result may mean nothing; none where it looks sound.

    The confidence is the network's own, 1 where it has none. A camera that hardly moved may have
    stood still; the sentence says so.
    """
    found = []
    confidences = [maps.confidence[np.isfinite(maps.confidence)] for maps in results.maps.values()]
    sure = np.percentile(np.concatenate(confidences), 90) if confidences else np.nan
    if sure < LEAST_CONFIDENCE + UNSURE:
        found.append(
            f'the network does not recognise this: nine tenths of its pixels have a confidence of '
            f'{sure:.3f} or less, where {LEAST_CONFIDENCE:g} is none at all'
        )
    depths = [maps.depth[np.isfinite(maps.depth)] for maps in results.maps.values()]
    positions = results.trajectory.positions
    if len(positions) > 1 and any(len(each) for each in depths):
        depth = float(np.median(np.concatenate(depths)))
        way = float(np.linalg.norm(np.ptp(positions, axis=0)))
        if way < LEAST_WAY * depth:
            found.append(
                f'the estimated path spans {100 * way / depth:.1f} % of the depth of what was '
                'seen; if the camera moved, the network does not recognise this'
            )
    return found
