# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Products of fp32 numbers in fp32, whatever torch is allowed to round them to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
import logging
import threading
from typing import NamedTuple

import torch

# The switches are the process's own: of two threads that set and restore them by turns, one would
# find them as the other wants them.
_SWITCHES = threading.RLock()
_LOG = logging.getLogger(__name__)


class _Switch(NamedTuple):
    """One of torch's settings: how it is read and set, and what makes products exact."""

    read: Callable[[], object]
    write: Callable[[object], None]
    exact: object


def exact_products(dtype: torch.dtype) -> AbstractContextManager:
    """Multiply fp32 in fp32 within where the weights are held in fp32; see exact_float32."""
    return exact_float32() if dtype == torch.float32 else nullcontext()


@contextmanager
def exact_float32() -> Iterator[None]:
    """
    Multiply fp32 in fp32 within, and leave torch's settings as they were afterwards.

    By itself torch has cuDNN's convolutions round fp32 to TF32's ten bits of mantissa (a relative
    5e-4), and a process may allow the same, or bf16, to matrix products. Threads wait for one
    another.
    """
    with _SWITCHES:
        before = []
        for switch in _switches():
            # This torch has it not, or refuses to say it in the older words.
            with suppress(AttributeError, RuntimeError):
                before.append((switch, switch.read()))
        try:
            for switch, _ in before:
                switch.write(switch.exact)
            yield
        finally:
            _restore(before)


def _restore(before: list[tuple[_Switch, object]]) -> None:
    """Set every switch back, whatever becomes of the others, and hide no error from within."""
    for switch, value in before:
        try:
            switch.write(value)
        except (AttributeError, RuntimeError) as error:
            _LOG.warning('torch does not take its own precision %r back: %s', value, error)


def _switches() -> list[_Switch]:
    """List the settings, the older ones first: setting those changes the newer ones too."""
    cudnn, mkldnn = torch.backends.cudnn, torch.backends.mkldnn
    # By operator, from torch 2.9 on.
    newer = (
        getattr(cudnn, 'conv', None),
        getattr(cudnn, 'rnn', None),
        torch.backends.cuda.matmul,
        getattr(mkldnn, 'conv', None),
        getattr(mkldnn, 'matmul', None),
    )
    return [
        _attribute(cudnn, 'allow_tf32', False),
        _Switch(torch.get_float32_matmul_precision, torch.set_float32_matmul_precision, 'highest'),
        *(_attribute(each, 'fp32_precision', 'ieee') for each in newer),
    ]


def _attribute(owner: object, name: str, exact: object) -> _Switch:
    return _Switch(partial(getattr, owner, name), partial(setattr, owner, name), exact)
