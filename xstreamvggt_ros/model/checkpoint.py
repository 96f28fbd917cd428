# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weights from a file or a Hugging Face repository, mapped into a model and never executed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
import os
from pathlib import Path
import pickle
import re
import zipfile

import torch
from torch import nn, Tensor

from xstreamvggt_ros.files.answering import answer, check_regular

# Of the published checkpoint, but not of this network: point tracking.
SKIPPED_PREFIXES = ('track_head.',)
HUB_ID = re.compile(r'[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*')
HUB_FILES = ('model.safetensors', 'checkpoints.pth', 'model.pt')
NAMES_SHOWN = 5
# Numbers that are widened at a time: torch sums none of one byte.
WIDENED = 2**20
# Of no torch before 2.8; nothing converts it.
TWO_IN_A_BYTE = getattr(torch, 'float4_e2m1fn_x2', None)


class CheckpointError(ValueError):
    """Weights that cannot be used; the message says which and why."""


def load_checkpoint(model: nn.Module, source: str | Path, revision: str | None = None) -> None:
    """
    Load weights into model from `source`.

    `source` is a `.safetensors`, `.pth` or `.pt` file, or a Hugging Face id `owner/name` together
    with the revision to pin (a commit or a tag). Tensors are mapped from the file and take the
    place of the model's own, so they are never held twice; a model on the meta device is filled
    as well. Tensors of another floating-point type are converted to the model's.

    Raises CheckpointError where the file is missing, truncated, holds code, or where a tensor is
    missing, unexpected or misshapen; the model is then as it was.
    """
    path = _local_path(source, revision)
    tensors = _read(path)
    state = {
        name: tensor for name, tensor in tensors.items() if not name.startswith(SKIPPED_PREFIXES)
    }
    _check(model, state, path)
    _check_finite(state, path)
    own = model.state_dict()
    state = {name: _like(own[name], tensor) for name, tensor in state.items()}
    model.load_state_dict(state, assign=True)


def _like(own: Tensor, tensor: Tensor) -> Tensor:
    """Bring a tensor to the type of the model's own and, where that has memory, its device."""
    return tensor.to(own.dtype) if own.is_meta else tensor.to(own.device, own.dtype)


def _local_path(source: str | Path, revision: str | None) -> Path:
    path = Path(os.path.expanduser(source))
    if _is_there(path):
        return path
    if path.suffix in READERS or not HUB_ID.fullmatch(str(source)):
        raise CheckpointError(
            f'checkpoint {str(source)!r} is not a file; give the path of a '
            f'{", ".join(READERS)} file or a Hugging Face id owner/name'
        )
    if not revision:
        raise CheckpointError(
            f'checkpoint {str(source)!r} is not a file, and as a Hugging Face id it needs a '
            'revision (a commit or tag) to be reproducible; set one'
        )
    return _download(str(source), revision)


