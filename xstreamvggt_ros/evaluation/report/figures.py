# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What each figure is called, its unit, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass
import math


@dataclass(frozen=True)
class Figure:
    """
    One figure of a run.

    name: as `scoring` has it. title, unit: for people. better: 'lower', 'higher', or '' where
    neither is. digits: after the point. factor: what a value is multiplied by to be shown.
    compared: whether its change from the reference says anything, as that of what is near 0 does
    not.
    """

    name: str
    title: str
    unit: str = ''
    better: str = ''
    digits: int = 3
    factor: float = 1.0
    compared: bool = True

    def show(self, value: float | None) -> str:
        """Write a value, '' for none."""
        if value is None or not math.isfinite(value):
            return ''
        return f'{self.factor * value:,.{self.digits}f}'

    @property
    def arrow(self) -> str:
        """An arrow the way that is better."""
        return {'lower': '↓', 'higher': '↑', '': ''}[self.better]


@dataclass(frozen=True)
class Task:
    """A table of the report."""

    name: str
    title: str
    note: str
    figures: tuple[Figure, ...]


def _low(name: str, title: str, unit: str = '', digits: int = 3, factor: float = 1.0) -> Figure:
    return Figure(name, title, unit, 'lower', digits, factor)


TASKS = (
    Task(
        'pose',
        'Camera trajectory',
        'After alignment by a similarity over the places of all frames (Umeyama), and over their '
        'orientations where those leave its turn free, as noted with the sequence. RPE '
        'over one frame and over a length of the true path. Tracked: the share of frames before '
        'the camera was lost.',
        (
            _low('ate_rmse', 'ATE', 'm'),
            _low('ate_rotation', 'rotation', '°', 2),
            _low('rpe_translation', 'RPE', 'm', 4),
            _low('rpe_rotation', 'RPE rotation', '°'),
            _low('rpe_metres_translation', 'RPE over metres', 'm'),
            _low('rpe_metres_rotation', 'RPE over metres, rotation', '°', 2),
            Figure('ate_scale', 'scale', 'm per unit'),
            Figure('tracked', 'tracked', '%', 'higher', 1, 100),
        ),
    ),
    Task(
        'depth',
        'Depth',
        'Over all pixels with a true depth; aligned by one median factor, by scale and shift '
        '(least squares), and not at all.',
        (
            _low('depth_median_abs_rel', 'AbsRel'),
            _low('depth_median_rmse', 'RMSE', 'm'),
            Figure('depth_median_delta', 'δ < 1.25', '%', 'higher', 1, 100),
            _low('depth_scale_shift_abs_rel', 'AbsRel, scale and shift'),
            Figure('depth_scale_shift_delta', 'δ, scale and shift', '%', 'higher', 1, 100),
            _low('depth_none_abs_rel', 'AbsRel, not aligned'),
        ),
    ),
    Task(
        'cloud',
        'Reconstruction',
        'Points after alignment to the true ones of the same pixels. Accuracy: from a point to '
        'the nearest true one; completeness: the other way; normal consistency: cosine between '
        'their normals.',
        (
            _low('accuracy_mean', 'Acc mean', 'm'),
            _low('accuracy_median', 'Acc median', 'm'),
            _low('completeness_mean', 'Comp mean', 'm'),
            _low('completeness_median', 'Comp median', 'm'),
            Figure('normal_consistency_mean', 'NC mean', '', 'higher'),
            Figure('normal_consistency_median', 'NC median', '', 'higher'),
        ),
    ),
    Task(
        'difference',
        'Difference from the unbounded cache',
        'What forgetting and rounding change, with or without a truth: nothing is aligned, since '
        'both runs see the world from their first camera. Depth: mean over all pixels of '
        '|d / d of the reference − 1|. Position: RMS by the length of the reference’s path. '
        'Cloud: mean distance of the points of the same pixels, by the mean depth.',
        (
            _low('difference_depth', 'depth', '%', 2, 100),
            _low('difference_position', 'position', '% of the path', 2, 100),
            _low('difference_rotation', 'rotation', '°', 3),
            _low('difference_cloud', 'cloud', '% of the depth', 2, 100),
            Figure('difference_frames', 'frames compared', '', '', 0),
        ),
    ),
    Task(
        'time',
        'Time',
        'Latency of a frame; growth is the last quarter of the frames by the first. What is '
        'bounded does not grow.',
        (
            _low('latency_median_ms', 'latency, median', 'ms', 1),
            _low('latency_p95_ms', 'p95', 'ms', 1),
            _low('latency_p99_ms', 'p99', 'ms', 1),
            Figure('latency_growth', 'growth', '×', 'lower', 2, compared=False),
            Figure('frames_per_second', 'frames/s', '', 'higher', 1),
            Figure('answered', 'frames answered', '%', 'higher', 1, 100),
            _low('dropped', 'dropped', '', 0),
            _low('failed', 'failed', '', 0),
            _low('warned', 'warned of', '', 0),
        ),
    ),
    Task(
        'memory',
        'Memory',
        'Cache: the most that was held between frames; forgotten: what a budget had to give up. '
        'Memory: the most that was resident in the whole process while a frame was worked on; its '
        'growth the last quarter of the frames less the first. Device memory: the most that torch '
        'had allocated at once in the run.',
        (
            _low('cache_mib', 'cache', 'MiB', 2),
            Figure('cache_tokens', 'tokens', 'of all layers', 'lower', 0),
            Figure('cache_evicted', 'forgotten', 'tokens of all layers', '', 0),
            _low('resident_mib', 'memory', 'MiB', 0),
            Figure('resident_growth_mib', 'memory growth', 'MiB', 'lower', 1, compared=False),
            _low('device_mib', 'device memory', 'MiB', 0),
        ),
    ),
)
FIGURES = {figure.name: figure for task in TASKS for figure in task.figures}
