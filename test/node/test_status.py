# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the node says about itself on /diagnostics."""

from pathlib import Path
import re

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from networks import flat_frame, Scripted
import pytest
from reports import report as a_report
from ros_rig import image_message, picture
from std_srvs.srv import SetBool
import torch

from xstreamvggt_ros.cache import CacheConfig, CacheStats, LayerStats
from xstreamvggt_ros.intake.counters import Counts
from xstreamvggt_ros.messages.diagnostics import diagnostic_array
from xstreamvggt_ros.model import load_random_weights, ModelConfig, StreamVGGT
from xstreamvggt_ros.node.observed import FrameFigures, Observed
from xstreamvggt_ros.node.status import stream_figures, unbounded_growth
from xstreamvggt_ros.parameters import PARAMETERS, read_parameters
from xstreamvggt_ros.scale.estimator import ScaleState
from xstreamvggt_ros.stream import stream_layout, StreamingReconstructor

POSE = '/reconstruction/pose'
SIZE = (28, 42)
REFERENCE = (Path(__file__).parents[2] / 'docs' / 'reference.md').read_text()
# Stamps that are worth a word.
REMARKS = ('zero_stamp', 'odd_stamp', 'duplicate_stamp', 'backward_stamp')


def _parameters(**changes):
    values = {name: spec.default for name, spec in PARAMETERS.items()}
    return read_parameters({**values, **changes})


def _figures(latencies=(), stats=None, **parameters):
    counts = Counts(9, 7, {'bad_size': 2}, latencies)
    stats = stats or CacheStats((), 0, 0, 0, 0, 0, 0)
    observed = Observed(counts, stats, FrameFigures(SIZE))
    return stream_figures(_parameters(**parameters), observed)


def test_every_key_of_diagnostics_is_in_the_reference():
    counts = Counts(9, 7, {'bad_size': 2}, (), remarks=dict.fromkeys(REMARKS, 1))
    observed = Observed(
        counts,
        CacheStats((), 0, 0, 0, 0, 0, 0),
        FrameFigures(SIZE, 30.0, 29.0),
        report=a_report('ok'),
        scale=ScaleState('depth', True, 1.0, 1.0, 0.1, 5, ''),
        transforms='',
    )
    cameras = {'input.image_topics': ['/a/image', '/b/image']}
    figures = stream_figures(_parameters(**cameras), observed)
    (status,) = diagnostic_array(figures, 'node', Time()).status
    keys = {pair.key for pair in status.values}
    assert {'watch_action', 'scale_settled', 'transforms', 'intrinsics', 'a/frames_in'} <= keys

    named = re.compile(r'`(<camera>/)?([a-z0-9_]+|dropped_<reason>)`')
    told = REFERENCE.partition('\nOn `/diagnostics`: ')[2].partition('\n## ')[0]
    shown = {''.join(parts) for parts in named.findall(told)}
    keys = {re.sub(r'^[ab]/', '<camera>/', key) for key in keys}
    keys = {re.sub(r'dropped_\w+', 'dropped_<reason>', key) for key in keys}
    assert keys - shown == set()


def test_latencies_are_percentiles_in_milliseconds():
    figures = _figures(latencies=tuple(index / 1000 for index in range(101)))
    assert figures.latency_p50_ms == pytest.approx(50.0)
    assert figures.latency_p95_ms == pytest.approx(95.0)
    assert _figures().latency_p50_ms is None


def test_cache_figures_are_those_of_the_cache():
    layers = tuple(LayerStats(tokens, 512, 1000, 0, 20, 4, 3) for tokens in (280, 320))
    stats = CacheStats(layers, 600, 40, 2500, 500, 0, 10)
    figures = _figures(stats=stats)
    assert (figures.cache_layers, figures.cache_tokens, figures.cache_evictions) == (2, 600, 40)
    assert figures.cache_tokens_per_layer == 320
    assert _figures().cache_tokens_per_layer == 0
    assert (figures.cache_budget_tokens, figures.cache_bytes) == (512, 2500)
    tokens, size = unbounded_growth(ModelConfig.preset('tiny'), SIZE, torch.float32)
    assert figures.cache_unbounded_tokens == 10 * tokens
    assert figures.cache_unbounded_bytes == 10 * size


def test_weights_are_named_as_they_are():
    random = _figures(**{'model.checkpoint': 'random'})
    assert random.weights == 'random'
    assert any('RANDOM' in warning for warning in random.warnings)
    assert _figures(**{'model.checkpoint': '/a/b.safetensors'}).weights == (
        'trained /a/b.safetensors'
    )


