# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What becomes of a run, whatever its input's truth is."""

from types import SimpleNamespace

from xstreamvggt_ros.demo import outcome


def test_what_is_unexpected_in_the_truth_is_noted(monkeypatch):
    def measure(*_):
        raise OverflowError('too far')

    monkeypatch.setattr(outcome, 'measure', measure)
    happened = SimpleNamespace(parameters={'output.world_axes': 'rep103'}, distorted=False)
    notes = []
    assert outcome.compare(None, happened, None, notes) is None
    assert notes == ['not compared with the truth: too far']
