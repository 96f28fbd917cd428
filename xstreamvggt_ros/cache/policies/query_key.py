# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""XStreamVGGT's score (arXiv 2601.01204)."""

from __future__ import annotations

from torch import Tensor

from xstreamvggt_ros.cache.policies.base import (
    EvictionContext,
    MEAN_KEY,
    Policy,
    probe_queries,
)
from xstreamvggt_ros.ops.dispatch import fused


class QueryKey(Policy):
    """
    Score token j by its mean inner product with the probe queries, heads averaged first.

    s_j = mean_i <mean_h q_i, mean_h k_j>, with no softmax and no scale. The sum is linear, so it
    is one vector times the head-mean key, which is noted per token when it arrives.
    """

    notes = (MEAN_KEY,)

    def score(self, context: EvictionContext) -> Tensor:
        """Return a score (T,) per held token."""
        mean_keys = context.state[MEAN_KEY]
        if fused(mean_keys):
            from xstreamvggt_ros.ops.scores import direction_scores

            special = context.frame.special_tokens
            return direction_scores(context.queries, mean_keys, special, self.pool_size)
        probes = probe_queries(context.queries.float(), context.frame, self.pool_size)
        return mean_keys.float() @ probes.mean(dim=0).mean(dim=0)
