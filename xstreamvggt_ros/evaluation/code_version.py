# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which code makes a run."""

from __future__ import annotations

from pathlib import Path

from xstreamvggt_ros.files.code_digest import code_digest, PACKAGE
from xstreamvggt_ros.world.saving import versions

# Where runs begin: what these import, and what that imports, has a part in them. What shows
# results and what makes weights has none; weights and pixels are known by their contents.
STARTS = {'exact': ('evaluation.running',), 'live': ('evaluation.running', 'node')}
# Imported by the first, but entered by live runs alone.
WITHOUT = {'exact': frozenset({'evaluation.live'}), 'live': frozenset()}


def code_version(mode: str, package: Path = PACKAGE) -> str:
    """Give the version and a digest of the sources that have a part in runs of a mode."""
    digest = code_digest(STARTS[mode], WITHOUT[mode], package)
    return f'{versions()["xstreamvggt_ros"]} {digest}'
