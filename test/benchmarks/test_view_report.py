# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What samples with the page open and closed say of its cost and of memory."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.view_report import view_figures
from benchmarks.viewing import CLOSED, OPEN, open_in, OPENING, ViewSample

KIB = 1024
SAMPLES, PERIOD_S = 30, 10.0


def made_samples(stretches, cost, drift=0.0, view_slope=0.0, seed=0):
    """Make samples of stretches; an open page costs `cost` of latency, a minute adds `drift`."""
    rng = np.random.default_rng(seed)
    samples = []
    for stretch in range(stretches):
        for _ in range(SAMPLES):
            seconds = PERIOD_S * len(samples)
            minutes = seconds / 60
            level = 60.0 * (cost if open_in(stretch) else 1.0) * (1 + drift * minutes)
            sample = ViewSample(
                part=0,
                seconds=seconds,
                frames=10 * len(samples),
                state=OPEN if open_in(stretch) else CLOSED,
                stretch=stretch,
                onlooker='Chromium',
                latencies_ms=tuple(level * rng.uniform(0.98, 1.02, 100)),
                node_bytes=10**8,
                view_bytes=int(10**8 + view_slope * minutes + rng.normal(0, KIB)),
                page_bytes=10**8 if open_in(stretch) else 0,
                node_processor=0.6 * seconds,
                view_processor=0.1 * seconds,
                page_processor=0.5 * seconds,
            )
            samples.append(sample)
    return samples


def test_what_the_page_costs_is_found_whatever_else_drifts():
    figures = view_figures(made_samples(12, 1.04, drift=0.005))
    for name in ('p50_open_by_closed', 'p95_open_by_closed'):
        found = figures[name]
        assert found['low'] < 1.04 < found['high'] and found['high'] - found['low'] < 0.12
    without = view_figures(made_samples(12, 1.0))['p95_open_by_closed']
    assert without['value'] == pytest.approx(1.0, abs=0.01)
    assert figures['minutes_open'] == pytest.approx(6 * 29 / 6)


def test_frames_while_a_page_opens_are_of_no_stretch():
    samples = made_samples(4, 1.0)
    slow = replace(samples[0], state=OPENING, latencies_ms=(10_000.0,) * 100)
    assert view_figures([slow, *samples])['p95_open_by_closed']['value'] < 1.1


def test_a_single_pair_has_no_interval_and_half_a_pair_no_ratio():
    single = view_figures(made_samples(2, 1.1))['p50_open_by_closed']
    assert (single['low'], single['high']) == (0, np.inf)
    assert view_figures(made_samples(1, 1.1))['p50_open_by_closed'] is None
    assert view_figures([])['stretches'] == []


def test_growth_of_the_view_is_found_and_what_is_flat_is_flat():
    slopes = view_figures(made_samples(12, 1.0, view_slope=4 * KIB))['bytes_a_minute']
    assert slopes['view']['low'] < 4 * KIB < slopes['view']['high']
    assert slopes['view']['low'] > KIB
    assert slopes['node']['value'] == 0 and slopes['page']['value'] == 0


def test_processor_time_is_that_of_a_stretch():
    row = view_figures(made_samples(2, 1.0))['stretches'][0]
    assert [row[who] for who in ('node', 'view', 'page')] == pytest.approx([0.6, 0.1, 0.5])
