# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What samples of a process say of its growth."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.steadiness import (
    append_sample,
    by_minute,
    growth,
    late_by_tenths,
    plot,
    processor_late_by_second_tenth,
    read_samples,
    Sample,
    settled_parts,
)

SETTLE = 1000


def part(number=0, bytes_a_frame=0.0, level=3e8, noise=0.0, count=60, latency=50.0):
    """Make a part's samples, a hundred frames apart, that grow fast before they settle."""
    random = np.random.default_rng(number)
    return [
        Sample(
            part=number,
            seconds=10.0 * index,
            frames=100 * index,
            anonymous_bytes=round(
                level
                + bytes_a_frame * 100 * index
                - 1e4 * max(0, SETTLE - 100 * index)
                + noise * random.standard_normal()
            ),
            shared_bytes=0,
            file_descriptors=23,
            latencies_ms=(latency,) * 100,
            load=1.0,
            processor_seconds=0.05 * 100 * index,
        )
        for index in range(count)
    ]


def test_the_slope_is_that_of_the_settled_frames():
    slope = growth(settled_parts(part(bytes_a_frame=500.0), SETTLE))

    assert slope.value == pytest.approx(500.0, rel=1e-3)
    assert slope.high - slope.low < 1.0


def test_the_interval_holds_the_slope_where_samples_are_noisy():
    held = [
        slope.low <= 200.0 <= slope.high
        for number in range(200)
        for slope in [growth(settled_parts(part(number, 200.0, noise=1e6), SETTLE))]
    ]

    # 95 % of 200, give or take four standard deviations.
    assert 178 <= sum(held) <= 200


def test_parts_share_a_slope_and_not_a_level():
    samples = part(0, 100.0, level=3e8) + part(1, 100.0, level=4e8)

    assert growth(settled_parts(samples, SETTLE)).value == pytest.approx(100.0, rel=1e-3)


def test_too_little_gives_no_slope():
    assert growth(settled_parts(part(count=12), SETTLE)) is None


def test_late_frames_are_compared_with_early_ones():
    samples = part(latency=50.0, count=30) + part(latency=60.0, count=30)

    assert late_by_tenths(samples) == pytest.approx([50.0] * 5 + [60.0] * 5)
    assert late_by_tenths([]) == []


def test_processor_time_of_late_frames_is_compared_with_that_of_early_ones():
    assert processor_late_by_second_tenth(part()) == pytest.approx(1.0)
    slower = [
        replace(each, processor_seconds=each.processor_seconds * (1 + each.frames / 1e4))
        for each in part()
    ]
    assert processor_late_by_second_tenth(slower) > 1.2
    assert processor_late_by_second_tenth(part(count=3)) is None


def test_samples_come_back_from_a_file_that_was_cut_short(tmp_path):
    file, samples = tmp_path / 'samples.jsonl', part(count=3)
    assert read_samples(file) == []
    for sample in samples:
        append_sample(file, sample)
    with file.open('a') as cut:
        cut.write('{"part": 0, "sec')

    assert read_samples(file) == samples


def test_minutes_and_plot_tell_of_every_part():
    samples = part(0, count=13) + part(1, count=7)

    rows = by_minute(samples)

    assert [(row['part'], row['minute']) for row in rows] == [
        (0, 0),
        (0, 1),
        (0, 2),
        (1, 0),
        (1, 1),
    ]
    assert rows[0]['latency_p95_ms'] == 50.0
    assert rows[0]['processor_ms'] == pytest.approx(50.0)
    assert plot(samples, 'memory').startswith('<svg')
