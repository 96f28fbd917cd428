# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Quality of service as recorders note it, in numbers or words, by machines or by hand."""

from __future__ import annotations

from dataclasses import dataclass

from xstreamvggt_ros.files.yaml_text import load_yaml


@dataclass(frozen=True)
class OfferedQos:
    """What a recorded publisher offered; `depth` is 0 where it is not known."""

    best_effort: bool = False
    transient_local: bool = False
    keep_all: bool = False
    depth: int = 0


def offered_qos(said: object) -> list[OfferedQos]:
    """Read profiles, YAML or what was read of it; what cannot be read counts as not said."""
    if isinstance(said, str):
        said = _yaml(said) if said.strip() else None
    if not isinstance(said, list):
        return []
    return [_profile(each) for each in said if isinstance(each, dict)]


def _profile(said: dict) -> OfferedQos:
    depth = said.get('depth')
    return OfferedQos(
        _is(said.get('reliability'), 2, 'best_effort'),
        _is(said.get('durability'), 1, 'transient_local'),
        _is(said.get('history'), 2, 'keep_all'),
        depth if isinstance(depth, int) and depth > 0 else 0,
    )


def _is(value: object, number: int, word: str) -> bool:
    if isinstance(value, str):
        return value.lower() == word
    return isinstance(value, int) and value == number


def _yaml(text: str) -> object:
    try:
        return load_yaml(text)
    except Exception:  # noqa: BLE001 parsers of damaged text raise what they please
        return None
