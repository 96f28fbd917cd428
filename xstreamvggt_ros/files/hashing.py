# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Contents of files by their SHA-256."""

from __future__ import annotations

import hashlib
from pathlib import Path

CHUNK = 2**20


def file_sha256(path: Path) -> str:
    """Give the SHA-256, hex, of a file of any size."""
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
