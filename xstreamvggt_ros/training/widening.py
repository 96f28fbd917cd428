# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Begin a wider network at a trained narrow one (after Net2Net, arXiv 1511.05641).

The new channels of a token hold the mean of the old ones. A layer norm then has the same mean, a
variance that is smaller by the ratio of the widths, for which its gains make up, and gives zero
where the new channels are: whatever reads them may begin at random and changes nothing. So blocks
compute what they did, exactly. New heads, hidden units and maps are heard by nobody at first.
What cannot be kept exactly: means behind a norm (of the encoder, of the camera tokens) follow from
the token, not from the norm's bias alone, and the camera head's gates multiply. There the new
channels hold the mean of the biases, which is near.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from xstreamvggt_ros.model import ModelConfig, StreamVGGT

# What reads new channels begins this much smaller than a layer that keeps the variance.
READER_GAIN = 0.5


class NotWider(ValueError):
    """The target is no widening of the source."""


@torch.no_grad()
def widened(
    state: dict[str, Tensor], source: ModelConfig, target: ModelConfig, seed: int = 0
) -> dict[str, Tensor]:
    """
    Return weights for `target` that compute what `state`, those of `source`, does.

    Widths, heads and maps may grow; heads stay as wide as they are, and the dense heads' maps
    grow by whole factors, since their positions are spread over the channels. Raises NotWider
    naming what cannot be.
    """
    _check(source, target)
    return _Widening(state, source, target, seed).state()


def _check(source: ModelConfig, target: ModelConfig) -> None:
    same = ('depth', 'num_register_tokens', 'dpt_layers', 'camera_depth', 'head_dim')
    for name in same:
        if getattr(source, name) != getattr(target, name):
            raise NotWider(
                f'{name} is {getattr(source, name)} in the weights and {getattr(target, name)} in '
                'the network; only widths can grow'
            )
    if target.embed_dim < source.embed_dim or _camera_dim(source) != _camera_dim(target):
        raise NotWider(
            f'embed_dim {source.embed_dim} with camera heads {_camera_dim(source)} wide cannot '
            f'become {target.embed_dim} with ones {_camera_dim(target)} wide'
        )
    if (source.patch_embed == 'conv') != (target.patch_embed == 'conv'):
        raise NotWider(f'{source.patch_embed} cannot become {target.patch_embed}')
    old, new = ((*c.dpt_channels, c.dpt_features) for c in (source, target))
    if any(after % before for before, after in zip(old, new, strict=True)):
        raise NotWider(f'maps of {old} channels cannot become {new}; take whole multiples')


def _camera_dim(config: ModelConfig) -> int:
    return 2 * config.embed_dim // config.camera_heads


