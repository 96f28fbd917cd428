# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rows kept in a file, so that a killed command goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
import json
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

Chosen = TypeVar('Chosen')


def kept_rows(path: Path, conditions: dict[str, object]) -> list[dict]:
    """
    Read the rows that were made under these conditions, one of a scene and setting.

    A kill may have cut one short.
    """
    rows: dict[tuple[int, str], dict] = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            row = json.loads(line)
            if conditions.items() <= row.items():
                rows[row['seed'], row['setting']] = row
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return list(rows.values())


def missing(
    rows: list[dict], seeds: Iterable[int], chosen: Mapping[str, Chosen]
) -> dict[int, list[Chosen]]:
    """Give the settings that each scene has no row of; scenes that have all are left out."""
    done = {(row['seed'], row['setting']) for row in rows}
    left = {
        seed: [each for name, each in chosen.items() if (seed, name) not in done] for seed in seeds
    }
    return {seed: settings for seed, settings in left.items() if settings}


def complete(
    path: Path,
    conditions: dict[str, object],
    seeds: Iterable[int],
    chosen: Mapping[str, Chosen],
    work: Callable[[int, list[Chosen]], list[dict]],
    jobs: int,
    sound: Callable[[dict], bool] = lambda row: True,
) -> list[dict]:
    """
    Give a row of each scene and setting (by name), in the order of the settings.

    Those that path has under these conditions and that are `sound` are taken; `work` gives a
    scene's others, in so many processes (one: this one), and they are added to path at once.
    """
    seeds = list(seeds)
    kept = [
        row
        for row in kept_rows(path, conditions)
        if row['seed'] in seeds and row['setting'] in chosen and sound(row)
    ]
    left = missing(kept, seeds, chosen)
    path.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        file = stack.enter_context(path.open('a'))
        if file.tell() and not path.read_text().endswith('\n'):
            # A row that was cut short spoils no other.
            file.write('\n')
        each = map
        if jobs > 1:
            pool = ProcessPoolExecutor(jobs, mp_context=get_context('spawn'))
            each = stack.enter_context(pool).map
        measured = each(work, left.keys(), left.values())
        for rows in tqdm(measured, total=len(left), desc='scenes'):
            file.write(''.join(json.dumps(conditions | row) + '\n' for row in rows))
            file.flush()
            kept += rows
    order = list(chosen)
    return sorted(kept, key=lambda row: order.index(row['setting']))
