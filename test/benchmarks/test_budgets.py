# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a budget costs, counted."""

import pytest

from benchmarks.budgets import main, operations
from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.model import ModelConfig

TINY = ModelConfig.preset('tiny')


def test_every_held_token_is_attended_to_in_every_global_block():
    size = (42, 56)
    new = TINY.tokens_per_frame(*size)
    more = operations(TINY, size, 300, 4) - operations(TINY, size, 100, 4)

    # Queries by keys and by values, a product and a sum each.
    assert more == 4 * TINY.depth * new * 200 * TINY.embed_dim


def test_the_table_sets_what_ships_beside_the_paper_s(capsys):
    assert main(['--preset', 'tiny', '--image-size', '56']) == 0

    rows = [
        [cell.strip() for cell in row.split('|')[1:-1]]
        for row in capsys.readouterr().out.splitlines()[2:]
    ]
    assert rows[0][0] == '2,048 tokens'
    shipped = f'{CacheConfig.recommended().budget_frames} frames, as it ships'
    assert shipped in [row[0] for row in rows]
    for column in (1, 4):
        numbers = [float(row[column].replace(',', '')) for row in rows[1:]]
        assert numbers == sorted(numbers)
    assert float(rows[0][5]) == pytest.approx(1.0)
