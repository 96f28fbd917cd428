# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The weights that ship with the package."""

from __future__ import annotations

from pathlib import Path

from xstreamvggt_ros.model.model_config import PRESETS

FOLDER = Path(__file__).resolve().parent.parent / 'weights'


def bundled_presets() -> tuple[str, ...]:
    """Return the presets whose weights ship with the package."""
    return tuple(name for name in PRESETS if _file(name).is_file())


def bundled_checkpoint(preset: str) -> Path:
    """Return the file of a preset's weights; ValueError where none ship with the package."""
    if not _file(preset).is_file():
        raise ValueError(
            f'no weights are bundled for preset {preset}; give a file or a Hugging Face '
            'repository, or "random" for a test'
        )
    return _file(preset)


def _file(preset: str) -> Path:
    return FOLDER / f'{preset}.safetensors'
