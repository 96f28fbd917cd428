# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The paper's layout of keys: one minimum and step per channel and group of tokens."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import torch
from torch import Tensor

from xstreamvggt_ros.cache.codecs.affine import quantise
from xstreamvggt_ros.cache.codecs.base import Codec
from xstreamvggt_ros.cache.packing import pack
from xstreamvggt_ros.cache.rows import Rows, RowSpec
from xstreamvggt_ros.cache.slots import HeldTokens
from xstreamvggt_ros.ops.stored import Stored

GROUP_SIZE = 64
_NO_GROUP = -1


class TableSize(Enum):
    """How many groups the table of scales has room for."""

    BOUNDED = 'twice what full groups would need; beyond it whole groups are evicted'
    ELASTIC = 'the same at first, and more as groups are needed: nothing is evicted for its sake'
    GROWING = 'what every frame so far needs'


class GroupedCodec(Codec):
    """
    KIVI's layout of keys (arXiv 2402.02750) under eviction.

    Groups of 64 tokens are formed within one arriving frame and never mix with another, so that
    tokens are rounded once; a slot knows its group. A group's row of the table is free again when
    its last token is evicted.
    """

    def __init__(
        self, heads: int, head_dim: int, bits: int, frame_tokens: int, size: TableSize
    ) -> None:
        """Describe tokens (H, D) at that many bits a number, frame_tokens of them at a time."""
        self.bits = bits
        self._frame_tokens = frame_tokens
        self._frame_groups = -(-frame_tokens // GROUP_SIZE)
        self._size = size
        self._slot_specs = {
            'codes': RowSpec((heads, head_dim * bits // 8), torch.uint8),
            'group': RowSpec((), torch.int32, fill=_NO_GROUP),
        }
        scales = RowSpec((heads, head_dim), torch.float16)
        self._table_specs = {'minimum': scales, 'step': scales}

    def allocate(self, slots: int, device: torch.device) -> None:
        """Allocate the storage of that many slots, and the table of scales."""
        self._device = device
        self.rows = Rows(self._slot_specs, slots, device)
        self._table = Rows(self._table_specs, self._groups(slots), device)

    def grow(self, slots: int) -> None:
        """Make room for that many slots."""
        super().grow(slots)
        self._table.grow(self._groups(slots))

    def write(self, slots: Tensor, tokens: Tensor) -> None:
        """Store tokens (N, H, D) in slots (N,), rounding them group by group."""
        count = len(tokens)
        groups = -(-count // GROUP_SIZE)
        self.rows['group'].index_fill_(0, slots, _NO_GROUP)
        if self._size is TableSize.ELASTIC:
            self._stretch(groups)
        free = self._survivors(len(self.rows['group'])).sort(stable=True).indices[:groups]
        member = torch.arange(count, device=tokens.device) // GROUP_SIZE
        # The last group is filled up with the last token, which changes no minimum or step.
        filler = tokens[-1:].expand(groups * GROUP_SIZE - count, -1, -1)
        grouped = torch.cat([tokens, filler]).unflatten(0, (groups, GROUP_SIZE))
        codes, minimum, step = quantise(grouped, self.bits, dim=1)
        self._table.write(free, {'minimum': minimum[:, 0], 'step': step[:, 0]})
        packed = pack(codes.flatten(0, 1)[:count], self.bits)
        self.rows.write(slots, {'codes': packed, 'group': free[member]})

    @property
    def waits(self) -> bool:
        """Say yes of a table that grows as groups are needed: the device knows how many are."""
        return self._size is TableSize.ELASTIC

    def stored(self) -> Stored:
        """Say how all slots are laid out."""
        scales = self._table['minimum'], self._table['step']
        return Stored(self.rows['codes'], self.bits, *scales, group=self.rows['group'])

    def prepare(self, tokens: Tensor) -> bool:
        """Say no: groups are formed and found by torch."""
        return False

    def make_room(self, tensors: Mapping[str, Tensor], arrivals: int) -> None:
        """
        Take as many rows as the saved table has, if that many groups can be in use at once.

        Each has a token in a slot, and a frame makes no more than it needs.
        """
        if self._size is TableSize.ELASTIC and 'step' in tensors:
            rows = len(tensors['step'])
            most = min(len(self.rows['group']), arrivals * self._frame_groups)
            if len(self._table['step']) < rows <= most:
                self._table.grow(rows)

    def clear(self) -> None:
        """Leave every slot as an empty one, and the table as it was at first."""
        super().clear()
        if self._size is TableSize.ELASTIC:
            self._table = Rows(
                self._table_specs, self._groups(len(self.rows['group'])), self._device
            )

    def check(self, tensors: Mapping[str, Tensor], held: int) -> None:
        """Raise ValueError unless each live slot names a row of the table."""
        group = tensors['group']
        sound = (group >= _NO_GROUP).all() and (group < len(tensors['step'])).all()
        if not (sound and (group[:held] > _NO_GROUP).all()):
            raise ValueError('group names rows that its table of scales does not have')

    def forced_evictions(self, held: int, tokens: HeldTokens) -> Tensor | None:
        """Give up the unprotected groups with the fewest survivors, as many as are lacking."""
        if self._size is not TableSize.BOUNDED:
            return None
        survivors = self._survivors(held)
        lacking = self._frame_groups - (survivors == 0).sum()
        group = self.rows['group'][:held].long()
        kept = torch.zeros_like(survivors).index_add_(0, group, tokens.is_protected.long())
        candidates = survivors.masked_fill((kept > 0) | (survivors == 0), held + 1)
        rank = torch.empty_like(survivors)
        rank[candidates.sort(stable=True).indices] = torch.arange(len(rank), device=rank.device)
        return (rank < lacking)[group]

    @property
    def most_forced(self) -> int:
        """
        The most tokens that `forced_evictions` names, known without asking the device.

        A group is lacking only where more than 2 B / 64 are in use, so that those with the fewest
        survivors have at most 32 each; protected tokens lie denser.
        """
        return self._frame_groups * GROUP_SIZE // 2 if self._size is TableSize.BOUNDED else 0

    def tensors(self) -> dict[str, Tensor]:
        """Return every tensor that persists, by name."""
        return {**self.rows.tensors, **self._table.tensors}

    def _survivors(self, held: int) -> Tensor:
        """Count the tokens that each group still has among the first `held` slots."""
        group = self.rows['group'][:held].long()
        counts = torch.zeros(len(self._table['step']) + 1, dtype=torch.long, device=group.device)
        counts.index_add_(0, group + 1, torch.ones_like(group))
        return counts[1:]

    def _stretch(self, groups: int) -> None:
        """Make room for that many more groups, if there is none."""
        free = int((self._survivors(len(self.rows['group'])) == 0).sum())
        if free < groups:
            self._table.grow(len(self._table['step']) + groups - free)

    def _groups(self, slots: int) -> int:
        if self._size is TableSize.GROWING:
            return -(-slots // self._frame_tokens) * self._frame_groups
        return 2 * -(-slots // GROUP_SIZE) + self._frame_groups
