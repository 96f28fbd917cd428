# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The options of evaluation's command line that are the cache's, made from its fields."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from xstreamvggt_ros.cache import BUDGETS, CacheConfig, SETTINGS
from xstreamvggt_ros.cache.setting import Setting
from xstreamvggt_ros.evaluation.budgets import FORMS
from xstreamvggt_ros.evaluation.run_config import RunConfig

BUDGET = Setting('', f'How much is remembered: {FORMS}.', str)
# So many choices are listed in the text alone.
MANY = 4
# All of them take several values, one run for every combination.
OPTIONS = {
    'budget': BUDGET,
    **{name: said for name, said in SETTINGS.items() if name not in BUDGETS},
}


def add_cache_options(parser: argparse.ArgumentParser) -> None:
    """Add an option for each, which is None where it is not given, and the two beginnings."""
    add = parser.add_argument_group('cache; each takes several, to combine').add_argument
    shipped, paper = (_settings(begin) for begin in (False, True))
    for name, said in OPTIONS.items():
        text, default = said.description, _word(shipped[name])
        if paper[name] != shipped[name]:
            default += f', with --paper {_word(paper[name])}'
        many = len(said.choices) > MANY
        if many:
            text += f' One of {", ".join(said.choices)}.'
        add(
            f'--{name.replace("_", "-")}',
            nargs='+',
            type=_kind(said),
            choices=said.choices or None,
            metavar=None if said.choices and not many else name.split('_')[-1].upper(),
            help=f'{text} ({default})'.replace('%', '%%'),
        )
    parser.add_argument(
        '--paper', action='store_true', help='the method as published in the place of what ships'
    )


def cache_config(options: argparse.Namespace) -> CacheConfig:
    """Take what the other options vary."""
    return CacheConfig.published() if options.paper else CacheConfig.recommended()


def cache_axes(options: argparse.Namespace) -> dict[str, list[Any]]:
    """Take what was given: the values of each option, by its setting's name."""
    return {name: given for name in OPTIONS if (given := getattr(options, name))}


def _settings(paper: bool) -> dict[str, Any]:
    return RunConfig(cache=cache_config(argparse.Namespace(paper=paper))).settings()


def _word(value: Any) -> str:
    return {None: 'not given', True: 'true', False: 'false'}.get(value, str(value))


def _kind(said: Setting) -> Callable[[str], Any]:
    """Give what reads a value from the command line."""
    return _truth if said.kind is bool else said.kind


def _truth(text: str) -> bool:
    if text.lower() not in ('true', 'false'):
        raise argparse.ArgumentTypeError(f'{text!r} is neither true nor false')
    return text.lower() == 'true'
