# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The table of GPUs follows from the estimate."""

from dataclasses import replace

from memory_table import GIB, GPUS_GIB, main, memory_table
import torch

from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.memory.estimate import estimate, named, Settings
from xstreamvggt_ros.model import ModelConfig


def test_every_row_fits_its_card_and_is_what_the_estimate_says():
    rows = [[cell.strip() for cell in row.split('|')[1:-1]] for row in _rows(memory_table())]
    assert [row[0] for row in rows] == [f'{gpu} GB' for gpu in GPUS_GIB for _ in (4, 16)]

    for gpu, size, bits, budget, _, memory in rows:
        tokens = int(budget.replace(',', ''))
        cache = replace(CacheConfig.recommended(), bits=int(bits), budget_tokens=tokens)
        model = ModelConfig.preset('streamvggt')
        found = estimate(Settings(model, cache, int(size), torch.bfloat16, True)).total
        assert memory == named(found)
        assert found < int(gpu.split()[0]) * GIB


def test_fewer_bits_hold_no_fewer_tokens_and_larger_cards_no_smaller_images():
    rows = [row.split('|') for row in _rows(memory_table())]
    for four, sixteen in zip(rows[::2], rows[1::2], strict=True):
        assert _number(four[4]) >= _number(sixteen[4])
    sizes = [_number(row[2]) for row in rows[::2]]
    assert sizes == sorted(sizes)


def test_the_command_says_that_nothing_was_measured(capsys):
    assert main() == 0
    assert 'estimated, not measured' in capsys.readouterr().out


def _rows(table):
    return table.splitlines()[2:]


def _number(text):
    return int(text.replace(',', ''))
