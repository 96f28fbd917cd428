# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Between the host and a device, beside what the device computes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class Transfer:
    """
    Bring images to a device and results back, each on a CUDA stream of its own.

    Host memory is pinned, and taken anew for every frame from torch's store of it: whoever holds
    a result keeps it. On a CPU everything happens at once.
    """

    def __init__(self, device: torch.device) -> None:
        """Make the streams."""
        self.device = device
        on_cuda = device.type == 'cuda'
        self._up, self._down = (torch.cuda.Stream(device) if on_cuda else None for _ in range(2))

    @contextmanager
    def ahead(self) -> Iterator[None]:
        """Work beside what the device does: uploads, and what is to be ready for the next step."""
        with torch.cuda.stream(self._up), torch.inference_mode():
            yield

    def upload(self, image: np.ndarray) -> Tensor:
        """Copy an array to the device."""
        if self._up is None:
            return torch.from_numpy(np.array(image))
        # Torch takes no array that runs backwards, as those do whose channels were reversed.
        kind = torch.from_numpy(np.empty(0, image.dtype)).dtype
        pinned = torch.empty(image.shape, dtype=kind, pin_memory=True)
        pinned.numpy()[...] = image
        return pinned.to(self.device, non_blocking=True)

    def take_over(self, *tensors: Tensor) -> None:
        """Have the present work wait for what `ahead` made."""
        if self._up is None:
            return
        now = torch.cuda.current_stream(self.device)
        now.wait_stream(self._up)
        for tensor in tensors:
            tensor.record_stream(now)

    def download(self, tensors: Mapping[str, Tensor]) -> Download:
        """Begin to copy tensors to the host, as one block of memory; a CPU's are there."""
        if self._down is None:
            return Download(dict(tensors), None)
        with torch.inference_mode():
            block, places = joined(tensors)
        self._down.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(self._down):
            pinned = torch.empty(block.shape, dtype=block.dtype, pin_memory=True)
            pinned.copy_(block, non_blocking=True)
            block.record_stream(self._down)
            done = torch.cuda.Event()
            done.record()
        return Download(parted(pinned, places), done)


class Download:
    """Tensors on their way to the host."""

    def __init__(self, parts: dict[str, Tensor], done: torch.cuda.Event | None) -> None:
        """Take the tensors of the host that they come to, and what says when they have."""
        self._parts = parts
        self._done = done

    def arrays(self) -> dict[str, np.ndarray]:
        """Wait, and give them by name."""
        if self._done is not None:
            self._done.synchronize()
        return {name: part.detach().numpy() for name, part in self._parts.items()}


class BytePlace(NamedTuple):
    """Where a tensor lies in a block of bytes, and what it is."""

    offset: int
    shape: tuple[int, ...]
    dtype: torch.dtype


def joined(tensors: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, BytePlace]]:
    """Lay tensors behind each other as bytes, the widest numbers first so that all are aligned."""
    ordered = sorted(tensors.items(), key=lambda item: -item[1].element_size())
    places, offset = {}, 0
    for name, tensor in ordered:
        places[name] = BytePlace(offset, tuple(tensor.shape), tensor.dtype)
        offset += tensor.numel() * tensor.element_size()
    flat = [tensor.contiguous().reshape(-1).view(torch.uint8) for _, tensor in ordered]
    return torch.cat(flat), places


def parted(block: Tensor, places: Mapping[str, BytePlace]) -> dict[str, Tensor]:
    """View the tensors in what `joined` made of them."""
    found = {}
    for name, (offset, shape, dtype) in places.items():
        size = int(np.prod(shape)) * dtype.itemsize
        found[name] = block[offset : offset + size].view(dtype).reshape(shape)
    return found
