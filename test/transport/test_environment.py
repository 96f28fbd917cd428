# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Environment variables that are put back."""

import os

import pytest

from xstreamvggt_ros.transport.environment import environment


def test_variables_are_set_taken_away_and_put_back(monkeypatch):
    monkeypatch.setenv('XSTREAMVGGT_A', 'before')
    monkeypatch.setenv('XSTREAMVGGT_B', 'before')
    monkeypatch.delenv('XSTREAMVGGT_C', raising=False)
    before = dict(os.environ)

    with pytest.raises(ZeroDivisionError):
        with environment({'XSTREAMVGGT_A': 'now', 'XSTREAMVGGT_B': None, 'XSTREAMVGGT_C': 'now'}):
            assert os.environ['XSTREAMVGGT_A'] == os.environ['XSTREAMVGGT_C'] == 'now'
            assert 'XSTREAMVGGT_B' not in os.environ
            raise ZeroDivisionError

    assert dict(os.environ) == before
