# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the cameras are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
import re

# A name becomes part of topics' names.
NAME = re.compile('[A-Za-z][A-Za-z0-9_]*')


def camera_names(topics: Sequence[str], given: Sequence[str]) -> tuple[str, ...]:
    """Name the camera of each topic: as `given`, or where that is '' by its last namespace."""
    padded = [*given, *[''] * (len(topics) - len(given))]
    return tuple(name or _default(topic) for topic, name in zip(topics, padded, strict=True))


def check_cameras(topics: Sequence[str], given: Sequence[str]) -> None:
    """Refuse names that are too few or many, no part of a topic's name, or double."""
    if list(given) not in ([''], []) and len(given) != len(topics):
        raise ValueError(
            f'input.camera_names is {list(given)}, but there are {len(topics)} in '
            f'input.image_topics, {list(topics)}; give each a name'
        )
    names = camera_names(topics, given)
    if len(topics) == 1 and not any(given):
        # Nothing is called by it.
        return
    for topic, name in zip(topics, names, strict=True):
        if not NAME.fullmatch(name):
            raise ValueError(
                f'the camera of {topic} is called {name!r}; give input.camera_names of letters, '
                'digits and underscores, with a letter first'
            )
    doubles = [name for name, count in Counter(names).items() if count > 1]
    if doubles:
        called = ', '.join(f'{topic} {name!r}' for topic, name in zip(topics, names, strict=True))
        raise ValueError(
            f'several cameras are called {", ".join(map(repr, doubles))}: {called}; '
            'give each a name of its own in input.camera_names'
        )
    if len(set(topics)) < len(topics):
        raise ValueError(
            f'input.image_topics is {list(topics)}; give each camera a topic of its own'
        )


def _default(topic: str) -> str:
    """Give the last namespace of a topic, or what it is called itself where it has none."""
    tokens = [token for token in topic.split('/') if token not in ('', '~')]
    return tokens[-2:][0] if tokens else 'camera'
