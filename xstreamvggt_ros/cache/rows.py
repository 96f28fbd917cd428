# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tensors with one row per slot, allocated once and written in place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class RowSpec:
    """Shape and type of what one slot holds, and what an empty slot is filled with."""

    shape: tuple[int, ...]
    dtype: torch.dtype
    fill: int = 0


class Rows:
    """Named tensors (S, ...) of S slots; the only place of the cache that allocates storage."""

    def __init__(self, specs: Mapping[str, RowSpec], slots: int, device: torch.device) -> None:
        """Allocate every tensor for that many slots."""
        self.specs = dict(specs)
        self.tensors = {
            name: torch.full((slots, *spec.shape), spec.fill, dtype=spec.dtype, device=device)
            for name, spec in self.specs.items()
        }

    def __getitem__(self, name: str) -> Tensor:
        """Return the tensor (S, ...) of that name."""
        return self.tensors[name]

    def write(self, slots: Tensor, values: Mapping[str, Tensor]) -> None:
        """Overwrite the given slots (N,) with values (N, ...), in place."""
        for name, value in values.items():
            self.tensors[name].index_copy_(0, slots, value.to(self.tensors[name].dtype))

    def clear(self) -> None:
        """Leave every slot as an empty one."""
        for name, tensor in self.tensors.items():
            tensor.fill_(self.specs[name].fill)

    def grow(self, slots: int) -> None:
        """Make room for `slots` slots, keeping what is held; only a cache without bound grows."""
        for name, old in self.tensors.items():
            spec = self.specs[name]
            new = old.new_full((slots, *spec.shape), spec.fill)
            new[: len(old)] = old
            self.tensors[name] = new


def total_bytes(tensors: Iterable[Tensor]) -> int:
    """Add up what the tensors take."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def entry(
    state: Mapping[str, Tensor],
    name: str,
    shape: tuple[int, ...],
    dtype: torch.dtype = torch.int64,
) -> Tensor:
    """Return a saved tensor; ValueError where there is none of that shape and type."""
    given = state.get(name)
    if given is None or (tuple(given.shape), given.dtype) != (tuple(shape), dtype):
        raise ValueError(f'{name} is missing or not {tuple(shape)} {dtype}')
    return given


def check_names(saved: Iterable[str], known: Iterable[str] = ()) -> None:
    """Raise ValueError where something else is saved, too."""
    foreign = sorted(set(saved) - set(known))
    if foreign:
        raise ValueError(f'{foreign[0]!r:.80} is saved, too, and no stream of its kind has that')


def check_finite(state: Mapping[str, Tensor]) -> None:
    """Raise ValueError where a saved number would spoil whatever is made of it."""
    for name, values in state.items():
        if values.is_floating_point() and not bool(torch.isfinite(values).all()):
            raise ValueError(f'{name} has numbers that are not finite; take another')


def part(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the entries whose names begin with the prefix, without it."""
    return {
        name.removeprefix(prefix): value
        for name, value in state.items()
        if name.startswith(prefix)
    }
