# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
import os
from pathlib import Path

from dead_disk import dead_disk
import pytest
from safetensors.torch import save_file
from shapes import SMALLEST
import torch

from xstreamvggt_ros.files import answering
from xstreamvggt_ros.model import (
    checkpoint,
    CheckpointError,
    load_checkpoint,
    load_random_weights,
    StreamVGGT,
)


@pytest.fixture
def weights() -> dict[str, torch.Tensor]:
    model = StreamVGGT(SMALLEST)
    load_random_weights(model)
    return dict(model.state_dict())


def save(weights: dict, path: Path) -> Path:
    if path.suffix == '.safetensors':
        save_file(weights, path)
    else:
        torch.save(weights, path)
    return path


@pytest.mark.parametrize('name', ['a.safetensors', 'a.pth', 'a.pt'])
def test_weights_arrive_and_track_head_is_skipped(tmp_path, weights, name):
    path = save({**weights, 'track_head.a.weight': torch.ones(3)}, tmp_path / name)
    model = StreamVGGT(SMALLEST)
    load_checkpoint(model, path)
    loaded = model.state_dict()
    assert loaded.keys() == weights.keys()
    assert all(torch.equal(loaded[key], weights[key]) for key in weights)


@pytest.mark.parametrize('name', ['a.safetensors', 'a.pth'])
def test_a_model_without_memory_of_its_own_is_filled(tmp_path, weights, name):
    path = save(weights, tmp_path / name)
    with torch.device('meta'):
        model = StreamVGGT(SMALLEST)
    load_checkpoint(model, str(path))
    assert torch.equal(
        model.state_dict()['camera_head.embed_pose.bias'], weights['camera_head.embed_pose.bias']
    )


@pytest.mark.skipif(not Path('/proc/self/maps').exists(), reason='needs /proc/self/maps')
@pytest.mark.parametrize('name', ['a.safetensors', 'a.pth'])
def test_weights_are_mapped_from_the_file(tmp_path, weights, name):
    path = save(weights, tmp_path / name)
    model = StreamVGGT(SMALLEST)
    load_checkpoint(model, path)
    spans = [
        [int(end, 16) for end in line.split()[0].split('-')]
        for line in Path('/proc/self/maps').read_text().splitlines()
        if line.endswith(os.fspath(path))
    ]
    for parameter in model.parameters():
        address = parameter.data_ptr()
        assert any(low <= address < high for low, high in spans)


def test_halves_become_the_models_own_precision(tmp_path, weights):
    halves = {name: value.half() for name, value in weights.items()}
    model = StreamVGGT(SMALLEST)
    load_checkpoint(model, save(halves, tmp_path / 'a.safetensors'))
    assert {value.dtype for value in model.state_dict().values()} == {torch.float32}


FLOAT8 = (
    torch.float8_e4m3fn,
    torch.float8_e4m3fnuz,
    torch.float8_e5m2,
    torch.float8_e5m2fnuz,
)


@pytest.mark.parametrize('kind', FLOAT8)
@pytest.mark.parametrize('name', ['a.safetensors', 'a.pth'])
def test_numbers_of_one_byte_become_the_models_own_precision(tmp_path, weights, name, kind):
    bytes_each = {each: value.to(kind) for each, value in weights.items()}
    model = StreamVGGT(SMALLEST)
    load_checkpoint(model, save(bytes_each, tmp_path / name))
    loaded = model.state_dict()
    assert all(torch.equal(loaded[each], bytes_each[each].float()) for each in weights)


@pytest.mark.parametrize('kind', FLOAT8)
@pytest.mark.parametrize('place', [0, -1])
def test_numbers_of_one_byte_that_are_none_are_refused_by_name(
    tmp_path, monkeypatch, weights, kind, place
):
    monkeypatch.setattr(checkpoint, 'WIDENED', 7)
    victim = list(weights)[7]
    spoilt = weights[victim].clone()
    spoilt.view(-1)[place] = float('nan')
    path = save({**weights, victim: spoilt.to(kind)}, tmp_path / 'a.safetensors')
    with pytest.raises(CheckpointError, match=f'not finite numbers.*{victim}'):
        load_checkpoint(StreamVGGT(SMALLEST), path)


