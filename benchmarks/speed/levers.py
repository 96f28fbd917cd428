# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Print what each lever gives by itself: python -m benchmarks.speed.levers.

At the full model's shapes and 224 x 168, with and without in turn, on the CPU (on CUDA those that
exist there). What is timed is the part alone; python -m benchmarks.speed has its share of a frame.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
import copy
from dataclasses import dataclass

import numpy as np
from sensor_msgs.msg import PointCloud2
import torch
from torch import nn
from torch.nn import functional

from benchmarks.speed.naive import rounded
from benchmarks.speed.peaks import clock_name, now
from xstreamvggt_ros.cache.codecs.token import ChannelStaticCodec, TokenCodec
from xstreamvggt_ros.messages.buffers import byte_array
from xstreamvggt_ros.model import ModelConfig
from xstreamvggt_ros.model.camera_head import CameraHead
from xstreamvggt_ros.model.dense_head import DenseHead
from xstreamvggt_ros.model.model_config import DINOV2_ENCODERS
from xstreamvggt_ros.model.narrow import (
    can_pack,
    HalfLinear,
    Int8Linear,
    PackedLinear,
    replace_linears,
)
from xstreamvggt_ros.model.patch_encoder import DinoEncoder
from xstreamvggt_ros.model.tables import KeptTables
from xstreamvggt_ros.ops.attention import attend, by_products

CONFIG = ModelConfig.preset('streamvggt')
HEIGHT, WIDTH, HELD, BITS = 168, 224, 2048, 4
N = CONFIG.tokens_per_frame(HEIGHT, WIDTH)
HEADS, DIM = CONFIG.num_heads, CONFIG.head_dim


@dataclass(frozen=True)
class Lever:
    """Something done in two ways."""

    name: str
    before: Callable[[], object]
    after: Callable[[], object]


def levers(device: torch.device) -> Iterator[Lever]:
    """Yield every lever, its inputs made."""
    yield from _linears(device)
    yield from _attention(device)
    yield from _storage(device)
    yield from _tables(device)
    yield from _heads(device)
    yield _packing()
    if device.type == 'cuda':
        yield _transfer(device)


def _linears(device: torch.device) -> Iterator[Lever]:
    linear = nn.Linear(CONFIG.embed_dim, 4 * CONFIG.embed_dim, device=device)
    x = torch.randn(1, N, CONFIG.embed_dim, device=device)
    half, gelu = HalfLinear(linear), functional.gelu
    yield Lever('bf16 weights, a layer of 1024 x 4096', lambda: linear(x), lambda: half(x))
    if device.type == 'cpu':
        if can_pack():
            packed = PackedLinear(half, gelu=True)
            yield Lever('the same packed, with GELU', lambda: gelu(half(x)), lambda: packed(x))
        whole = Int8Linear(linear)
        yield Lever('int8 weights, the same layer', lambda: linear(x), lambda: whole(x))


def _attention(device: torch.device) -> Iterator[Lever]:
    queries = torch.randn(1, HEADS, N, DIM, device=device).bfloat16()
    keys, values = (
        torch.randn(1, HEADS, HELD + N, DIM, device=device).bfloat16() for _ in range(2)
    )
    wide = [part.float() for part in (queries, keys, values)]
    yield Lever(
        'bf16 for fp32 in attention, by the kernel chosen for this processor',
        lambda: attend(*wide),
        lambda: attend(queries, keys, values),
    )
    if device.type == 'cpu' and by_products(torch.bfloat16):
        yield Lever(
            "two products a head for torch's attention, bf16",
            lambda: functional.scaled_dot_product_attention(queries, keys, values),
            lambda: attend(queries, keys, values),
        )


