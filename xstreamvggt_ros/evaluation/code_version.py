# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which code makes a run, whether it is installed or a checkout."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
import hashlib
from pathlib import Path

from xstreamvggt_ros.evaluation.hashing import file_sha256
from xstreamvggt_ros.world.saving import versions

PACKAGE = Path(__file__).resolve().parents[1]
# Where runs begin: what these import, and what that imports, has a part in them. What shows
# results and what makes weights has none; weights and pixels are known by their contents.
STARTS = {'exact': ('evaluation.running',), 'live': ('evaluation.running', 'node')}
# Imported by the first, but entered by live runs alone.
LIVE = 'evaluation.live'


@cache
def code_version(mode: str, package: Path = PACKAGE) -> str:
    """
    Give the version and a digest of the sources that have a part in runs of a mode.

    It is read once: what a process has loaded does not change with the files.
    """
    digest = hashlib.sha256()
    for file in sources(mode, package):
        digest.update(f'{file.relative_to(package).as_posix()}\0{file_sha256(file)}\0'.encode())
    return f'{versions()["xstreamvggt_ros"]} {digest.hexdigest()[:16]}'


def sources(mode: str, package: Path = PACKAGE) -> list[Path]:
    """Follow the imports of what runs of a mode begin with to all files of the package."""
    seen = set() if mode == 'live' else {LIVE}
    waiting = list(STARTS[mode])
    found = set()
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        file = _file(package, module)
        if file is None:
            continue
        found.add(file)
        # Of a module within folders, theirs are run before it.
        waiting += [module.rpartition('.')[0], *_imports(file, package.name)]
    return sorted(found)


def _file(package: Path, module: str) -> Path | None:
    """Find a module's file; None where the name is that of something within a module."""
    place = package.joinpath(*module.split('.')) if module else package
    for file in (place.with_suffix('.py'), place / '__init__.py'):
        if file.is_file():
            return file
    return None


def _imports(file: Path, package: str) -> Iterator[str]:
    """Name what a file imports from its own package, wherever in the file that stands."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f'{node.module}.{each.name}' for each in node.names)]
        elif isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        for name in names:
            if name.partition('.')[0] == package:
                yield name.partition('.')[2]
