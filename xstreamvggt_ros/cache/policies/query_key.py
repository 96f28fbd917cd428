# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""XStreamVGGT's score (arXiv 2601.01204)."""

from __future__ import annotations

import torch
from torch import Tensor

from xstreamvggt_ros.cache.policies.base import EvictionContext, Policy, probe_queries
from xstreamvggt_ros.cache.rows import RowSpec


class QueryKey(Policy):
    """
    Score token j by its mean inner product with the probe queries, heads averaged first.

    s_j = mean_i <mean_h q_i, mean_h k_j>, with no softmax and no scale. The sum is linear, so it
    is one vector times the head-mean key, which is noted per token when it arrives.
    """

    def score(self, context: EvictionContext) -> Tensor:
        """Return a score (T,) per held token."""
        probes = probe_queries(context.queries.float(), context.frame, self.pool_size)
        return context.state['mean_key'].float() @ probes.mean(dim=0).mean(dim=0)

    def row_specs(self, head_dim: int, dtype: torch.dtype) -> dict[str, RowSpec]:
        """Note the head-mean key (D,)."""
        return {'mean_key': RowSpec((head_dim,), dtype)}

    def rows(self, context: EvictionContext) -> dict[str, Tensor]:
        """Return the head-mean keys (N, D) of the new tokens."""
        return {'mean_key': context.keys[context.held :].float().mean(dim=1)}
