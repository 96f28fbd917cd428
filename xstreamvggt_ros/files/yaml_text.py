# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""YAML that others wrote."""

from __future__ import annotations

# What aliases may add to a text, in characters, before it is read: a thousand aliases of a
# thousand characters each.
MOST_REPEATED = 2**20
MOST_LEVELS = 100


def load_yaml(text: str) -> object:
    """
    Read a document; whatever the parser raises, and ValueError where aliases blow it up.

    Aliases of aliases make gigabytes of a few lines as soon as anything, a parser's error among
    it, puts the values in words.
    """
    from ruamel.yaml import YAML

    most = len(text) + MOST_REPEATED
    _check_size(YAML(typ='safe').parse(text), most)
    return YAML(typ='safe').load(text)


def _check_size(events, most: int) -> None:
    """Raise ValueError where a text becomes more with its aliases written out, or nests deeply."""
    from ruamel.yaml import events as kinds

    sizes: dict[str, int] = {}
    open_nodes = [['', 0]]
    for event in events:
        anchor, size = getattr(event, 'anchor', None), 1
        if isinstance(event, kinds.CollectionStartEvent):
            open_nodes.append([anchor, 1])
            if len(open_nodes) > MOST_LEVELS:
                raise ValueError(f'it nests more than {MOST_LEVELS} deep')
            continue
        if isinstance(event, kinds.CollectionEndEvent):
            anchor, size = open_nodes.pop()
        elif isinstance(event, kinds.AliasEvent):
            size, anchor = sizes.get(anchor, 1), None
        elif isinstance(event, kinds.ScalarEvent):
            size = 1 + len(event.value)
        if anchor:
            sizes[anchor] = size
        open_nodes[-1][1] += size
        if open_nodes[-1][1] > most:
            raise ValueError(f'its aliases make more than {most} characters of it; write them out')
