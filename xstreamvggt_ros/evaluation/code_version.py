# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which code makes a run, whether it is installed or a checkout."""

from __future__ import annotations

from functools import cache
import hashlib
from pathlib import Path

from xstreamvggt_ros.evaluation.hashing import file_sha256
from xstreamvggt_ros.world.saving import versions

PACKAGE = Path(__file__).resolve().parents[1]
# What shows results, and what makes weights and pixels: those are known by their contents.
NO_PART = ('evaluation/export', 'evaluation/report', 'training')
# What is between the pipeline and the figures in live replay, and not in exact.
LIVE_ONLY = ('demo', 'messages', 'node', 'parameters', 'rig', 'transport')


@cache
def code_version(mode: str, package: Path = PACKAGE) -> str:
    """
    Give the version and a digest of the sources that have a part in runs of a mode.

    It is read once: what a process has loaded does not change with the files.
    """
    left_out = NO_PART if mode == 'live' else (*NO_PART, *LIVE_ONLY)
    digest = hashlib.sha256()
    for file in sorted(package.rglob('*.py')):
        path = file.relative_to(package)
        if not any(path.is_relative_to(part) for part in left_out):
            digest.update(f'{path.as_posix()}\0{file_sha256(file)}\0'.encode())
    return f'{versions()["xstreamvggt_ros"]} {digest.hexdigest()[:16]}'
