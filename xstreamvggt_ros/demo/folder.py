# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The folder of a run's files, in which those of another input are not replaced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from xstreamvggt_ros.files.errors import InputError

RENDERED = 'a rendered room'
RENDERED_BAG = 'input.mcap'
# What a run makes; those of a run before stay until there are new ones.
RECORDING = 'reconstruction.mcap'
CONTACT_SHEET = 'contact_sheet.png'
RESULTS = (CONTACT_SHEET, 'trajectory.tum', 'cloud.ply', RECORDING)
# Says whose the results are.
ORIGIN = 'made_from.txt'
UNKNOWN = 'an input that nothing tells of'


def origin_of(source: Path | None) -> str:
    """Name the input of a run; None: a room is rendered."""
    return RENDERED if source is None else str(source.resolve())


def owner(folder: Path) -> str:
    """Name the input that the results in a folder are of; '' where it has none."""
    if not any((folder / name).exists() for name in RESULTS):
        return ''
    file = folder / ORIGIN
    return file.read_text(encoding='utf-8').strip() if file.is_file() else UNKNOWN


@contextmanager
def made(output: Path, source: Path | None) -> Iterator[None]:
    """
    Have a folder for the files; what was made for it and is empty in the end goes again.

    InputError where there can be none, or where `source` is one of the files to be written.
    """
    new = [each for each in (output, *output.parents) if not each.exists()]
    try:
        output.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(f'--output {output} leads to a file; give a folder') from None
    results = [output / name for name in RESULTS]
    if source and source.exists() and any(_same(each, source) for each in results):
        raise InputError(f'--input {source} would be written over; give another --output')
    try:
        yield
    finally:
        for folder in new:
            if any(folder.iterdir()):
                break
            folder.rmdir()


def _same(one: Path, other: Path) -> bool:
    return one.exists() and one.samefile(other)


def free_folder(output: Path, origin: str) -> Path:
    """Choose `output`, with a number where it holds the results of another input."""
    for number in count(1):
        folder = output if number == 1 else output.with_name(f'{output.name}_{number}')
        if owner(folder) in ('', origin):
            return folder


def put_in_place(made: Path, output: Path, origin: str) -> list[Path]:
    """Move what a run made from the folder `made`; nothing of a run before stays among it."""
    mine = str((output / RENDERED_BAG).resolve())
    if owner(output) == RENDERED and origin not in (RENDERED, mine):
        (output / RENDERED_BAG).unlink(missing_ok=True)
    for name in RESULTS:
        if not (made / name).exists():
            (output / name).unlink(missing_ok=True)
    (output / ORIGIN).write_text(f'{origin}\n', encoding='utf-8')
    names = [name for name in (*RESULTS, RENDERED_BAG) if (made / name).exists()]
    return [(made / name).replace(output / name) for name in names]
