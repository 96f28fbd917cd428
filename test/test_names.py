# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Names that a reader looks for lead to one place."""

import ast
from collections import defaultdict
from pathlib import Path
import re
import subprocess
import sys

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / 'xstreamvggt_ros'


def test_no_two_public_classes_share_a_name():
    places = defaultdict(list)
    for file in sorted(PACKAGE.rglob('*.py')):
        for statement in ast.parse(file.read_bytes()).body:
            if isinstance(statement, ast.ClassDef) and not statement.name.startswith('_'):
                places[statement.name].append(file.relative_to(PACKAGE).as_posix())

    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_every_room_says_what_it_is_and_is_in_the_architecture():
    text = (ROOT / 'docs' / 'architecture.md').read_text(encoding='utf-8')
    table = text.partition('| from the top |')[2].partition('\n\n')[0]
    named = {name for row in table.splitlines()[2:] for name in re.findall('`(\\w+)`', row[:60])}
    rooms = {file.parent.name: file for file in PACKAGE.glob('*/__init__.py')}

    for name, file in rooms.items():
        assert ast.get_docstring(ast.parse(file.read_bytes())), name
    assert rooms.keys() <= named


def test_rooms_that_compute_export_what_others_take():
    """Rooms that run, or that need what is not always installed, are taken file by file."""
    by_file = {'demo', 'evaluation', 'node', 'rig', 'training', 'view'}
    without = [
        file.parent.name
        for file in PACKAGE.glob('*/__init__.py')
        if file.parent.name not in by_file and '__all__' not in file.read_text(encoding='utf-8')
    ]
    assert without == []


def test_the_network_and_its_cache_need_neither_opencv_nor_ros():
    rooms = 'cache, geometry, guard, images, memory, model, ops, pipeline, scale, stream, world'
    program = f'import sys; from xstreamvggt_ros import {rooms}; print(*sys.modules)'
    loaded = subprocess.run(
        [sys.executable, '-c', program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {'cv2', 'rclpy', 'rosbags', 'matplotlib'} & set(loaded)
