# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The steady state as one CUDA graph, and the clock that it needs, which a CPU can run."""

from contextlib import contextmanager
import weakref

from fake_cuda import FakeCuda
import pytest
import torch

from xstreamvggt_ros.cache import (
    AttentionShape,
    CacheConfig,
    FrameLayout,
    StreamCache,
    StreamLayout,
)
from xstreamvggt_ros.model import load_random_weights, ModelConfig, StreamVGGT
from xstreamvggt_ros.stream import StreamingReconstructor
from xstreamvggt_ros.stream.frame import Frame
from xstreamvggt_ros.stream.step_graph import CudaGraphs, StepGraph

CONFIG = CacheConfig(budget_tokens=60, bits=4, policy='frame_diversity', camera_budget_frames=3)


def reconstructor(device='cpu', **options):
    model = StreamVGGT(ModelConfig.preset('tiny'))
    load_random_weights(model)
    return StreamingReconstructor(model.to(device), CONFIG, point_head=False, **options)


def images(count):
    return torch.rand(count, 3, 42, 56, generator=torch.Generator().manual_seed(0))


def test_on_a_cpu_a_graph_that_is_asked_for_changes_nothing_and_says_so(caplog):
    plain, asked = reconstructor(), reconstructor(cuda_graph='on')
    for image in images(8):
        assert torch.equal(plain.step(image).depth, asked.step(image).depth)
    assert ['on CUDA devices only' in record.message for record in caplog.records] == [True]


def test_a_choice_that_is_none_is_refused_by_name():
    with pytest.raises(ValueError, match="cuda_graph is 'yes'; use one of: auto, on, off"):
        reconstructor(cuda_graph='yes')


def test_all_of_a_step_happens_while_the_model_s_device_is_the_current_one(monkeypatch):
    current = []

    @contextmanager
    def on(device):
        current.append(device)
        yield
        current.pop()

    monkeypatch.setattr('xstreamvggt_ros.stream.reconstructor.on_device', on)
    made = reconstructor()
    run, seen = made._run, []
    monkeypatch.setattr(made, '_run', lambda *parts: seen.append(list(current)) or run(*parts))
    made.step(images(1)[0])
    assert seen == [[torch.device('cpu')]]


def test_a_step_is_captured_on_the_device_that_it_runs_on(monkeypatch):
    cuda, ran = FakeCuda().install(monkeypatch), []
    graphs, device = CudaGraphs(), torch.device('cuda', 1)

    replay, _ = graphs.capture(lambda: cuda.launch(1, lambda: ran.append(1)), device)
    replay()

    assert ran == [1]
    assert cuda.streams == cuda.default


class FakeGraphs:
    """Stands in for CUDA: what is captured is a step that runs again each time."""

    def __init__(self, error: Exception | None = None):
        self.error = error
        self.captured = self.replayed = self.released = 0

    def can(self, image):
        return True

    def capture(self, step, device):
        if self.error is not None:
            raise self.error
        self.captured += 1
        shapes = (9,), (42, 56), (42, 56), (42, 56, 3), (42, 56), (3, 4), (3, 3)
        frame = Frame(*(torch.zeros(shape) for shape in shapes))

        def replay():
            self.replayed += 1
            for written, made in zip(vars(frame).values(), vars(step()).values(), strict=True):
                written.copy_(made)

        return replay, frame

    def release(self):
        self.released += 1


def captured_reconstructor(graphs):
    made = reconstructor()
    made._graph = StepGraph(made._run, graphs, made.model.kept_tables)
    return made


def assert_alike(actual, expected):
    for name, tensor in vars(expected).items():
        torch.testing.assert_close(getattr(actual, name), tensor, rtol=1e-3, atol=1e-4, msg=name)


