# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Write the tables of the documents that the code knows better.

``python tools/reference.py`` puts each between its markers, ``<!-- <name>: generated -->`` and
``<!-- end -->``, in the page that `TABLES` names; with ``--check`` it only says, by its exit code,
whether they are up to date.
"""

import ast
from collections.abc import Callable
from pathlib import Path
import re
import sys

from memory_table import memory_table

ROOT = Path(__file__).resolve().parent.parent
REFERENCE, CACHE = 'docs/reference.md', 'docs/cache.md'


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
    return _text(text)


def _text(text: str) -> str:
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


def launch_table() -> str:
    """Name every argument of every launch file, without ROS's launch, which may not be here."""
    rows = ['| launch file | argument | default | |', '|---|---|---|---|']
    for file in sorted((ROOT / 'launch').glob('*.launch.py')):
        name = f'`{file.name}`'
        for argument, default, text in _arguments(file):
            rows.append(f'| {name} | `{argument}:=` | {default} | {_text(text)} |')
            name = ''
    return '\n'.join(rows)


def _arguments(file: Path) -> list[tuple[str, str, str]]:
    """Read what a launch file declares: its tables of literals, and single declarations."""
    source = file.read_text(encoding='utf-8')
    tree, found = ast.parse(source), []
    for node in tree.body:
        if isinstance(node, ast.Assign) and node.targets[0].id.endswith('ARGUMENTS'):
            for name, default, *_, text in map(_literals, node.value.elts):
                found.append((name, _value(default), text))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, 'id', '') == 'DeclareLaunchArgument':
            given = {each.arg: each.value for each in node.keywords}
            if isinstance(node.args[0], ast.Constant):
                default = given.get('default_value')
                shown = 'must be given'
                if isinstance(default, ast.Constant):
                    shown = _value(default.value)
                elif default is not None:
                    shown = re.search(r"'(\w+\.yaml)'", source)[1]
                found.append((node.args[0].value, shown, given['description'].value))
    return found


def _literals(row: ast.Tuple) -> list:
    """Give a row's literals, None for what is none, such as a type."""
    return [None if isinstance(each, ast.Name) else ast.literal_eval(each) for each in row.elts]


TABLES: dict[str, dict[str, Callable[[], str]]] = {
    REFERENCE: {
        'inputs': inputs_table,
        'outputs': outputs_table,
        'services': services_table,
        'parameters': parameters_table,
        'launch': launch_table,
    },
    CACHE: {'memory': memory_table},
}


def with_tables(page: str, text: str) -> str:
    """Give a page's text with every table of it anew; ValueError for a missing marker."""
    for name, table in TABLES[page].items():
        pattern = rf'(<!-- {name}: generated -->\n).*?(\n<!-- end -->)'
        content = table()
        text, found = re.subn(
            pattern,
            lambda match, content=content: f'{match[1]}\n{content}\n{match[2]}',
            text,
            flags=re.DOTALL,
        )
        if found != 1:
            raise ValueError(f'{page} has {found} places for the table of {name}, not one')
    return text


def main(arguments: list[str]) -> int:
    """Write the tables, or check them: 1 where they differ."""
    status = 0
    for page in TABLES:
        path = ROOT / page
        old = path.read_text(encoding='utf-8')
        new = with_tables(page, old)
        if new == old:
            continue
        if '--check' in arguments:
            print(f'{page} differs from the code: run python tools/reference.py')
            status = 1
        else:
            path.write_text(new, encoding='utf-8')
    return status


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
