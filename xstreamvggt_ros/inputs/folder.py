# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A sequence read from files, whatever their layout."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
import hashlib
import os
from pathlib import Path

import numpy as np

from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.images.camera_model import CameraModel
from xstreamvggt_ros.inputs.problems import Problems
from xstreamvggt_ros.inputs.reading import natural_key, read_rgb
from xstreamvggt_ros.inputs.sequence import FrameTruth, SequenceFrame, TOPIC

BLOCK = 2**20


@dataclass(frozen=True, eq=False)
class FileSequence:
    """
    Frames of files below `root`; `files` are all that is read, which the fingerprint covers.

    Satisfies ImageSequence.
    """

    name: str
    dataset: str
    frames: Sequence[SequenceFrame]
    root: Path
    files: tuple[Path, ...]
    found: Problems = field(default_factory=Problems)
    independent_frames: bool = False
    topic: str = TOPIC
    transport: str = 'raw'
    length: int | None = None

    def __post_init__(self) -> None:
        """Bring frames that are known into the order of time, and count them."""
        if not isinstance(self.frames, tuple):
            return
        frames: dict[int, SequenceFrame] = {}
        for frame in self.frames:
            frames.setdefault(frame.stamp_ns, frame)
        if doubled := len(self.frames) - len(frames):
            self.found.add(
                f'{self.root}: {doubled} images have the number or stamp of another; the first of '
                'each is taken'
            )
        ordered = tuple(frames[stamp] for stamp in sorted(frames))
        object.__setattr__(self, 'frames', ordered)
        object.__setattr__(self, 'length', len(ordered))

    @property
    def problems(self) -> tuple[str, ...]:
        """Return what was found so far."""
        return self.found.lines()

    def fingerprint(self) -> str:
        """Hash the files in the order of their names; one that is missing counts as such."""
        return hash_files(self.files, self.root)


def hash_files(files: Iterable[Path], root: Path) -> str:
    """Return the SHA-256 over names relative to root, sizes and contents, ordered by name."""
    digest = hashlib.sha256()
    for file in sorted(set(files)):
        name = os.fsencode(file.relative_to(root) if file.is_relative_to(root) else file.name)
        try:
            digest.update(b'%b\0%d\0' % (name, file.stat().st_size))
            with file.open('rb') as opened:
                while block := opened.read(BLOCK):
                    digest.update(block)
        except OSError:
            digest.update(b'%b\0missing\0' % name)
    return digest.hexdigest()


def file_frame(
    stamp_ns: int,
    file: Path,
    problems: Problems,
    camera: CameraModel | None = None,
    depth: Callable[[], np.ndarray | None] = lambda: None,
    pose: Callable[[], np.ndarray | None] = lambda: None,
    intrinsics: np.ndarray | None = None,
    name: str = '',
) -> SequenceFrame:
    """Make a frame of an image file; depth and pose are called when the truth is asked for."""
    return SequenceFrame(
        stamp_ns,
        name or file.name,
        camera,
        lambda: read_rgb(file, problems),
        lambda: FrameTruth(depth(), pose(), intrinsics),
        read_pose=pose,
    )


def listed(folder: Path, pattern: str, layout: str) -> list[Path]:
    """List files in natural order; InputError naming the layout where there are none."""
    files = sorted(folder.glob(pattern), key=natural_key)
    if not files:
        raise InputError(
            f'{folder} has no {pattern}: it is not a sequence in the layout of {layout}'
        )
    return files


def number_in(file: Path) -> int:
    """Read the last run of digits of a file's name: the number of its frame."""
    digits = [int(run) for run, text in natural_key(Path(file.stem)) if not text and run >= 0]
    if not digits:
        raise InputError(f'{file} has no number in its name')
    return digits[-1]


def present(files: Sequence[Path], what: str, problems: Problems) -> list[Path | None]:
    """Replace files that are missing by None, and say so in one sentence."""
    found = [file if file.is_file() else None for file in files]
    missing = [file.name for file, there in zip(files, found, strict=True) if there is None]
    problems.add_missing(f'{files[0].parent if files else ""}: no {what}', missing, len(files))
    return found
