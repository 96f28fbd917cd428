# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a run may remember, written as one word: 'none', '2048', '8f', '64MiB' or '25%'."""

from __future__ import annotations

import re

from xstreamvggt_ros.cache import BUDGETS

FORMS = "'none', tokens a layer ('2048'), frames ('8f'), '64MiB', or a share ('25%')"
NONE = 'none'
SHARE = 'budget_share'
# What is written behind the amount, by the field of `CacheConfig`, or of `RunConfig`, that it is.
UNITS = {'budget_tokens': '', 'budget_frames': 'f', 'budget_mib': 'MiB', SHARE: '%'}
FIELDS = {unit: name for name, unit in UNITS.items()}
WHOLE = ('budget_tokens', 'budget_frames')
PATTERN = re.compile(r'(\d+(?:\.\d+)?)(|f|MiB|%)')


def budget_fields(word: str) -> dict[str, float | None]:
    """Give every field that a budget is written in its value; ValueError says what it may be."""
    fields: dict[str, float | None] = dict.fromkeys((*BUDGETS, SHARE))
    if word == NONE:
        return fields
    match = PATTERN.fullmatch(word)
    if not match or not float(match[1]) > 0:
        raise ValueError(f'budget is {word!r}; use {FORMS}')
    amount, name = float(match[1]), FIELDS[match[2]]
    if name in WHOLE and amount != int(amount):
        raise ValueError(f'budget is {word!r}; use a whole number')
    fields[name] = int(amount) if name in WHOLE else amount
    return fields


def budget_word(given: dict[str, float]) -> str:
    """Write a budget, by the name of its one field, as the word for it."""
    for name, amount in given.items():
        return f'{amount:g}{UNITS[name]}' if name not in WHOLE else f'{amount}{UNITS[name]}'
    return NONE