def without(weights: dict, name: str) -> dict:
    return {key: value for key, value in weights.items() if key != name}


NAME = 'camera_head.embed_pose.weight'


@pytest.mark.parametrize('suffix', ['.safetensors', '.pth'])
@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda w: without(w, NAME), f'1 missing: {NAME}'),
        (lambda w: {**w, 'extra.bias': torch.ones(2)}, '1 unexpected: extra.bias'),
        (lambda w: {**w, NAME: torch.ones(5, 9)}, rf'1 misshapen: {NAME} is \(5, 9\).*\(128, 9\)'),
        (lambda w: {**w, NAME: torch.ones(128, 9, dtype=torch.int32)}, 'not floating point'),
    ],
)
def test_tensors_that_do_not_fit_are_named(tmp_path, weights, change, message, suffix):
    path = save(change(weights), tmp_path / f'a{suffix}')
    model = StreamVGGT(SMALLEST)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(model, path)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize('suffix', ['.safetensors', '.pth', '.pt'])
@pytest.mark.parametrize('content', [b'', b'abc', b'\x80', b'\x80\x02', b'\x80\x02}', b'PK\x03'])
def test_a_few_bytes_are_no_checkpoint(tmp_path, suffix, content):
    path = tmp_path / f'a{suffix}'
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=f'a{suffix}.*truncated'):
        load_checkpoint(StreamVGGT(SMALLEST), path)


@pytest.mark.parametrize('keep', [0.0, 0.001, 0.5, 0.99])
@pytest.mark.parametrize('suffix', ['.safetensors', '.pth'])
def test_a_truncated_file_is_refused(tmp_path, weights, suffix, keep):
    path = save(weights, tmp_path / f'a{suffix}')
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(CheckpointError, match='truncated'):
        load_checkpoint(StreamVGGT(SMALLEST), path)


def test_a_file_from_before_torch_1_6_is_read(tmp_path, weights):
    torch.save(weights, tmp_path / 'a.pth', _use_new_zipfile_serialization=False)
    model = StreamVGGT(SMALLEST)
    load_checkpoint(model, tmp_path / 'a.pth')
    assert all(torch.equal(value, weights[key]) for key, value in model.state_dict().items())


