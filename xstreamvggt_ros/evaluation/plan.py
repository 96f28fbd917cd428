# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which runs a sweep is made of, each once, and where each one's record goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
import hashlib
from itertools import product
from pathlib import Path
import re

from xstreamvggt_ros.evaluation.code_version import code_version
from xstreamvggt_ros.evaluation.jsonable import dumps, plain
from xstreamvggt_ros.evaluation.protocol import Protocol
from xstreamvggt_ros.evaluation.record import read_record, Record, RecordError
from xstreamvggt_ros.evaluation.run_config import RunConfig, weights_fingerprint
from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.inputs import ImageSequence, open_sequence


@dataclass(frozen=True)
class SequenceSpec:
    """Where a sequence is: what `open_sequence` takes."""

    path: str
    layout: str = 'auto'
    options: tuple[tuple[str, object], ...] = ()

    def open(self) -> ImageSequence:
        """Open it; InputError names what is wrong."""
        return open_sequence(self.path, self.layout, **dict(self.options))


@dataclass(frozen=True)
class PlannedRun:
    """One run to make: its key is as of `RunConfig.key`, its folder is where the record goes."""

    spec: SequenceSpec
    config: RunConfig
    sequence: str
    dataset: str
    fingerprint: str
    weights: str
    folder: Path
    protocol: Protocol = Protocol()

    @property
    def key(self) -> str:
        """What a finished record of it is known by."""
        return self.config.key(self.fingerprint, self.weights)

    @property
    def error_file(self) -> Path:
        """Where it is said why it failed."""
        return self.folder.with_name(f'{self.folder.name}.error.json')

    def __str__(self) -> str:
        """Name it for people."""
        return f'{self.sequence}: {self.config.label()}'

    def record(self) -> Record | None:
        """Read its record where that is whole, of these settings, this input and this code."""
        try:
            return self._read()
        except RecordError:
            return None

    def outdated(self) -> str:
        """Say why the record in its folder is not used again; '' where it is, or none is there."""
        if not self.folder.exists():
            return ''
        try:
            self._read()
        except RecordError as error:
            return str(error)
        return ''

    @property
    def finished(self) -> bool:
        """Whether its record is there and scored by this protocol."""
        record = self.record()
        return record is not None and record.info['protocol'] == plain(self.protocol)

    def _read(self) -> Record:
        record, code = read_record(self.folder), code_version(self.config.mode)
        if record.info['key'] != self.key:
            raise RecordError(f'{self.folder} is of other settings or another input')
        if record.info.get('code') != code:
            made = record.info.get('code', 'a version that did not say which')
            raise RecordError(f'{self.folder} was made by {made}, and this is {code}')
        return record


@dataclass(frozen=True)
class Plan:
    """The runs of a sweep, and what kept sequences out of it."""

    runs: tuple[PlannedRun, ...] = ()
    problems: tuple[str, ...] = field(default=())


def configurations(
    base: RunConfig, axes: Mapping[str, Sequence[object]], reference: bool = True
) -> list[RunConfig]:
    """
    Combine every value of every axis (a name that `RunConfig.varied` takes), each run once.

    With `reference`, the unbounded, unrounded cache is among them for every other setting that
    it can be compared with. Raises ValueError for a value that a field cannot have.
    """
    names = list(axes)
    found: dict[RunConfig, RunConfig] = {}
    for values in product(*axes.values()):
        config = base.varied(**dict(zip(names, values, strict=True)))
        chosen = [config.as_reference(), config] if reference else [config]
        for each in chosen:
            found.setdefault(each.canonical(), each)
    # References first: what the others are compared with is there early.
    return sorted(found, key=lambda config: not config.is_reference)


def plan(
    specs: Iterable[SequenceSpec],
    configs: Sequence[RunConfig],
    output: Path,
    protocol: Protocol | None = None,
) -> Plan:
    """
    Open every sequence and plan its runs; one that cannot be opened is named among problems.

    Settings are `resolved` on this machine.
    """
    configs = [config.resolved() for config in configs]
    weights = {_network(config): '' for config in configs}
    for config in configs:
        weights[_network(config)] = weights[_network(config)] or weights_fingerprint(config)
    runs: dict[str, PlannedRun] = {}
    problems: list[str] = []
    for spec in specs:
        try:
            sequence = spec.open()
            fingerprint = _fingerprint(spec, sequence)
        except Exception as error:  # noqa: BLE001 whatever it is, the others go on
            problems.append(_sentence(spec.path, error))
            continue
        for config in configs:
            run = _planned(spec, config, sequence, fingerprint, weights[_network(config)], output)
            runs.setdefault(run.key, replace(run, protocol=protocol or Protocol()))
    return Plan(tuple(runs.values()), tuple(problems))


def _sentence(path: str, error: Exception) -> str:
    """Say what is wrong with an input, naming it; what is not foreseen, with its kind."""
    said = str(error)
    if not isinstance(error, (InputError, OSError)):
        return f'{path}: {type(error).__name__}: {said}'
    named = said.startswith(path) or str(Path(path).absolute()) in said
    return said if named else f'{path}: {said}'


def _fingerprint(spec: SequenceSpec, sequence: ImageSequence) -> str:
    """Hash what is read and how: the same files hold several topics, splits or kinds of depth."""
    text = dumps([sequence.fingerprint(), sequence.dataset, sorted(spec.options)])
    return hashlib.sha256(text.encode()).hexdigest()


def _network(config: RunConfig) -> tuple[str, str, str]:
    return config.preset, config.checkpoint, config.revision


def _planned(
    spec: SequenceSpec,
    config: RunConfig,
    sequence: ImageSequence,
    fingerprint: str,
    weights: str,
    output: Path,
) -> PlannedRun:
    key = config.key(fingerprint, weights)
    name = _file_name(f'{sequence.dataset}-{sequence.name}')
    folder = output / f'{name}__{_file_name(config.label())}__{key[:10]}'
    return PlannedRun(spec, config, sequence.name, sequence.dataset, fingerprint, weights, folder)


def _file_name(text: str) -> str:
    """Make of a text what every file system takes, and nothing that leads elsewhere."""
    return re.sub(r'[^A-Za-z0-9.]+', '-', text).strip('-.')[:80] or 'unnamed'
