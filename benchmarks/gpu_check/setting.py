# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the parts of the check share: the network, its images and a clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from benchmarks.speed.peaks import now
from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.model import ModelConfig, StreamVGGT
from xstreamvggt_ros.stream import StreamingReconstructor

TOKENS = 2048


@dataclass
class Setting:
    """
    The device and how much is run; the network is made when it is first asked for.

    results: what the parts before have found, by their names.
    """

    device: torch.device
    quick: bool
    results: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def preset(self) -> str:
        """The network: the published one, `tiny` for a quick run."""
        return 'tiny' if self.quick else 'streamvggt'

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images."""
        return (42, 56) if self.quick else (392, 518)

    @property
    def rounds(self) -> int:
        """How often anything is timed."""
        return 2 if self.quick else 20

    @cached_property
    def model(self) -> StreamVGGT:
        """The network in bf16, with random weights made on the device, which takes no time."""
        return random_network(self.preset, self.device).set_precision(torch.bfloat16).eval()

    def config(self, tokens: int | None = TOKENS) -> CacheConfig:
        """Give what is recommended, with so many tokens; None: as it is."""
        recommended = CacheConfig.recommended()
        if tokens is None:
            return recommended
        return recommended.with_budget(budget_tokens=64 if self.quick else tokens)

    def stream(self, config: CacheConfig, captured: bool) -> StreamingReconstructor:
        """Begin a stream, launch by launch or captured as soon as that can be."""
        return StreamingReconstructor(
            self.model,
            config,
            point_head=False,
            cuda_graph=captured and self.on_cuda,
            images_checked=True,
        )

    @property
    def on_cuda(self) -> bool:
        """Whether the device is what all this is for."""
        return self.device.type == 'cuda'

    def image(self, seed: int = 0) -> Tensor:
        """Give an image on the device."""
        generator = torch.Generator().manual_seed(seed)
        return torch.rand(3, *self.size, generator=generator).to(self.device)

    def milliseconds(self, function: Callable[[], object], rounds: int | None = None) -> float:
        """Time a function: the median of the rounds."""
        times = []
        for _ in range(rounds or self.rounds):
            began = now(self.device)
            function()
            times.append(1e3 * (now(self.device) - began))
        return sorted(times)[len(times) // 2]


def random_network(preset: str, device: torch.device) -> StreamVGGT:
    """Make a network whose weights mean nothing, in fp32, on the device itself."""
    with torch.device('meta'):
        model = StreamVGGT(ModelConfig.preset(preset))
    model.to_empty(device=device)
    torch.manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.02)
            else:
                parameter.fill_(float(name.endswith(('norm.weight', 'gamma'))))
    return model.requires_grad_(False)
