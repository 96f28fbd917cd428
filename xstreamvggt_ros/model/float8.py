# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Linear layers in 8-bit floats (e4m3: four bits of exponent, three of mantissa).

Devices of compute capability 8.9 and later multiply them twice as fast as bf16, and their weights
are half as large. On a CPU the same numbers are multiplied in fp32, which shows what the rounding
does and nothing of the speed.
"""

from __future__ import annotations

import torch
from torch import nn, Tensor
from torch.nn import functional

from xstreamvggt_ros.model.layers import Mlp
from xstreamvggt_ros.ops.dispatch import fused

FLOAT8 = torch.float8_e4m3fn
# The first devices that multiply such numbers: Ada; Hopper is 9.0.
LEAST_CAPABILITY = (8, 9)
_LARGEST = 448.0
# Keeps a row of zeros from being divided by none; far below any activation.
_LEAST = 1e-12


def float8_obstacle(device: torch.device) -> str | None:
    """Say why a device cannot run a network in float8; None where it can."""
    if device.type != 'cuda':
        return f'it needs a CUDA device of compute capability 8.9 or later, not a {device.type}'
    capability = torch.cuda.get_device_capability(device)
    if capability < LEAST_CAPABILITY:
        name = torch.cuda.get_device_name(device)
        return (
            f'it needs compute capability 8.9 or later (Ada, Hopper and newer), and {name} has '
            f'{capability[0]}.{capability[1]}'
        )
    return None


def fuse_gelu(module: nn.Module) -> None:
    """Have every MLP in float8 take GELU and rounding in one pass."""
    for part in module.modules():
        if isinstance(part, Mlp) and isinstance(part.fc2, Float8Linear):
            part.fc2.gelu, part.activation = True, nn.Identity()


class Float8Linear(nn.Module):
    """
    A linear layer in 8-bit floats: weights scaled per output, inputs per token, as they come.

    The largest of each is brought to the largest number that there is. With `gelu`, inputs go
    through GELU first, in the same pass. The product is bf16. The scale of a token follows from it
    alone, so that frames do not depend on each other.
    """

    def __init__(self, linear: nn.Linear) -> None:
        """Round the weights of a layer; it is left as it was."""
        super().__init__()
        weight = linear.weight.detach().float()
        scale = (weight.abs().amax(dim=1) / _LARGEST).clamp_min_(_LEAST)
        self.weight = nn.Parameter((weight / scale[:, None]).to(FLOAT8), requires_grad=False)
        self.scale = nn.Parameter(scale, requires_grad=False)
        self.bias = nn.Parameter(linear.bias.detach().bfloat16(), requires_grad=False)
        self.gelu = False

    def forward(self, x: Tensor) -> Tensor:
        """Map x (..., in) to (..., out) of its type; what is not finite stays so."""
        codes, step = self._rounded(x.flatten(0, -2))
        if x.device.type == 'cpu':
            product = codes.float() @ self.weight.float().t() * step * self.scale
            product = (product + self.bias).bfloat16()
        else:
            product = torch._scaled_mm(
                codes,
                self.weight.t(),
                scale_a=step,
                scale_b=self.scale[None],
                bias=self.bias,
                out_dtype=torch.bfloat16,
            )
        return product.to(x.dtype).unflatten(0, x.shape[:-1])

    def _rounded(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Give codes (M, in) and the step of each row (M, 1)."""
        if fused(rows):
            from xstreamvggt_ros.ops.float8 import rows_to_float8

            return rows_to_float8(rows, self.gelu)
        numbers = rows.float()
        if self.gelu:
            numbers = functional.gelu(numbers)
        step = (numbers.abs().amax(dim=1, keepdim=True) / _LARGEST).clamp_min_(_LEAST)
        return (numbers / step).clamp_(-_LARGEST, _LARGEST).to(FLOAT8), step