class _Widening:
    """Where every number of the old weights goes in the new ones, and what the rest begin at."""

    def __init__(self, state, source: ModelConfig, target: ModelConfig, seed: int) -> None:
        self.old = {name: value.float() for name, value in state.items()}
        self.source, self.target = source, target
        self.shapes = {k: v.shape for k, v in _meta(target).state_dict().items()}
        self.random = torch.Generator().manual_seed(seed)
        c, wide = source.embed_dim, target.embed_dim
        self.stream = torch.arange(c)
        # Features are a frame block's channels and then a global block's.
        self.pair = torch.cat([self.stream, wide + self.stream])
        self.ratio = math.sqrt(c / wide)

    def state(self) -> dict[str, Tensor]:
        self.new: dict[str, Tensor] = {}
        self._tokens()
        blocks = {
            name.rsplit('.norm1', 1)[0] for name in self.old if name.endswith('norm1.weight')
        }
        for name in sorted(blocks):
            trunk = name.startswith('camera_head')
            self._block(name, self.pair if trunk else self.stream)
        self._camera_head()
        for head in ('depth_head', 'point_head'):
            self._dense_head(head)
        return {name: self.new[name] for name in self.shapes}

    # Parts of the network.

    def _tokens(self) -> None:
        aggregator = 'aggregator.patch_embed'
        for name in self.old:
            token = name.endswith(('_token', '_tokens', 'pos_embed'))
            if token and name.startswith('aggregator'):
                self.new[name] = self._with_mean(self.old[name], -1)
        if self.source.patch_embed == 'conv':
            self._written(f'{aggregator}.proj', self.stream)
            return
        self._written(f'{aggregator}.patch_embed.proj', self.stream)
        self._norm(f'{aggregator}.norm', self.stream)

    def _block(self, name: str, stream: Tensor) -> None:
        dim = self.source.head_dim
        if name.startswith('camera_head'):
            dim = _camera_dim(self.source)
        new_heads = self._rows(f'{name}.attn.proj.weight') // dim
        old = self.old[f'{name}.attn.qkv.weight'].shape[0] // 3
        inner = torch.arange(old)
        three = torch.cat([part * new_heads * dim + inner for part in range(3)])
        for norm in ('norm1', 'norm2'):
            self._norm(f'{name}.{norm}', stream)
        for norm in ('attn.q_norm', 'attn.k_norm'):
            for part in ('weight', 'bias'):
                if f'{name}.{norm}.{part}' in self.old:
                    self.new[f'{name}.{norm}.{part}'] = self.old[f'{name}.{norm}.{part}']
        self._read(f'{name}.attn.qkv', three, stream)
        hidden = torch.arange(self.old[f'{name}.mlp.fc1.weight'].shape[0])
        self._read(f'{name}.mlp.fc1', hidden, stream)
        for scale, layer, inputs in (('ls1', 'attn.proj', inner), ('ls2', 'mlp.fc2', hidden)):
            gains = self.old[f'{name}.{scale}.gamma']
            self.new[f'{name}.{scale}.gamma'] = self._with_mean(gains, 0, stream)
            self._written(f'{name}.{layer}', stream, inputs, gains)

    def _camera_head(self) -> None:
        head, pair = 'camera_head', self.pair
        self.new[f'{head}.empty_pose_tokens'] = self.old[f'{head}.empty_pose_tokens']
        for norm in ('token_norm', 'trunk_norm'):
            # What is behind token_norm is the stream itself, not read by random weights.
            self._norm(f'{head}.{norm}', pair)
        pose = torch.arange(9)
        self._read(f'{head}.embed_pose', pair, pose)
        modulation = f'{head}.poseLN_modulation.1'
        width = 2 * self.target.embed_dim
        rows = torch.cat([part * width + pair for part in range(3)])
        self._heard_by_nobody(modulation, rows, pair)
        weight, bias = self.new[f'{modulation}.weight'], self.new[f'{modulation}.bias']
        # The norm without gains in front of it gives larger numbers now: 1 + scale makes up.
        scale = width + pair
        weight[scale] *= self.ratio
        bias[scale] = self.ratio * (1 + bias[scale]) - 1
        # New gates begin closed.
        gates = torch.ones(width, dtype=torch.bool)
        gates[pair] = False
        weight[2 * width :][gates] = 0
        bias[2 * width :][gates] = 0
        hidden = torch.arange(self.old[f'{head}.pose_branch.fc1.weight'].shape[0])
        self._heard_by_nobody(f'{head}.pose_branch.fc1', hidden, pair)
        self._heard_by_nobody(f'{head}.pose_branch.fc2', pose, hidden)

    def _dense_head(self, head: str) -> None:
        source, target = self.source, self.target
        levels = [
            _spread(before, after)
            for before, after in zip(source.dpt_channels, target.dpt_channels, strict=True)
        ]
        features = torch.arange(source.dpt_features)
        half = _spread(source.dpt_features // 2, target.dpt_features // 2)
        self._norm(f'{head}.norm', self.pair)
        for level, maps in enumerate(levels):
            self._heard_by_nobody(f'{head}.projects.{level}', maps, self.pair)
            resize = f'{head}.resize_layers.{level}'
            if f'{resize}.weight' in self.old:
                self._heard_by_nobody(resize, maps, maps, transposed=level < 2)
            scratch = f'{head}.scratch'
            self._heard_by_nobody(f'{scratch}.layer{level + 1}_rn', features, maps)
        for name in [n.removesuffix('.weight') for n in self.old if 'refinenet' in n]:
            if name.startswith(head) and f'{name}.weight' in self.old:
                self._heard_by_nobody(name, features, features)
        last = f'{head}.scratch.output_conv'
        self._heard_by_nobody(f'{last}1', half, features)
        rows = torch.arange(self.old[f'{last}2.0.weight'].shape[0])
        self._heard_by_nobody(f'{last}2.0', rows, half)
        for part in ('weight', 'bias'):
            self.new[f'{last}2.2.{part}'] = self.old[f'{last}2.2.{part}']

    # Kinds of layers.

    def _rows(self, name: str) -> int:
        return self.shapes[name][0]

    def _norm(self, name: str, stream: Tensor) -> None:
        weight, bias = self.old[f'{name}.weight'], self.old[f'{name}.bias']
        grown = torch.ones(self._rows(f'{name}.weight'))
        grown[stream] = weight * self.ratio
        self.new[f'{name}.weight'] = grown
        # What reads the norm of a block reads zero here; where the norm is what goes on, the mean.
        goes_on = name.endswith(('patch_embed.norm', 'token_norm'))
        self.new[f'{name}.bias'] = (
            self._with_mean(bias, 0, stream) if goes_on else self._with(bias, 0, stream)
        )

    def _written(self, name, stream, inputs: Tensor | None = None, gains: Tensor | None = None):
        """Let a layer write the mean of what it writes into new channels, too."""
        weight, bias = self.old[f'{name}.weight'], self.old[f'{name}.bias']
        gains = torch.ones(len(weight)) if gains is None else gains
        shares = gains / gains.mean() / len(weight)
        grown = torch.zeros(self.shapes[f'{name}.weight'])
        mean = torch.tensordot(shares, weight, 1)
        if inputs is None:
            grown[:] = mean
            grown[stream] = weight
        else:
            grown[:, inputs] = mean
            grown[stream[:, None], inputs] = weight
        self.new[f'{name}.weight'] = grown
        grown = (shares @ bias).expand(len(grown)).clone()
        grown[stream] = bias
        self.new[f'{name}.bias'] = grown

    def _read(self, name: str, rows: Tensor, columns: Tensor) -> None:
        """Let a layer read new channels, which are zero, and give new ones, at random."""
        grown = self._random(self.shapes[f'{name}.weight'], READER_GAIN)
        grown[rows[:, None], columns] = self.old[f'{name}.weight']
        self.new[f'{name}.weight'] = grown
        self.new[f'{name}.bias'] = self._with(self.old[f'{name}.bias'], 0, rows, len(grown))

    def _heard_by_nobody(self, name, rows: Tensor, columns: Tensor, transposed: bool = False):
        """Let a layer's old outputs read old inputs only; new outputs read all, at random."""
        weight, shape = self.old[f'{name}.weight'], self.shapes[f'{name}.weight']
        if transposed:
            weight, shape = weight.transpose(0, 1), (shape[1], shape[0], *shape[2:])
        grown = self._random(shape, 1.0)
        grown[rows] = 0
        grown[rows[:, None], columns] = weight
        if f'{name}.bias' in self.old:
            bias = self._with(self.old[f'{name}.bias'], 0, rows, len(grown))
            self.new[f'{name}.bias'] = bias
        self.new[f'{name}.weight'] = grown.transpose(0, 1) if transposed else grown

    def _random(self, shape, gain: float) -> Tensor:
        inputs = math.prod(shape[1:])
        return gain * inputs**-0.5 * torch.randn(shape, generator=self.random)

    def _with(self, values: Tensor, fill: float, index: Tensor, size: int | None = None) -> Tensor:
        width = self.target.embed_dim * (len(index) // self.source.embed_dim)
        grown = torch.full((size or width,), float(fill))
        grown[index] = values
        return grown

    def _with_mean(self, values: Tensor, axis: int, index: Tensor | None = None) -> Tensor:
        index = self.stream if index is None else index
        values = values.movedim(axis, -1)
        width = self.target.embed_dim * (len(index) // self.source.embed_dim)
        grown = values.mean(-1, keepdim=True).repeat(*(1,) * (values.ndim - 1), width)
        grown[..., index] = values
        return grown.movedim(-1, axis)


def _spread(before: int, after: int) -> Tensor:
    """
    Return where old channels go, so that each keeps its position embedding.

    A quarter each are sines and cosines along x and y, with frequencies spread evenly over them.
    """
    quarter, factor = before // 4, after // before
    place = torch.arange(quarter) * factor
    return torch.cat([part * (after // 4) + place for part in range(4)])


def _meta(config: ModelConfig) -> StreamVGGT:
    with torch.device('meta'):
        return StreamVGGT(config)
