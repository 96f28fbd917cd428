# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The table of GPUs follows from the estimate."""

from dataclasses import replace

import memory_table as tables
from memory_table import devices, GIB, main, memory_table, MOST_FRAMES
import pytest
import torch

from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.memory.estimate import estimate, named, Settings
from xstreamvggt_ros.model import ModelConfig
from xstreamvggt_ros.model.model_config import PRESETS

MODEL = ModelConfig.preset('streamvggt')


def needed(size, bits, frames):
    cache = replace(CacheConfig.recommended(), bits=bits, budget_frames=frames)
    return estimate(Settings(MODEL, cache, size, torch.bfloat16, True))


def test_every_row_fits_its_card_and_is_what_the_estimate_says():
    rows = [[cell.strip() for cell in row.split('|')[1:-1]] for row in _rows(memory_table())]
    assert [row[0] for row in rows] == [name for name in devices() for _ in (4, 16)]

    for gpu, size, bits, frames, tokens, memory in rows:
        found = needed(int(size), int(bits), int(frames))
        assert memory == named(found.total)
        assert found.total <= devices()[gpu] < int(gpu.split()[-2]) * GIB
        assert _number(tokens) == int(frames) * MODEL.tokens_per_frame(*found.size)


def test_no_larger_budget_would_fit():
    for row in _rows(memory_table()):
        gpu, size, bits, frames = (cell.strip() for cell in row.split('|')[1:5])
        one_more = needed(int(size), int(bits), int(frames) + 1).total
        assert one_more > devices()[gpu] or int(frames) == MOST_FRAMES


def test_fewer_bits_hold_no_fewer_tokens_and_larger_cards_no_smaller_images():
    rows = [row.split('|') for row in _rows(memory_table())]
    for four, sixteen in zip(rows[::2], rows[1::2], strict=True):
        assert _number(four[4]) >= _number(sixteen[4])
    for kind in ('Orin', ''):
        sizes = [_number(row[2]) for row in rows[::2] if ('Orin' in row[1]) == bool(kind)]
        assert sizes == sorted(sizes)


def test_the_command_says_that_nothing_was_measured(capsys, monkeypatch):
    monkeypatch.setattr(tables, 'planning', lambda: 'how fast')

    assert main() == 0

    out, progress = capsys.readouterr()
    assert 'estimated, not measured' in out and out.endswith('how fast\n')
    # One line for each row that is still to come, and one for the time.
    assert progress.splitlines()[0] == 'estimating the largest budget on 4 GB, 4 bits ...'
    assert len(progress.splitlines()) == len(devices()) * 2 + 1


def test_one_device_is_told_its_largest_budget_and_its_time(capsys):
    main(['--free-gib', '0.125', '--preset', 'tiny', '--image-size', '168', '--bits', '8'])
    out = capsys.readouterr().out

    frames = int(out.split()[1].rstrip(':,'))
    model = ModelConfig.preset('tiny')
    cache = replace(CacheConfig.recommended(), bits=8, budget_frames=frames)
    assert estimate(Settings(model, cache, 168, torch.bfloat16, True)).total <= GIB / 8
    assert f'{frames * model.tokens_per_frame(126, 168):,} tokens a layer at 168x126' in out
    next_one = replace(cache, budget_frames=frames + 1)
    more = estimate(Settings(model, next_one, 168, torch.bfloat16, True)).total
    assert f'{frames + 1} frames would take {named(more)}, more than is free' in out
    # Of the devices those with the least memory that has as much.
    assert 'RTX 4060 ' in out and ' ms' in out and 'H200' not in out


@pytest.mark.parametrize(
    ('device', 'free', 'named'),
    [('', 15, ['Orin NX']), ('', 20, ['RTX 4090', 'L4']), ('H200', 6, ['H200'])],
)
def test_time_is_that_of_the_device_asked_for_or_of_those_that_may_be_it(device, free, named):
    said = tables.milliseconds((126, 168), 3, 4, 'tiny', device, free)
    assert [each.rsplit(' ', 2)[0] for each in said.split(', ')] == named


def test_a_device_that_nobody_knows_is_told_which_there_are():
    assert 'one of H200, RTX 4060' in tables.milliseconds((126, 168), 3, 4, 'tiny', 'RTX 1', 6)


def test_a_device_that_is_too_small_is_told_so(capsys):
    main(['--free-gib', '1'])

    assert 'nothing fits in 1 GiB' in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(['--bits', '3'])


@pytest.mark.parametrize('preset', PRESETS)
def test_every_preset_is_answered_for_at_the_size_that_the_node_takes(capsys, preset):
    main(['--free-gib', '0.01', '--preset', preset])

    said = capsys.readouterr().out
    cache = replace(CacheConfig.recommended(), bits=4, budget_frames=2)
    model = ModelConfig.preset(preset)
    least = estimate(Settings(model, cache, model.image_size, torch.bfloat16, True))
    assert f'nothing fits in 0.01 GiB: two frames take {named(least.total)};' in said


@pytest.mark.parametrize('free', ['nan', 'inf', '0', '-6', 'six', '1e999'])
def test_memory_that_no_device_has_is_refused_by_its_value(capsys, free):
    with pytest.raises(SystemExit):
        main([f'--free-gib={free}'])

    assert f"--free-gib: '{free}' is no memory; give GiB above 0" in capsys.readouterr().err


def _rows(table):
    return table.splitlines()[2:]


def _number(text):
    return int(text.replace(',', ''))