def test_an_unbounded_cache_holds_what_is_said_of_it():
    config = ModelConfig.preset('tiny')
    model = StreamVGGT(config)
    load_random_weights(model)
    reconstructor = StreamingReconstructor(model, CacheConfig(), point_head=False)
    frames = 12
    for _ in range(frames):
        reconstructor.step(torch.rand(3, *SIZE, generator=torch.Generator().manual_seed(1)))
    stats = reconstructor.cache_stats()
    tokens, size = unbounded_growth(config, SIZE, torch.float32)
    camera = size - 2 * tokens * config.embed_dim * 4
    assert stats.tokens == frames * tokens
    # The lists of the camera head are allocated with room to grow.
    assert frames * camera <= stats.camera_bytes < 2.5 * frames * camera


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16, torch.int8])
def test_what_it_would_hold_is_as_wide_as_what_the_network_attends_to(dtype):
    model = StreamVGGT(ModelConfig.preset('tiny'))
    load_random_weights(model)
    model.set_precision(dtype)

    grown = unbounded_growth(model.config, SIZE, dtype)

    assert grown == stream_layout(model, *SIZE).growth
    assert grown[1] > 0


def test_nothing_is_said_of_a_cache_before_the_first_image():
    assert unbounded_growth(ModelConfig.preset('tiny'), (0, 0), torch.float32) == (0, 0)


def _newest(messages):
    (status,) = messages[-1].status
    return status, {pair.key: pair.value for pair in status.values}


@pytest.mark.ros
def test_the_figures_come_while_active_and_once_more_on_the_way_out(active):
    def answer(index, image):
        return flat_frame(*image.shape[-2:])

    rig = active(network=Scripted(answer))
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    poses = rig.collect(PoseStamped, POSE)
    rig.wait(lambda: diagnostics, 'diagnostics without an image')
    rig.feed([image_message(picture(seed), 1.0 + seed) for seed in range(3)], poses)
    assert rig.change('deactivate')
    rig.wait(lambda: _newest(diagnostics)[1]['frames_processed'] == '3', 'the last figures')
    status, values = _newest(diagnostics)
    assert status.name == 'reconstruction: reconstruction'
    assert values['frames_in'] == '3' and values['frames_dropped'] == '0'
    assert values['cache_tokens'] == '7'
    assert float(values['latency_p50_ms']) > 0
    # One camera's are those of all.
    assert not any('/' in key for key in values)


@pytest.mark.ros
def test_an_error_is_told_until_an_image_succeeds_again(active):
    def answer(index, image):
        if not failing:
            return flat_frame(*image.shape[-2:])
        return RuntimeError('the network is ill')

    failing = []
    rig = active(network=Scripted(answer))
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    poses = rig.collect(PoseStamped, POSE)
    failing.append(True)
    rig.publish(image_message(picture(1), 1.0))
    rig.wait(
        lambda: diagnostics and _newest(diagnostics)[0].level == DiagnosticStatus.ERROR,
        'an error on /diagnostics',
    )
    values = _newest(diagnostics)[1]
    assert values['dropped_unexpected'] == '1'
    assert values['last_error'] == 'unexpected: the network is ill'
    failing.clear()
    rig.feed([image_message(picture(2), 2.0)], poses)
    rig.wait(lambda: _newest(diagnostics)[1]['last_error'] == '', 'the error to be over')


@pytest.mark.ros
def test_the_level_says_what_keeps_images_away(active):
    rig = active({'input.silence_timeout': 0.3})
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')

    def warned(words):
        status, _ = _newest(diagnostics)
        return status.level == DiagnosticStatus.WARN and words in status.message

    rig.wait(lambda: diagnostics and warned('no images on /image for'), 'silence')
    assert float(_newest(diagnostics)[1]['seconds_since_image']) > 0.3
    rig.call(SetBool, '/reconstruction/enable', SetBool.Request(data=False))
    rig.wait(lambda: warned('~/enable'), 'the images not wanted')
    rig.change('deactivate')
    rig.wait(lambda: _newest(diagnostics)[0].level == DiagnosticStatus.STALE, 'stale')


@pytest.mark.ros
def test_a_new_stream_is_told_with_its_reason(active):
    rig = active()
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    poses = rig.collect(PoseStamped, POSE)
    rig.feed([image_message(picture(), 9.0), image_message(picture(), 1.0)], poses)
    rig.feed([image_message(picture(), 1.1)], poses)

    rig.wait(lambda: diagnostics and _newest(diagnostics)[1]['streams'] == '2')
    status, values = _newest(diagnostics)
    assert status.level == DiagnosticStatus.WARN
    assert 'stream 2 began' in status.message
    assert 'stamps went back by 8.0 s' in values['stream_reason']
    assert float(values['stream_age_s']) < 10


def test_a_calibrated_focal_length_unlike_the_predicted_one_is_doubted():
    def doubts(predicted, calibrated):
        observed = Observed(
            Counts(1, 1, {}, ()),
            CacheStats((), 0, 0, 0, 0, 0, 0),
            FrameFigures(SIZE, predicted, calibrated),
        )
        warnings = stream_figures(_parameters(), observed).warnings
        return any('focal length of camera_info' in warning for warning in warnings)

    assert doubts(100.0, 400.0) and doubts(400.0, 100.0)
    assert not doubts(100.0, 130.0) and not doubts(100.0, None)
