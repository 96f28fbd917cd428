# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The table of GPUs follows from the estimate."""

from dataclasses import replace

from memory_table import CONTEXT, GIB, GPUS_GIB, main, memory_table, MOST_FRAMES, USABLE
import torch

from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.memory.estimate import estimate, named, Settings
from xstreamvggt_ros.model import ModelConfig

MODEL = ModelConfig.preset('streamvggt')


def needed(size, bits, frames):
    cache = replace(CacheConfig.recommended(), bits=bits, budget_frames=frames)
    return estimate(Settings(MODEL, cache, size, torch.bfloat16, True))


def test_every_row_fits_its_card_and_is_what_the_estimate_says():
    rows = [[cell.strip() for cell in row.split('|')[1:-1]] for row in _rows(memory_table())]
    assert [row[0] for row in rows] == [f'{gpu} GB' for gpu in GPUS_GIB for _ in (4, 16)]

    for gpu, size, bits, frames, tokens, memory in rows:
        found = needed(int(size), int(bits), int(frames))
        assert memory == named(found.total)
        assert found.total < int(gpu.split()[0]) * GIB
        assert _number(tokens) == int(frames) * MODEL.tokens_per_frame(*found.size)


def test_no_larger_budget_would_fit():
    for row in _rows(memory_table()):
        gpu, size, bits, frames = (cell.strip() for cell in row.split('|')[1:5])
        free = USABLE * int(gpu.split()[0]) * GIB - CONTEXT
        one_more = needed(int(size), int(bits), int(frames) + 1).total
        assert one_more > free or int(frames) == MOST_FRAMES


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
