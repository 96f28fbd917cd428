# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""By which code something was made, whether that is installed or a checkout."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
import hashlib
from pathlib import Path

from xstreamvggt_ros.files.hashing import file_sha256

PACKAGE = Path(__file__).resolve().parents[1]


@cache
def code_digest(
    starts: tuple[str, ...], without: frozenset[str] = frozenset(), package: Path = PACKAGE
) -> str:
    """
    Give a digest of the `sources` of some modules.

    It is read once: what a process has loaded does not change with the files.
    """
    digest = hashlib.sha256()
    for file in sources(starts, without, package):
        digest.update(f'{file.relative_to(package).as_posix()}\0{file_sha256(file)}\0'.encode())
    return digest.hexdigest()[:16]


def sources(
    starts: tuple[str, ...], without: frozenset[str] = frozenset(), package: Path = PACKAGE
) -> list[Path]:
    """Follow the imports of modules, named within the package, to all files of it."""
    seen = set(without)
    waiting = list(starts)
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
