# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The optimisers of a run, which never wait for the device."""

from __future__ import annotations

from collections import defaultdict
import math

import torch
from torch import nn, Tensor

from xstreamvggt_ros.training.config import TrainingConfig

# Of the quintic iteration, and how often it runs (Jordan et al., Muon, 2024).
COEFFICIENTS = (3.4445, -4.775, 2.0315)
ITERATIONS = 5
LEAST_NORM = 1e-7


class AlikeMuon(torch.optim.Optimizer):
    """
    torch.optim.Muon with updates as large as AdamW's, for all matrices of one shape at once.

    A small network has dozens of matrices and a handful of shapes, so this launches a tenth of the
    kernels. Where `found_inf` is 1 on the device, a step leaves everything as it was.
    """

    def __init__(
        self, params, lr: float, weight_decay: float = 0.1, momentum: float = 0.95
    ) -> None:
        """Take matrices (A, B); see torch.optim.Muon for the numbers."""
        super().__init__(params, {'lr': lr, 'weight_decay': weight_decay, 'momentum': momentum})
        self.found_inf: Tensor | None = None

    @torch.no_grad()
    def step(self, closure=None) -> None:
        """Change the matrices that have gradients."""
        for group in self.param_groups:
            alike = defaultdict(list)
            for parameter in group['params']:
                if parameter.grad is not None:
                    alike[parameter.shape].append(parameter)
            for parameters in alike.values():
                self._step(parameters, group)

    def _step(self, parameters: list[Tensor], group: dict) -> None:
        gradient = torch.stack([parameter.grad for parameter in parameters])
        held = [self._momentum(parameter) for parameter in parameters]
        taken = gradient.new_ones(())
        if self.found_inf is not None:
            taken = 1 - self.found_inf.to(gradient.dtype)
            gradient = torch.where(taken > 0, gradient, 0)
        momenta = torch.stack(held)
        momenta = torch.lerp(momenta, gradient, taken * (1 - group['momentum']))
        torch._foreach_copy_(held, list(momenta.unbind()))
        update = orthogonalised(gradient.lerp(momenta, group['momentum']))
        rate, largest = group['lr'], max(parameters[0].shape)
        torch._foreach_mul_(parameters, 1 - rate * group['weight_decay'] * taken)
        update = update.to(gradient.dtype) * (taken * (-rate * 0.2 * math.sqrt(largest)))
        torch._foreach_add_(parameters, list(update.unbind()))

    def _momentum(self, parameter: Tensor) -> Tensor:
        state = self.state[parameter]
        if not state:
            state['momentum_buffer'] = torch.zeros_like(parameter.grad)
        return state['momentum_buffer']


def orthogonalised(matrices: Tensor) -> Tensor:
    """Bring the singular values of matrices (N, A, B) near 1, in bf16."""
    a, b, c = COEFFICIENTS
    x = matrices.bfloat16()
    wide = x.shape[-2] <= x.shape[-1]
    x = x if wide else x.mT
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp_min(LEAST_NORM)
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x if wide else x.mT


class Optimisers:
    """Muon for the matrices of the blocks where it is asked for, AdamW for everything else."""

    def __init__(self, model: nn.Module, read_outs: nn.Module, config: TrainingConfig) -> None:
        """Take what is trained."""
        self.parameters = [*model.parameters(), *read_outs.parameters()]
        self._clipped, self._clip = list(model.parameters()), config.clip
        matrices, decayed, plain = [], [], list(read_outs.parameters())
        for name, parameter in model.named_parameters():
            if config.muon and parameter.ndim == 2 and 'blocks.' in name:
                matrices.append(parameter)
            elif name.endswith('weight') and parameter.ndim > 1:
                decayed.append(parameter)
            else:
                plain.append(parameter)
        groups = [
            {'params': decayed, 'weight_decay': config.weight_decay},
            {'params': plain, 'weight_decay': 0.0},
        ]
        self.each = [torch.optim.AdamW(groups, lr=config.lr, betas=config.betas, fused=True)]
        if matrices:
            self.each.append(AlikeMuon(matrices, config.lr, config.weight_decay))

    def step(self, gradients: list[Tensor | None], rate: float) -> Tensor:
        """
        Change everything by its gradient, in the order of `parameters`; return the norm.

        Where the norm is not finite, nothing changes; the host need not know.
        """
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient
        norm = torch.nn.utils.clip_grad_norm_(self._clipped, self._clip)
        lost = (~torch.isfinite(norm)).float()
        for optimiser in self.each:
            for group in optimiser.param_groups:
                group['lr'] = rate
            optimiser.found_inf = lost
            optimiser.step()
        return norm

    def state_dicts(self) -> list[dict]:
        """Return what going on needs."""
        return [optimiser.state_dict() for optimiser in self.each]

    def load(self, states: list[dict]) -> None:
        """Go on from state_dicts()."""
        for optimiser, state in zip(self.each, states, strict=True):
            optimiser.load_state_dict(state)
