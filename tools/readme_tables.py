# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Write the tables of README.md that the code knows better.

``python tools/readme_tables.py`` puts each between its markers, ``<!-- <name>: generated -->`` and
``<!-- end -->``; with ``--check`` it only says, by its exit code, whether they are up to date.
"""

from collections.abc import Callable
from pathlib import Path
import re
import sys

from memory_table import memory_table

README = Path(__file__).resolve().parent.parent / 'README.md'


def parameters_table() -> str:
    """Describe every parameter: default, whether it may be set at any time, what it does."""
    from xstreamvggt_ros.parameters.table import PARAMETERS

    rows = ['| parameter | default | |', '|---|---|---|']
    for spec in PARAMETERS.values():
        mark = '' if spec.live else ' *'
        rows.append(f'| `{spec.name}`{mark} | {_value(spec.default)} | {_describe(spec)} |')
    return '\n'.join(rows)


def inputs_table() -> str:
    """Name every topic that the node listens to."""
    from xstreamvggt_ros.node.interface import INPUTS, NEWEST_DEPTH

    newest = f'as its publishers offer, depth {NEWEST_DEPTH}'
    queued = f'{newest}; with `input.queue: every` depth `input.queue_size`'
    rows = ['| in | type | quality of service | |', '|---|---|---|---|']
    for each in INPUTS:
        kinds = ', '.join(kind.__name__ for kind in each.kinds)
        qos = queued if each.queued else newest
        if each.depth:
            latched = 'transient local, ' if each.latched else ''
            qos = f'reliable, {latched}depth {each.depth}'
        rows.append(f'| `{each.name}` | {kinds} | {qos} | {each.meaning} |')
    return '\n'.join(rows)


def outputs_table() -> str:
    """Name every topic that the node publishes on."""
    from xstreamvggt_ros.node.interface import OUTPUTS
    from xstreamvggt_ros.node.qos import output_qos

    rows = ['| out | type | quality of service | |', '|---|---|---|---|']
    for each in OUTPUTS:
        profile = output_qos(each)
        words = (profile.reliability, profile.durability)
        words = [word.name.lower().replace('_', ' ') for word in words]
        # What a publisher is that asks for nothing else.
        words = ', '.join(
            'reliable' if word == 'system default' else word
            for word in words
            if word != 'volatile'
        )
        rows.append(
            f'| `{each.topic()}` | {each.kind.__name__} | {words}, depth {profile.depth} | '
            f'{each.meaning} |'
        )
    return '\n'.join(rows)


def services_table() -> str:
    """Name every service that the node offers while it is active."""
    from xstreamvggt_ros.node.interface import SERVICES

    rows = ['| service | type | |', '|---|---|---|']
    rows += [f'| `{each.topic}` | {each.kind.__name__} | {each.meaning} |' for each in SERVICES]
    return '\n'.join(rows)


def _describe(spec) -> str:
    text = spec.description
    if spec.choices:
        # Those that the description tells apart need not be listed again.
        missing = [choice for choice in spec.choices if str(choice) not in text]
        if missing:
            text += f' One of {", ".join(_value(choice) for choice in spec.choices)}.'
    elif spec.minimum is not None:
        text += f' From {_number(spec.minimum)} to {_number(spec.maximum)}.'
    # A bar would end the cell, and <i> is HTML.
    return text.replace('|', '\\|').replace('<', '&lt;')


def _value(value) -> str:
    if isinstance(value, bool):
        return f'`{str(value).lower()}`'
    if isinstance(value, str):
        return f'`{value}`' if value else "`''`"
    return f'`{value}`'


def _number(value: float) -> str:
    return f'{value:,}' if isinstance(value, int) else f'{value:g}'


TABLES: dict[str, Callable[[], str]] = {
    'memory': memory_table,
    'inputs': inputs_table,
    'outputs': outputs_table,
    'services': services_table,
    'parameters': parameters_table,
}


def with_tables(text: str) -> str:
    """Give a text with every table between its markers anew; ValueError for a missing marker."""
    for name, table in TABLES.items():
        pattern = rf'(<!-- {name}: generated -->\n).*?(\n<!-- end -->)'
        content = table()
        text, found = re.subn(
            pattern,
            lambda match, content=content: f'{match[1]}\n{content}\n{match[2]}',
            text,
            flags=re.DOTALL,
        )
        if found != 1:
            raise ValueError(f'README.md has {found} places for the table of {name}, not one')
    return text


def main(arguments: list[str]) -> int:
    """Write the tables, or check them: 1 where they differ."""
    old = README.read_text()
    new = with_tables(old)
    if new == old:
        return 0
    if '--check' in arguments:
        print('README.md differs from the code: run python tools/readme_tables.py')
        return 1
    README.write_text(new)
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
