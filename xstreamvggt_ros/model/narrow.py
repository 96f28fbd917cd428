# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Linear layers whose weights are held in fewer bits than their inputs."""

from __future__ import annotations

import functools

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
        # In place and without a division per number: on a CPU these passes show.
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

    def forward(self, x: Tensor) -> Tensor:
        """Map x (..., in) to (..., out) of its type."""
        rows = x.to(self.weight.dtype)
        if x.device.type != 'cpu':
            return functional.linear(rows, self.weight, self.bias).to(x.dtype)
        # On a CPU a bias is slower inside of the product, and one row faster as a vector.
        if x.numel() == x.shape[-1] and has_bf16_products():
            product = torch.mv(self.weight, rows.flatten()).view(*x.shape[:-1], -1)
        else:
            product = functional.linear(rows, self.weight)
        return product.float().add_(self.bias).to(x.dtype)


class PackedLinear(nn.Module):
    """
    A HalfLinear whose weights lie in the order in which oneDNN multiplies them.

    It lives on the CPU and cannot be copied. Gives fp32; with GELU, in the same pass, bf16.
    """

    def __init__(self, half: HalfLinear, gelu: bool = False) -> None:
        """Take over the layer's weights."""
        super().__init__()
        packed = torch.ops.mkldnn._reorder_linear_weight(half.weight.detach())
        self.weight = nn.Parameter(packed, requires_grad=False)
        self.bias = half.bias
        self.gelu = gelu

    def forward(self, x: Tensor) -> Tensor:
        """Map x (..., in) to (..., out)."""
        activation, algorithm = ('gelu', 'none') if self.gelu else ('none', '')
        out = torch.ops.mkldnn._linear_pointwise(
            x.bfloat16(), self.weight, self.bias, activation, [], algorithm
        )
        return out if self.gelu else out.float()


@functools.cache
def has_bf16_products() -> bool:
    """Whether oneDNN is there and multiplies in bf16 on this processor."""
    supported = getattr(torch.ops.mkldnn, '_is_mkldnn_bf16_supported', None)
    return torch.backends.mkldnn.is_available() and supported is not None and supported()


def can_pack() -> bool:
    """
    Whether PackedLinear works and pays here.

    Its operators are those that torch.compile emits on x86; with Arm's library they fuse nothing.
    """
    operators = torch.ops.mkldnn
    arm = getattr(operators, '_is_mkldnn_acl_supported', None)
    return (
        has_bf16_products()
        and torch.backends.mkldnn.enabled
        and not (arm is not None and arm())
        and hasattr(operators, '_reorder_linear_weight')
        and hasattr(operators, '_linear_pointwise')
    )


def replace_linears(
    module: nn.Module, kind: type[nn.Module], old: type[nn.Module] = nn.Linear
) -> None:
    """Put a layer of another kind in the place of every layer of the old kind inside module."""
    for name, child in module.named_children():
        if isinstance(child, old):
            setattr(module, name, kind(child))
        else:
            replace_linears(child, kind, old)


def cast(module: nn.Module, dtype: torch.dtype, keep: nn.Module | None = None) -> None:
    """Hold a module's weights in dtype, but for `keep`'s and those of narrow layers."""
    for part in module.modules():
        if part is not keep and not isinstance(part, Int8Linear | HalfLinear | PackedLinear):
            for parameter in part.parameters(recurse=False):
                parameter.data = parameter.data.to(dtype)
