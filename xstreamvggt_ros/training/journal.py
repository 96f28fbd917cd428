# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The log of a run: one JSON object a line, and pictures of the curves."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

TRAINING_CURVES = ('loss', 'camera', 'depth', 'points')
VALIDATION_CURVES = ('abs_rel', 'delta', 'ate_median', 'rotation', 'fov')


class Journal:
    """Lines of figures, each with its step; a resumed run goes on with the same file."""

    def __init__(self, path: Path) -> None:
        """Take the file to append to."""
        self.path = path

    def add(self, kind: str, step: int, figures: dict[str, float]) -> None:
        """Append one line."""
        rounded = {name: float(f'{value:.5g}') for name, value in figures.items()}
        with self.path.open('a') as file:
            file.write(json.dumps({'kind': kind, 'step': step, **rounded}) + '\n')

    def forget_after(self, step: int) -> None:
        """Drop the lines of steps that a run resumed at `step` is about to do again."""
        # A crash on the way leaves the previous file.
        partial = self.path.with_suffix('.partial')
        kept = [line for line in self._lines() if line['step'] <= step]
        partial.write_text(''.join(json.dumps(line) + '\n' for line in kept))
        partial.rename(self.path)

    def rows(self, kind: str) -> list[dict]:
        """Return the lines of a kind, oldest first."""
        return [line for line in self._lines() if line['kind'] == kind]

    def kinds(self) -> list[str]:
        """Return the kinds of lines in the file, sorted."""
        return sorted({line['kind'] for line in self._lines()})

    def best(self, kind: str, name: str) -> float:
        """Return the lowest value so far of a figure in the lines of a kind."""
        return min((row[name] for row in self.rows(kind)), default=float('inf'))

    def _lines(self) -> list[dict]:
        lines = []
        for text in self.path.read_text().splitlines() if self.path.exists() else ():
            # A crash may have left half a line.
            with contextlib.suppress(json.JSONDecodeError):
                lines.append(json.loads(text))
        return lines


def draw_curves(journal: Journal, path: Path) -> None:
    """Draw the training and validation curves of a run into an image file."""
    import matplotlib

    matplotlib.use('Agg')
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(3, 3, figsize=(12, 8), layout='constrained')
    panels = [('training', name) for name in TRAINING_CURVES]
    panels += [('validation', name) for name in VALIDATION_CURVES]
    for axis, (prefix, name) in zip(axes.flat, panels, strict=True):
        for kind in journal.kinds():
            rows = [row for row in journal.rows(kind) if name in row]
            if kind.startswith(prefix):
                axis.plot([row['step'] for row in rows], [row[name] for row in rows], label=kind)
        axis.set_title(f'{prefix}: {name}')
        axis.grid(alpha=0.3)
    axes.flat[-1].legend()
    figure.savefig(path, dpi=80)
    plt.close(figure)