def test_every_frame_of_full_slots_is_a_replay_kept_or_not_and_no_image_waits_for_it():
    graphs = FakeGraphs()
    plain, captured = reconstructor(), captured_reconstructor(graphs)
    frames = images(9)
    # Slots for 60 tokens are full with the fourth frame of 17.
    for index, image in enumerate(frames):
        keep = index % 4 != 2
        before = graphs.captured, graphs.replayed
        assert_alike(captured.step(image, keep), plain.step(image, keep))
        if index == 0:
            # Both were captured before the first image, by frames of noise.
            assert graphs.captured == 2
        else:
            assert graphs.captured == before[0]
        assert (graphs.replayed > before[1]) == (index > 4 or index == 0)
    assert captured.cache_stats() == plain.cache_stats()


def test_a_step_that_waits_for_the_device_is_never_captured_and_the_log_says_so(caplog):
    graphs = FakeGraphs(AssertionError('tried'))
    captured = captured_reconstructor(graphs)
    captured.config = CacheConfig.published().with_budget(budget_tokens=40)
    # The camera head's lists are full, too, after ten.
    for image in images(12):
        captured.step(image)
    said = [record.message for record in caplog.records]
    assert len(said) == 1
    assert 'cache.scheme kcvt and cache.strict_budget false' in said[0]


def test_a_new_stream_of_the_same_size_captures_nothing_anew():
    graphs = FakeGraphs()
    plain, captured = reconstructor(), captured_reconstructor(graphs)
    for _ in range(2):
        for image in images(7):
            assert_alike(captured.step(image), plain.step(image))
        for each in (plain, captured):
            each.reset()
            assert each.cache_stats().bytes == 0
    assert (graphs.captured, graphs.released) == (2, 0)


def test_a_captured_step_holds_the_tables_it_reads_whatever_else_the_network_is_used_for():
    captured = captured_reconstructor(FakeGraphs())
    captured.step(images(1)[0])
    sizes = [(42, 14 * columns) for columns in range(5, 10)]
    head = captured.model.depth_head
    (positions,), (rope,) = head.tables.kept(), captured.model.aggregator.tables.kept()
    read = [weakref.ref(each) for each in (rope.cos, *(x for x, _ in positions.values()))]
    del rope, positions

    other = StreamingReconstructor(captured.model, CONFIG, point_head=False, cuda_graph='off')
    for size in sizes:
        other.step(torch.rand(3, *size))
        other.reset()
    assert len(head.tables.kept()) < len(sizes)
    assert all(each() is not None for each in read)

    captured.reset()
    captured._graph.drop()
    captured._parked = None
    assert not any(each() is not None for each in read)


def test_another_size_gives_back_what_was_captured_before():
    graphs = FakeGraphs()
    captured = captured_reconstructor(graphs)
    captured.step(images(1)[0])
    captured.reset()
    with pytest.raises(RuntimeError):
        # Captured frames of this fake are of one size, which shows that they are made anew.
        captured.step(torch.rand(3, 56, 56))
    assert (graphs.captured, graphs.released) == (3, 1)


def test_another_size_lets_go_of_the_memory_before_it_takes_more(monkeypatch):
    captured = captured_reconstructor(FakeGraphs())
    captured.step(images(1)[0])
    old, allocate, alive = weakref.ref(captured._cache), captured._new_cache, []
    captured.reset()

    def allocate_and_look(*size):
        alive.append(old() is not None)
        return allocate(*size)

    monkeypatch.setattr(captured, '_new_cache', allocate_and_look)
    # Captured frames of this fake are of one size.
    with pytest.raises(RuntimeError):
        captured.step(torch.rand(3, 56, 56))
    assert alive == [False]


def test_a_stream_that_was_loaded_is_captured_after_it_ran_once():
    graphs = FakeGraphs()
    plain, captured = reconstructor(), captured_reconstructor(graphs)
    for image in images(5):
        plain.step(image)
    captured.step(images(1)[0])
    old = weakref.ref(captured._cache)
    captured.load_state_dict(plain.state_dict())
    # Not two caches until the new one's steps are captured.
    assert old() is None
    for image in images(3):
        assert_alike(captured.step(image), plain.step(image))
    assert graphs.captured == 3


