# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""JSON that any reader takes: what is not finite becomes null."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
import json
import math
import re
from typing import Any

import numpy as np

# Surrogates that stand for no byte of a file's name.
NO_BYTE = re.compile(r'[\ud800-\udc7f\udd00-\udfff]')


def plain(value: Any) -> Any:
    """Turn numpy, dataclasses, tuples, names and what is not finite into what JSON has."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {printable(str(name)): plain(item) for name, item in value.items()}
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def printable(text: str) -> str:
    r"""
    Write what of a file's name is no text by its number; other text stays as it is.

    Bytes that are no UTF-8 become \xe9, surrogates that stand for no byte \ud800.
    """
    text = NO_BYTE.sub(lambda found: rf'\u{ord(found[0]):x}', text)
    return text.encode('utf-8', 'surrogateescape').decode('utf-8', 'backslashreplace')


def dumps(value: Any, indent: int | None = 1) -> str:
    """Write JSON without NaN; TypeError for what it cannot hold."""
    return json.dumps(plain(value), indent=indent, allow_nan=False, ensure_ascii=False)
