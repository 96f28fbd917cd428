# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every method of the table, by name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
import hashlib
from pathlib import Path
import sys

from benchmarks.methods.accumulated import Accumulated
from benchmarks.methods.compensation import Compensation
from benchmarks.methods.coverage import HalfAttention, MixedEverywhere, SpacedCoverage
from benchmarks.methods.key_channels import KeyChannels
from benchmarks.methods.late_compensation import LateCompensation
from benchmarks.methods.layer_shares import LayerShares
from benchmarks.methods.one_block import OneBlock
from benchmarks.methods.one_rule import OneRule
from benchmarks.methods.residual import Residual
from benchmarks.methods.shipped import Shipped
from benchmarks.methods.subspace import SubspaceCoverage
from benchmarks.methods.tiers import Tiers
from benchmarks.methods.together import Together
from xstreamvggt_ros.cache.policies import POLICIES

CONTROL, MIXED = 'dense control', 'mixed in every block'
METHODS: dict[str, partial] = {
    CONTROL: partial(Shipped),
    'tiers, 25 % in 2 bits': partial(Tiers, share=0.25),
    'tiers, 50 % in 2 bits': partial(Tiers, share=0.5),
    'tiers, 50 %, values alone in 2 bits': partial(Tiers, share=0.5, key_bits=4),
    'residual, nearest key': partial(Residual, share=0.5),
    'residual, same cell': partial(Residual, share=0.5, by_cell=True),
    'compensation': partial(Compensation),
    'compensation, weighted': partial(Compensation, weighted=True),
    'compensation, weighted, from the 2nd block': partial(LateCompensation, first=1),
    'compensation, weighted, from the 3rd block': partial(LateCompensation, first=2),
    'subspace': partial(Shipped, policy=SubspaceCoverage),
    'layers by diversity': partial(LayerShares),
    'layers by likeness': partial(LayerShares, temperature=-0.1),
    'layers 1 1.4 1 0.6': partial(LayerShares, shares=(1.0, 1.4, 1.0, 0.6)),
    'key channels, 3 of 4': partial(KeyChannels, dropped=0.25),
    'scores over frames, alone': partial(Accumulated, decay=1.0, alone=True),
    'scores over frames, mixed': partial(Accumulated, decay=0.8),
    'compensation and scores, alone': partial(Together, decay=1.0, alone=True),
    'compensation and scores, mixed': partial(Together, decay=0.8),
    'frames by time': partial(Shipped, policy=SpacedCoverage),
    'attention, a half': partial(Shipped, policy=HalfAttention),
    MIXED: partial(Shipped, policy=MixedEverywhere),
}


def blocks(count: int) -> dict[str, partial]:
    """Give methods that prune one of so many blocks, by two policies."""
    return {
        f'{block + 1} of {count}, {name}': partial(OneBlock, policy=POLICIES[name], block=block)
        for block in range(count)
        for name in ('attention_value', 'frame_diversity')
    }


def rules(count: int) -> dict[str, partial]:
    """Give the mix in every block, then with each of so many blocks by a rule of its own."""
    return {MIXED: METHODS[MIXED]} | {
        f'{block + 1} of {count} by {name}': partial(
            OneRule, policy=POLICIES[name], block=block, others=MixedEverywhere
        )
        for block in range(count)
        for name in ('attention_value', 'frame_diversity')
    }


def digest(methods: Mapping[str, partial]) -> dict[str, str]:
    """Give a hash of each method's own code and settings; what all share is not in it."""
    return {name: _digest(method) for name, method in methods.items()}


def _digest(method: partial) -> str:
    given = [value for value in method.keywords.values() if isinstance(value, type)]
    kinds = [method.func, *(given or [Shipped])]
    modules = {kind.__module__ for top in kinds for kind in top.__mro__}
    own = sorted(name for name in modules if name.startswith(__package__))
    sources = [Path(sys.modules[name].__file__).read_text(encoding='utf-8') for name in own]
    settings = repr(sorted(method.keywords.items()))
    return hashlib.sha256('\0'.join([settings, *sources]).encode()).hexdigest()[:16]