def test_what_cannot_be_captured_is_said_once_and_runs_step_by_step(caplog):
    plain = reconstructor()
    captured = captured_reconstructor(FakeGraphs(RuntimeError('operation not permitted')))
    for image in images(8):
        assert_alike(captured.step(image), plain.step(image))
    assert ['launch by launch' in record.message for record in caplog.records] == [True]


@pytest.mark.parametrize('strict', [True, False])
@pytest.mark.parametrize('policy', ['frame_diversity', 'query_key', 'random'])
def test_a_clock_on_the_device_does_what_the_host_s_number_does(policy, strict):
    host, clocked = (stream(policy=policy, strict_budget=strict) for _ in range(2))
    # A camera list that is pruned as published takes in four tokens a frame until it is full.
    for index in range(9 if strict else 21):
        tokens = _tokens(index)
        expected = _step(host, tokens)
        if not clocked.full:
            _step(clocked, tokens)
            continue
        with clocked.clocked(torch.tensor(index)) as evicted:
            actual = _step(clocked, tokens)
        clocked.count(evicted)
        # Lists of fixed length are masked, in which attention rounds otherwise.
        torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-6)
    assert clocked.full
    stream(policy=policy, strict_budget=strict).load_state_dict(clocked.state_dict())
    _assert_same(clocked, host)


def test_a_frame_that_fails_half_way_leaves_a_captured_stream_that_can_be_loaded():
    host, clocked = stream(), stream()
    for index in range(6):
        _step(host, _tokens(index))
        _step(clocked, _tokens(index))
    for cache in (host, clocked):
        with pytest.raises(RuntimeError, match='lost'), cache.frame():
            cache.attend_global(0, *_tokens(6))
            raise RuntimeError('lost')

    captured = None
    for index in range(7, 10):
        _step(host, _tokens(index))
        with clocked.clocked(torch.tensor(clocked.steps)) as evicted:
            _step(clocked, _tokens(index))
        # A graph counts every time what it did when it was captured.
        captured = captured or evicted
        clocked.count(captured)

    stream().load_state_dict(clocked.state_dict())
    _assert_same(clocked, host)


def stream(**options):
    frame, shape = FrameLayout(5, 4, 5), AttentionShape(2, 2, 16)
    layout = StreamLayout(frame, shape, shape, 4, torch.float32, torch.float32)
    config = CacheConfig(budget_tokens=70, bits=4, camera_budget_frames=3, **options)
    return StreamCache(config, layout, torch.device('cpu'))


def _tokens(seed):
    return torch.randn(3, 1, 2, 25, 16, generator=torch.Generator().manual_seed(seed))


def _step(cache, tokens):
    queries, keys, values = tokens
    with cache.frame():
        attended = [cache.attend_global(block, queries, keys, values) for block in range(2)]
        for iteration in range(4):
            one = keys[:, :, iteration : iteration + 1]
            attended += [
                cache.attend_camera(iteration, block, one, one, one).expand_as(queries)
                for block in range(2)
            ]
    return torch.stack(attended)


def _assert_same(actual, expected):
    actual = actual.state_dict()
    for name, tensor in expected.state_dict().items():
        assert torch.equal(actual[name], tensor), name


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
def test_a_captured_stream_gives_what_a_stepped_one_does(caplog):
    plain, captured = reconstructor('cuda', cuda_graph='off'), reconstructor('cuda')
    sizes = []
    for _ in range(3):
        for index, image in enumerate(images(12)):
            keep = index % 5 != 4
            expected, actual = plain.step(image, keep), captured.step(image, keep)
            torch.testing.assert_close(actual.depth, expected.depth, rtol=1e-3, atol=1e-3)
            torch.testing.assert_close(actual.pose_encoding, expected.pose_encoding)
        assert captured.cache_stats().evictions == plain.cache_stats().evictions
        assert captured._graph.serves(captured._cache)
        sizes.append(torch.cuda.memory_reserved())
        plain.reset()
        captured.reset()
    assert sizes[2] == sizes[1]
    assert not [record for record in caplog.records if record.levelname == 'WARNING']