class Malicious:
    """Runs a command when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ('ran',)


@pytest.mark.parametrize('legacy', [True, False])
def test_a_file_that_holds_code_is_refused_and_not_run(tmp_path, monkeypatch, legacy):
    monkeypatch.chdir(tmp_path)
    torch.save({'a': Malicious()}, tmp_path / 'a.pth', _use_new_zipfile_serialization=not legacy)
    with pytest.raises(CheckpointError, match=r'a\.pth.*holds code'):
        load_checkpoint(StreamVGGT(SMALLEST), tmp_path / 'a.pth')
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize(
    ('content', 'message'),
    [([1, 2], 'holds a list'), ({'model': {'a': torch.ones(1)}}, "'model' is a dict")],
)
def test_a_file_of_something_else_is_refused(tmp_path, content, message):
    torch.save(content, tmp_path / 'a.pth')
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(StreamVGGT(SMALLEST), tmp_path / 'a.pth')


@pytest.mark.parametrize(
    ('source', 'message'),
    [
        ('/nowhere/a.pth', "'/nowhere/a.pth' is not a file"),
        ('a.onnx', "'a.onnx' is not a file"),
        ('owner/name', "'owner/name' is not a file.*revision"),
    ],
)
def test_a_source_that_is_not_there_is_named(source, message):
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(StreamVGGT(SMALLEST), source)


def test_an_unknown_suffix_is_refused(tmp_path):
    path = tmp_path / 'a.onnx'
    path.write_bytes(b'onnx')
    with pytest.raises(CheckpointError, match=r'.onnx.*\.safetensors'):
        load_checkpoint(StreamVGGT(SMALLEST), path)


def test_a_hub_id_is_fetched_at_its_revision(tmp_path, weights, monkeypatch):
    hub = pytest.importorskip('huggingface_hub')
    from huggingface_hub.errors import EntryNotFoundError

    path = save(weights, tmp_path / 'checkpoints.pth')
    asked = []

    def download(repository, name, revision):
        asked.append((repository, revision))
        if name != path.name:
            raise EntryNotFoundError(name)
        return str(path)

    monkeypatch.setattr(hub, 'hf_hub_download', download)
    load_checkpoint(StreamVGGT(SMALLEST), 'owner/name', revision='abc123')
    assert set(asked) == {('owner/name', 'abc123')}


def test_a_hub_out_of_reach_is_asked_once_and_said_so(monkeypatch):
    hub = pytest.importorskip('huggingface_hub')
    from huggingface_hub.errors import LocalEntryNotFoundError

    asked = []

    def download(repository, name, revision):
        asked.append(name)
        raise LocalEntryNotFoundError('no connection')

    monkeypatch.setattr(hub, 'hf_hub_download', download)
    with pytest.raises(CheckpointError, match='cannot be fetched: no connection'):
        load_checkpoint(StreamVGGT(SMALLEST), 'owner/name', revision='abc123')
    assert len(asked) == 1


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
@pytest.mark.parametrize('name', ['a.safetensors', 'a.pth'])
def test_weights_that_are_not_numbers_are_refused_by_name(tmp_path, weights, name, value):
    victim = list(weights)[7]
    weights = {each: tensor.clone() for each, tensor in weights.items()}
    weights[victim].view(-1)[0] = value
    with pytest.raises(CheckpointError, match=f'not finite numbers.*{victim}'):
        load_checkpoint(StreamVGGT(SMALLEST), save(weights, tmp_path / name))


def two_in_a_byte(tensor):
    kind = checkpoint.TWO_IN_A_BYTE
    if kind is None:
        pytest.skip('this torch has no such numbers')
    return torch.zeros(tensor.shape, dtype=torch.uint8).view(kind)


@pytest.mark.parametrize(
    'odd', [lambda tensor: tensor.to_sparse(), lambda tensor: tensor.to('meta'), two_in_a_byte]
)
def test_tensors_that_are_not_plain_are_refused_by_name(tmp_path, weights, odd):
    victim = list(weights)[7]
    path = save({**weights, victim: odd(weights[victim])}, tmp_path / 'a.pth')
    with pytest.raises(CheckpointError, match=f'not plain tensors: {victim}'):
        load_checkpoint(StreamVGGT(SMALLEST), path)


def test_a_deep_pickle_is_refused_with_a_sentence(tmp_path):
    nested = torch.ones(1)
    for _ in range(400):
        nested = [nested]
    path = tmp_path / 'a.pth'
    torch.save({'a': nested}, path)
    with pytest.raises(CheckpointError, match=f'{path.name}.*'):
        load_checkpoint(StreamVGGT(SMALLEST), path)


@pytest.mark.parametrize('kind', ['a.safetensors', 'a.pth', 'a.pt', 'cache of the hub'])
def test_a_disk_that_does_not_answer_is_named(tmp_path, monkeypatch, kind):
    path = tmp_path / kind
    path.touch()
    source, revision = path, None
    if kind == 'cache of the hub':
        hub = pytest.importorskip('huggingface_hub')
        monkeypatch.setattr(hub.constants, 'HF_HUB_CACHE', str(path))
        source, revision = 'owner/name', 'abc123'
    monkeypatch.setattr(answering, 'ANSWER_S', 0.05)
    with dead_disk(path):
        with pytest.raises(CheckpointError, match=f"'{path}' does not answer: .*mount"):
            load_checkpoint(StreamVGGT(SMALLEST), source, revision)


def make_loop(path):
    path.symlink_to(path)


@pytest.mark.parametrize(
    ('make', 'message'),
    [(os.mkfifo, 'is not a file'), (os.mkdir, 'is not a file'), (make_loop, 'cannot be opened')],
)
def test_what_is_no_file_is_refused_without_waiting_for_it(tmp_path, make, message):
    make(tmp_path / 'a.pth')
    with pytest.raises(CheckpointError, match=f"a.pth' {message}"):
        load_checkpoint(StreamVGGT(SMALLEST), tmp_path / 'a.pth')