def _is_there(path: Path) -> bool:
    try:
        check_regular(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except TimeoutError as error:
        raise CheckpointError(f'checkpoint {error}') from error
    except OSError as error:
        raise CheckpointError(
            f'checkpoint {str(path)!r} cannot be opened ({error.strerror}); see to its links and '
            'to who may read it'
        ) from error
    return True


def _download(repository: str, revision: str) -> Path:
    try:
        from huggingface_hub import constants, hf_hub_download
        from huggingface_hub.errors import (
            EntryNotFoundError,
            HfHubHTTPError,
            LocalEntryNotFoundError,
        )
    except ImportError as error:
        raise CheckpointError(
            f'checkpoint {repository!r} needs huggingface_hub: pip install '
            "'xstreamvggt_ros[hub]', or give the path of a file"
        ) from error
    try:
        answer(partial(os.path.exists, constants.HF_HUB_CACHE), constants.HF_HUB_CACHE)
    except TimeoutError as error:
        raise _unfetched(repository, revision, error) from error
    for name in HUB_FILES:
        try:
            return Path(hf_hub_download(repository, name, revision=revision))
        except LocalEntryNotFoundError as error:
            # The hub cannot be reached and nothing is kept here: the other files are no better.
            raise _unfetched(repository, revision, error) from error
        except EntryNotFoundError:
            continue
        except (HfHubHTTPError, OSError, ValueError) as error:
            raise _unfetched(repository, revision, error) from error
    raise CheckpointError(
        f'checkpoint {repository!r} at revision {revision!r} has none of {", ".join(HUB_FILES)}'
    )


def _unfetched(repository: str, revision: str, error: Exception) -> CheckpointError:
    return CheckpointError(
        f'checkpoint {repository!r} at revision {revision!r} cannot be fetched: '
        f'{_first_line(error)}'
    )


def _read(path: Path) -> dict[str, Tensor]:
    if path.suffix not in READERS:
        raise CheckpointError(
            f'checkpoint {str(path)!r} has suffix {path.suffix!r}; use {", ".join(READERS)}'
        )
    tensors = READERS[path.suffix](path)
    if not isinstance(tensors, Mapping):
        raise CheckpointError(
            f'checkpoint {str(path)!r} holds a {type(tensors).__name__}; '
            'it must map names to tensors'
        )
    for name, tensor in tensors.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise CheckpointError(
                f'checkpoint {str(path)!r}: entry {name!r} is a {type(tensor).__name__}, not a '
                'tensor; save the bare state_dict'
            )
    return dict(tensors)


def _read_torch(path: Path) -> object:
    try:
        # Files from before torch 1.6 are no zip archives, and cannot be mapped.
        mapped = zipfile.is_zipfile(path)
        return torch.load(path, map_location='cpu', weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f'checkpoint {str(path)!r} is refused: it is truncated, or holds code or objects '
            f'other than tensors ({_first_line(error)}); save the bare state_dict'
        ) from error
    # What a damaged pickle raises may be anything.
    except Exception as error:
        raise CheckpointError(
            f'checkpoint {str(path)!r} cannot be read, it may be truncated '
            f'({_first_line(error)}); fetch it again'
        ) from error


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import safe_open, SafetensorError

    try:
        with safe_open(path, framework='pt') as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f'checkpoint {str(path)!r} cannot be read, it may be truncated '
            f'({_first_line(error)}); fetch it again'
        ) from error


READERS = {'.safetensors': _read_safetensors, '.pth': _read_torch, '.pt': _read_torch}


def _check(model: nn.Module, state: Mapping[str, Tensor], path: Path) -> None:
    own = model.state_dict()
    misshapen = [
        f'{name} is {tuple(state[name].shape)}, the model has {tuple(tensor.shape)}'
        for name, tensor in own.items()
        if name in state and state[name].shape != tensor.shape
    ]
    not_floating = [name for name in own if name in state and not state[name].is_floating_point()]
    problems = [
        _listing('missing', [name for name in own if name not in state]),
        _listing('unexpected', [name for name in state if name not in own]),
        _listing('misshapen', misshapen),
        _listing('not floating point', not_floating),
        _listing('not plain tensors', [name for name in own if _is_odd(state.get(name))]),
    ]
    if any(problems):
        raise CheckpointError(
            f'checkpoint {str(path)!r} does not fit the model (is the preset right?): '
            + '; '.join(problem for problem in problems if problem)
        )


def _is_odd(tensor: Tensor | None) -> bool:
    """Whether a tensor holds its numbers otherwise than one after another, or holds none."""
    return tensor is not None and (
        tensor.layout != torch.strided or tensor.is_meta or tensor.dtype == TWO_IN_A_BYTE
    )


def _check_finite(state: Mapping[str, Tensor], path: Path) -> None:
    """Refuse weights that are not numbers: every image would give nothing."""
    bad = [name for name, tensor in state.items() if not _is_finite(tensor)]
    if bad:
        raise CheckpointError(
            f'checkpoint {str(path)!r} has weights that are not finite numbers, as a training '
            f'that diverged leaves behind: {_listing("such tensors", bad)}; take another'
        )


def _is_finite(tensor: Tensor) -> bool:
    if tensor.dtype.itemsize == 1:
        return all(_is_finite(piece.float()) for piece in tensor.flatten().split(WIDENED))
    # A sum is not finite where any of its numbers is not, and takes no memory; where it only
    # overflows, they are looked at one by one.
    return bool(torch.isfinite(tensor.sum())) or bool(torch.isfinite(tensor).all())


def _listing(what: str, names: Iterable[str]) -> str:
    names = list(names)
    if not names:
        return ''
    shown = ', '.join(names[:NAMES_SHOWN])
    rest = f' and {len(names) - NAMES_SHOWN} more' if len(names) > NAMES_SHOWN else ''
    return f'{len(names)} {what}: {shown}{rest}'


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