def _storage(device: torch.device) -> Iterator[Lever]:
    held = torch.randn(1, HEADS, HELD, DIM, device=device)
    new = torch.randn(1, HEADS, N, DIM, device=device)
    kept = torch.randperm(HELD + N, device=device)[:HELD].sort().values
    slots, tokens = kept[:N], new[0].transpose(0, 1).contiguous()
    store = held[0].transpose(0, 1).contiguous()

    def concatenate() -> None:
        for _ in range(2):
            torch.cat([held, new], dim=2)[:, :, kept]

    def overwrite() -> None:
        for _ in range(2):
            store.index_copy_(0, slots % HELD, tokens)

    yield Lever('slots in place for concatenate and gather', concatenate, overwrite)
    codecs = [ChannelStaticCodec(HEADS, DIM, BITS), TokenCodec(HEADS, DIM, BITS)]
    for codec in codecs:
        codec.allocate(HELD, device)
        codec.write(torch.arange(HELD, device=device), store)
    out = torch.empty_like(store)

    def round_everything() -> None:
        rounded(held, dim=2)
        rounded(held, dim=3)

    def round_once() -> None:
        for codec in codecs:
            codec.write(torch.arange(N, device=device), tokens)
            codec.read(out)

    yield Lever('packing new tokens and unpacking for rounding all', round_everything, round_once)
    mean_key, query = store.mean(dim=1), torch.randn(18, DIM, device=device)
    yield Lever(
        'scores from one noted mean key for all keys',
        lambda: (query @ store.mean(dim=1).t()).mean(dim=0),
        lambda: mean_key @ query.mean(dim=0),
    )


def _tables(device: torch.device) -> Iterator[Lever]:
    encoder = DinoEncoder(DINOV2_ENCODERS[CONFIG.patch_embed], CONFIG.image_size).to(device)
    grid = HEIGHT // 14, WIDTH // 14

    def anew() -> None:
        encoder.tables = KeptTables()
        encoder._patch_positions(*grid)

    yield Lever('kept table of patch positions', anew, lambda: encoder._patch_positions(*grid))


def _heads(device: torch.device) -> Iterator[Lever]:
    head = DenseHead(CONFIG, 2).to(device).eval()
    narrow = copy.deepcopy(head)
    narrow.set_precision(torch.bfloat16)
    features = {
        tap: torch.randn(1, N, 2 * CONFIG.embed_dim, device=device) for tap in CONFIG.dpt_layers
    }
    yield Lever(
        'a dense head in bf16, channels last',
        lambda: head(features, HEIGHT, WIDTH),
        lambda: narrow(features, HEIGHT, WIDTH),
    )
    other = copy.deepcopy(narrow)
    yield Lever(
        'the depth head alone for depth and point head, bf16',
        lambda: (narrow(features, HEIGHT, WIDTH), other(features, HEIGHT, WIDTH)),
        lambda: narrow(features, HEIGHT, WIDTH),
    )
    camera = CameraHead(CONFIG).to(device).eval()
    narrow_camera = copy.deepcopy(camera)
    for part in (narrow_camera.trunk, narrow_camera.poseLN_modulation):
        replace_linears(part, HalfLinear)
    token = torch.randn(1, 1, 2 * CONFIG.embed_dim, device=device)

    def alone(_iteration, _block, queries, keys, values):
        return functional.scaled_dot_product_attention(queries, keys, values)

    yield Lever(
        'the camera head with bf16 weights',
        lambda: camera(token, alone),
        lambda: narrow_camera(token, alone),
    )


def _packing() -> Lever:
    packed = np.zeros(20 * HEIGHT * WIDTH, np.uint8)

    def assign(data: object) -> None:
        PointCloud2().data = data

    return Lever(
        "a cloud's bytes as array.array",
        lambda: assign(packed),
        lambda: assign(byte_array(packed)),
    )


def _transfer(device: torch.device) -> Lever:
    image = torch.rand(3, HEIGHT, WIDTH)
    pinned = image.pin_memory()
    return Lever(
        'an image from pinned memory',
        lambda: image.to(device),
        lambda: pinned.to(device, non_blocking=True),
    )


@torch.inference_mode()
def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    print(f'{torch.get_num_threads()} threads, {clock_name(device)}\n')
    print('| lever | without, ms | with, ms | faster (quartiles) |\n|---|---|---|---|')
    for lever in levers(device):
        seconds = np.array([_round(lever, device) for _ in range(arguments.rounds + 1)])[1:]
        low, middle, high = np.percentile(seconds[:, 0] / seconds[:, 1], (25, 50, 75))
        before, after = 1e3 * np.median(seconds, axis=0)
        print(
            f'| {lever.name} | {before:.2f} | {after:.2f} | {middle:.1f} ({low:.1f} to '
            f'{high:.1f}) |',
            flush=True,
        )


def _round(lever: Lever, device: torch.device) -> tuple[float, float]:
    times = []
    for function in (lever.before, lever.after):
        began = now(device)
        function()
        times.append(now(device) - began)
    return tuple(times)


if __name__ == '__main__':
    main()
