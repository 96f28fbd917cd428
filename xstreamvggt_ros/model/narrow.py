# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Linear layers whose weights are held in fewer bits than their inputs."""

from __future__ import annotations

import torch
from torch import nn, Tensor
from torch.nn import functional

_LARGEST = 127
# Keeps a row of zeros from being divided by none; far below any activation.
_LEAST = 1e-20


class Int8Linear(nn.Module):
    """
    A linear layer in 8-bit integers: weights per output, inputs per token, as they come.

    Both are rounded to the nearest of 255 levels about zero; the products are summed exactly in 32
    bits. The scale of a token follows from it alone, so that frames do not depend on each other.
    """

    def __init__(self, linear: nn.Linear) -> None:
        """Round the weights of a layer; it is left as it was."""
        super().__init__()
        weight = linear.weight.detach().float()
        scale = (weight.abs().amax(dim=1) / _LARGEST).clamp_min_(_LEAST)
        codes = (weight / scale[:, None]).round_().to(torch.int8)
        self.weight = nn.Parameter(codes, requires_grad=False)
        self.scale = nn.Parameter(scale, requires_grad=False)
        self.bias = nn.Parameter(linear.bias.detach().float(), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (..., in) to (..., out) of its type; what is not finite stays so."""
        rows = x.flatten(0, -2)
        # In place and without a division per number: on a CPU these passes cost as products do.
        largest = torch.maximum(rows.amax(dim=1, keepdim=True), -rows.amin(dim=1, keepdim=True))
        step = (largest.float() / _LARGEST).clamp_min_(_LEAST)
        codes = (rows * step.reciprocal()).round_().to(torch.int8)
        sums = torch._int_mm(codes, self.weight.t()) * step
        out = sums.mul_(self.scale).add_(self.bias).to(x.dtype)
        return out.unflatten(0, x.shape[:-1])


class HalfLinear(nn.Module):
    """A linear layer with bf16 weights that gives what it is given: fp32 inputs, fp32 outputs."""

    def __init__(self, linear: nn.Linear) -> None:
        """Round the weights of a layer; it is left as it was."""
        super().__init__()
        self.weight = nn.Parameter(linear.weight.detach().bfloat16(), requires_grad=False)
        self.bias = nn.Parameter(linear.bias.detach().bfloat16(), requires_grad=False)

    def pack(self) -> None:
        """Hold the weights in the order in which oneDNN multiplies, for good: on a CPU only."""
        packed = torch.ops.mkldnn._reorder_linear_weight(self.weight.detach())
        self.weight = nn.Parameter(packed, requires_grad=False)

    def then_gelu(self, x: Tensor) -> Tensor:
        """Return the exact GELU of what forward gives, in bf16 where that is one pass."""
        if self.weight.is_mkldnn:
            return self._multiply_packed(x, 'gelu', 'none')
        return functional.gelu(self(x))

    def forward(self, x: Tensor) -> Tensor:
        """Map x (..., in) to (..., out) of its type."""
        if self.weight.is_mkldnn:
            return self._multiply_packed(x, 'none', '').to(x.dtype)
        rows = x.to(self.weight.dtype)
        if x.device.type == 'cuda':
            return functional.linear(rows, self.weight, self.bias).to(x.dtype)
        # On a CPU, bias inside of the product costs up to two thirds more, and a matrix product of
        # one row up to a half more than one with a vector.
        if x.numel() == x.shape[-1]:
            product = torch.mv(self.weight, rows.flatten()).view(*x.shape[:-1], -1)
        else:
            product = functional.linear(rows, self.weight)
        return product.float().add_(self.bias).to(x.dtype)

    def _multiply_packed(self, x: Tensor, activation: str, algorithm: str) -> Tensor:
        return torch.ops.mkldnn._linear_pointwise(
            x.bfloat16(), self.weight, self.bias, activation, [], algorithm
        )


def can_pack() -> bool:
    """Whether torch and the processor multiply packed bf16 weights (as torch.compile does)."""
    operators = ('_reorder_linear_weight', '_linear_pointwise', '_is_mkldnn_bf16_supported')
    return (
        torch.backends.mkldnn.is_available()
        and all(hasattr(torch.ops.mkldnn, name) for name in operators)
        and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )


def replace_linears(module: nn.Module, kind: type[nn.Module]) -> None:
    """Put a narrow layer in the place of every linear layer inside module."""
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            setattr(module, name, kind(child))
        else:
            replace_linears(child, kind)


def cast(module: nn.Module, dtype: torch.dtype, keep: nn.Module | None = None) -> None:
    """Hold a module's weights in dtype, but for `keep`'s and those of narrow layers."""
    for part in module.modules():
        if part is not keep and not isinstance(part, Int8Linear | HalfLinear):
            for parameter in part.parameters(recurse=False):
                parameter.data = parameter.data.to(dtype)
