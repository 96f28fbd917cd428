# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Names that a reader looks for lead to one place."""

import ast
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / 'xstreamvggt_ros'


def test_no_two_public_classes_share_a_name():
    places = defaultdict(list)
    for file in sorted(PACKAGE.rglob('*.py')):
        for statement in ast.parse(file.read_bytes()).body:
            if isinstance(statement, ast.ClassDef) and not statement.name.startswith('_'):
                places[statement.name].append(file.relative_to(PACKAGE).as_posix())

    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_every_room_says_what_it_is():
    for folder in PACKAGE.iterdir():
        file = folder / '__init__.py'
        if file.exists():
            assert ast.get_docstring(ast.parse(file.read_bytes())), folder.name
