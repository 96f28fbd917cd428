# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A live stream, one frame at a time: the network, its cache and nothing of ROS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
import hashlib
import json
import logging

import torch
from torch import Tensor

from xstreamvggt_ros.cache import CacheConfig, CacheStats, StreamCache
from xstreamvggt_ros.cache.attention_choice import AttentionChoice
from xstreamvggt_ros.cache.rows import check_names, entry, part
from xstreamvggt_ros.model import StreamVGGT
from xstreamvggt_ros.ops.capture import on_device
from xstreamvggt_ros.ops.precision import exact_products
from xstreamvggt_ros.stream.frame import Frame, frame_from
from xstreamvggt_ros.stream.image_checks import check_form, check_numbers
from xstreamvggt_ros.stream.layout import stream_layout
from xstreamvggt_ros.stream.snapshots import saved_size
from xstreamvggt_ros.stream.step_graph import StepGraph

# Frames of noise at most, before the first image of a size. Slots that more would fill are full
# later, and their step is captured then.
_MOST_WARM = 64
_LOG = logging.getLogger(__name__)
# What a saved stream has beside its cache, and how the cache's names begin.
_OWN = 'fingerprint', 'image_size'
_CACHE = 'cache.'


class StreamingReconstructor:
    """
    Advance StreamVGGT frame by frame with a compressed cache (XStreamVGGT, arXiv 2601.01204).

    The cache is allocated by the first step, when the image size is known, and stays of that size
    until `reset`.
    """

    def __init__(
        self,
        model: StreamVGGT,
        config: CacheConfig | None = None,
        point_head: bool = True,
        attention: str = 'auto',
        cuda_graph: bool | str = 'auto',
        images_checked: bool = False,
    ) -> None:
        """
        Take a network, what to remember, whether to run the point head, and how to attend.

        Without the point head, points are unprojected from depth and pose. `attention` is 'auto',
        'sdpa' or 'flash_attn'. `cuda_graph` is 'auto', 'on' (or True) or 'off' (or False): on a
        CUDA device frames are one launch each once the slots are full, and the first image of a
        size waits until that has been made ready. 'on' says so where there is no such device. The
        model is put into evaluation mode.

        For the least and the largest number of an image on a CUDA device the host has to wait.
        With `images_checked` it does not look at those, which then have to be finite and in
        [0, 1]: `ReconstructionPipeline` sees to that. Images of the host are looked at either way.
        """
        self.model = model.eval()
        self.config = config or CacheConfig()
        self.point_head = point_head
        self._images_checked = images_checked
        self._attention = AttentionChoice(attention)
        self._graph = self._step_graph(cuda_graph)
        # After a reset: the cache whose steps are captured, for a stream of the same size.
        self._parked: tuple[tuple[int, int], StreamCache] | None = None
        self._cache: StreamCache | None = None
        self._size: tuple[int, int] | None = None
        self._weights_hash: bytes | None = None

    @torch.inference_mode()
    def step(self, image: Tensor, keep: bool = True) -> Frame:
        """
        Reconstruct the next image (3, H, W), floating point RGB in [0, 1].

        With keep=False the frame is attended to the past but leaves no trace in the cache.

        Raises ValueError where the shape or type is wrong, a number is not finite, H or W is not
        a multiple of 14, the size differs from that of the stream, or the budget is too small for
        it (BudgetTooSmall).
        """
        self._check(image)
        size = tuple(image.shape[-2:])
        with on_device(self._device), exact_products(self.model.dtype):
            image = self._on_device(image)
            cache = self._cache or self._opened(size, image)
            frame = None
            if self._graph is not None:
                frame = self._graph.advance(cache, image, keep, self.point_head)
            if frame is None:
                frame = self._run(cache, image, keep, self.point_head)
        self._cache, self._size = cache, size
        return frame

    def _run(self, cache: StreamCache, image: Tensor, keep: bool, point_head: bool) -> Frame:
        """Run a frame operator by operator."""
        with cache.frame(keep):
            first = cache.steps == 0
            predictions = self.model.advance(image[None, None], cache, first, point_head)
        return frame_from(predictions, *image.shape[-2:])

    def _opened(self, size: tuple[int, int], image: Tensor) -> StreamCache:
        """Return an empty cache for images of that size, its steps captured where they can be."""
        parked, self._parked = self._parked, None
        if parked is not None and parked[0] == size:
            parked[1].clear()
            return parked[1]
        # Two caches at once would be too many.
        del parked
        if self._graph is None or not self._graph.can(image):
            return self._new_cache(*size)
        self._graph.drop()
        cache = self._new_cache(*size)
        if cache.waits:
            _LOG.warning(
                'frames run launch by launch: with cache.scheme %s and cache.strict_budget %s the '
                'host waits for the device in each; cache.scheme channel_static does not',
                self.config.key_scheme,
                str(self.config.strict_budget).lower(),
            )
        self._warm_up(cache, image)
        return cache

    def _warm_up(self, cache: StreamCache, image: Tensor) -> None:
        """Have kernels compiled and steps captured by frames of noise that are then forgotten."""
        noise = torch.rand(image.shape, generator=torch.Generator().manual_seed(0)).to(image)
        # Until the slots are full, unless they have no end; then as often as capturing asks.
        fills = cache.plan.capacity or 0
        kept = min(2 + -(-fills // cache.layout.frame.tokens), _MOST_WARM)
        for keep in (True,) * (kept + 1) + (False,) * 2:
            if self._graph.advance(cache, noise, keep, self.point_head) is None:
                self._run(cache, noise, keep, self.point_head)
        cache.clear()

    def _step_graph(self, wanted: bool | str) -> StepGraph | None:
        if wanted not in ('auto', 'on', 'off', True, False):
            raise ValueError(f'cuda_graph is {wanted!r}; use one of: auto, on, off')
        if wanted in ('on', True) and self._device.type != 'cuda':
            _LOG.warning('steps are captured on CUDA devices only, and this is %s', self._device)
        if wanted in ('off', False):
            return None
        return StepGraph(self._run, reads=self.model.kept_tables)

    def reset(self) -> None:
        """
        Start a new stream: forget every frame and give the cache's memory back.

        Where steps are captured, they and the memory that they use stay, for images of that size.
        """
        if self._graph is not None and self._graph.serves(self._cache):
            self._parked = (self._size, self._cache)
        self._cache = self._size = None

    def cache_stats(self) -> CacheStats:
        """Return what the cache holds, read off its tensors; all zero before the first step."""
        if self._cache is None:
            return CacheStats((), 0, 0, 0, 0, 0, 0)
        return self._cache.stats()

    @torch.inference_mode()
    def state_dict(self) -> dict[str, Tensor]:
        """
        Return the stream as tensors by name, fit for safetensors.

        They are copies: slots, scales, the camera head's lists and counters, with the image size
        and a fingerprint of model and configuration. The model's weights are not among them.
        """
        state = {
            'fingerprint': torch.tensor(list(self._fingerprint()), dtype=torch.uint8),
            'image_size': torch.tensor(self._size or (0, 0)),
        }
        cache = {} if self._cache is None else self._cache.state_dict()
        return state | {_CACHE + name: value for name, value in cache.items()}

    @torch.inference_mode()
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """
        Resume the stream that state_dict returned, on this or another device.

        The state is taken over to the bit; on the same device the outputs then are too.

        Raises ValueError where it is of another model, precision or cache configuration, or
        damaged; the present stream then goes on.
        """
        missing = set(_OWN) - state.keys()
        if missing:
            raise ValueError(f'the saved stream lacks {", ".join(sorted(missing))}')
        check_names((name for name in state if not name.startswith(_CACHE)), _OWN)
        if bytes(entry(state, 'fingerprint', (32,), torch.uint8).tolist()) != self._fingerprint():
            raise ValueError(
                'the saved stream is of another model, precision or cache configuration; load it '
                'with the checkpoint, dtype and cache parameters that it was saved with'
            )
        height, width = saved_size(state)
        self._parked = None
        cache = self._loaded_cache(height, width, state) if height or width else None
        if self._graph is not None:
            # With it goes the cache that it is of.
            self._graph.drop()
        self._cache, self._size = cache, (height, width) if cache else None

    def _loaded_cache(self, height: int, width: int, state: Mapping[str, Tensor]) -> StreamCache:
        saved = part(state, _CACHE)
        layout = stream_layout(self.model, height, width)
        # Before anything is allocated, or any of many numbers looked at.
        StreamCache(self.config, layout, torch.device('meta')).fit(saved)
        cache = self._new_cache(height, width)
        cache.load_state_dict(saved)
        return cache

    def _fingerprint(self) -> bytes:
        """Hash the settings, and every weight once: they do not change while a stream runs."""
        if self._weights_hash is None:
            digest = hashlib.sha256()
            for name, parameter in self.model.named_parameters():
                digest.update(f'{name} {tuple(parameter.shape)} {parameter.dtype}'.encode())
                plain = parameter.to_dense() if parameter.is_mkldnn else parameter.cpu()
                # A 1 x 1 convolution is contiguous with its channels last, too: flat, it is plain.
                flat = plain.detach().contiguous().flatten()
                digest.update(flat.view(torch.uint8).numpy())
            self._weights_hash = digest.digest()
        settings = json.dumps([asdict(self.model.config), asdict(self.config)], sort_keys=True)
        return hashlib.sha256(settings.encode() + self._weights_hash).digest()

    @property
    def attention(self) -> str:
        """The name that the kernel of attention was asked for by."""
        return self._attention.backend

    @property
    def _device(self) -> torch.device:
        return self.model.aggregator.camera_token.device

    def _on_device(self, image: Tensor) -> Tensor:
        """Bring an image to the device, from pinned memory where that lets the host go on."""
        device = self._device
        if device.type == 'cuda' and not image.is_cuda:
            image = image.pin_memory()
        return image.to(device=device, dtype=torch.float32, non_blocking=True)

    def _new_cache(self, height: int, width: int) -> StreamCache:
        layout = stream_layout(self.model, height, width)
        return StreamCache(self.config, layout, self._device, self._attention)

    def _check(self, image: Tensor) -> None:
        check_form(image)
        if not (self._images_checked and image.device.type != 'cpu'):
            check_numbers(*torch.stack(image.aminmax()).tolist())
        height, width = image.shape[-2:]
        if self._size not in (None, (height, width)):
            raise ValueError(
                f'image is {width}x{height}, but the stream began with '
                f'{self._size[1]}x{self._size[0]}; call reset() to start a new stream'
            )
