# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Values of a wrong type on the command line.

Where a parameters file gives the same parameter, rcl keeps the values of both types and hands out
the file's: what the command line said is lost without a word. So it is read here once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from xstreamvggt_ros.parameters.spec import ParameterSpec, Value

BEGIN, END = '--ros-args', '--'
FLAGS = ('-p', '--param')
TRUTHS = frozenset('y yes true on n no false off'.split())


def mistyped(
    arguments: Sequence[str], node_name: str, specs: Mapping[str, ParameterSpec]
) -> dict[str, str]:
    """
    Find what the command line sets to a value of another type: a sentence by parameter.

    Only the last value of a parameter counts, and those for other nodes do not.
    """
    problems = {}
    for name, text in _assignments(arguments, node_name):
        spec = specs.get(name)
        problems.pop(name, None)
        if spec is not None and not _reads_as(text, spec.default):
            problems[name] = (
                f'{name} is {text!r} on the command line; give it {_wanted(spec.default)}, '
                f'like {spec.default!r}'
            )
    return problems


def _assignments(arguments: Sequence[str], node_name: str) -> Iterator[tuple[str, str]]:
    """Give name and text of every parameter on the command line that is this node's."""
    ros, flag = False, False
    for word in arguments:
        if word in (BEGIN, END):
            ros, flag = word == BEGIN, False
        elif ros and flag:
            flag = False
            target, assigned, text = word.partition(':=')
            node, _, name = target.rpartition(':')
            if assigned and (not node or '*' in node or node.strip('/') == node_name):
                yield name, text.strip()
        else:
            flag = ros and word in FLAGS


def _reads_as(text: str, default: Value) -> bool:
    """Whether rcl reads a value of the default's type; an integer does for a float."""
    if isinstance(default, bool):
        return text.lower() in TRUTHS
    if isinstance(default, int):
        return _converts(lambda: int(text, 0))
    if isinstance(default, float):
        return _converts(lambda: float(text.replace('.inf', 'inf').replace('.nan', 'nan')))
    return text.startswith('[') == isinstance(default, list)


def _converts(conversion: Callable[[], object]) -> bool:
    try:
        conversion()
    except ValueError:
        return False
    return True


def _wanted(default: Value) -> str:
    for kind, words in (
        (bool, 'true or false'),
        (int, 'a whole number'),
        (float, 'a number'),
        (list, 'a list'),
    ):
        if isinstance(default, kind):
            return words
    return 'a text'
