# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Published figures are those of runs that were made as the papers' were, and of no others."""

from pathlib import Path
import re
import shlex

import pytest

from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.evaluation import arguments
from xstreamvggt_ros.evaluation.plan import configurations
from xstreamvggt_ros.evaluation.protocol import Protocol
from xstreamvggt_ros.evaluation.report.figures import FIGURES
from xstreamvggt_ros.evaluation.report.published import (
    FRAMES,
    method_of,
    PRUNED,
    PUBLISHED,
    published,
    replayed_alike,
    scored_alike,
    STREAM,
    XSTREAM,
)
from xstreamvggt_ros.evaluation.run_config import RunConfig

DOCUMENT = Path(__file__).resolve().parents[2] / 'docs' / 'evaluation.md'
# The papers' network with weights, whatever is in them.
PAPERS = {'preset': 'streamvggt', 'checkpoint': 'weights.pt', 'image_size': 0}
# Data sets that are called otherwise than the folder that the document has them in.
NAMES = {'kitti': 'kitti_raw'}


def documented():
    """Read the commands of the papers' tables: of each its data set and its options."""
    text = DOCUMENT.read_text(encoding='utf-8')
    (common,) = re.findall(r'^COMMON="(.*)"$', text, re.MULTILINE)
    for command in re.findall(r'`evaluate (run [^`]*\$COMMON[^`]*)`', text):
        options = arguments.parse(shlex.split(command.replace('$COMMON', common)))
        folder = options.inputs[0].split('/')[1]
        yield NAMES.get(folder, folder), options


def shown_by(dataset, options):
    """Give what stands beside figures of the runs that a command makes."""
    protocol = vars(arguments.protocol(options))
    configs = configurations(arguments.run_config(options), arguments.axes(options))
    return {
        each
        for config in configs
        for figure in FIGURES
        if replayed_alike(dataset, figure, config) and scored_alike(figure, protocol)
        for each in published(dataset, figure, method_of(config))
    }


def test_every_published_figure_stands_beside_a_run_of_the_documents_commands():
    commands = list(documented())

    assert len(commands) > 8
    assert set().union(*(shown_by(*each) for each in commands)) == set(PUBLISHED)
    assert {each.dataset for each in PUBLISHED} == FRAMES.keys()


def test_published_figures_are_those_of_figures_that_there_are():
    assert {each.figure for each in PUBLISHED} <= FIGURES.keys()
    (one,) = published('scannet', 'ate_rmse', 'XStreamVGGT')
    assert one.value == 0.171
    assert published('scannet', 'depth_median_abs_rel', 'XStreamVGGT') == ()


@pytest.mark.parametrize(
    ('changes', 'method'),
    [
        ({}, XSTREAM),
        ({'strict_budget': True}, XSTREAM),
        ({'scheme': 'channel_static', 'camera_cache': 'per_iteration'}, XSTREAM),
        ({'budget': '50%'}, ''),
        ({'bits': 16}, PRUNED),
        ({'budget': 'none', 'bits': 16, 'policy': 'random'}, STREAM),
        ({'policy': 'frame_diversity'}, ''),
        ({'value_bits': 8}, ''),
        ({'bits': 16, 'policy': 'random'}, ''),
        ({'pool_size': 8}, ''),
        ({'keyframe_threshold': 0.1}, ''),
        ({'budget': 'none', 'bits': 16, 'keyframe_threshold': 0.1}, ''),
        ({'budget': '1024'}, ''),
        ({'bits': 2}, ''),
        ({'preset': 'tiny'}, ''),
        ({'checkpoint': 'random'}, ''),
        ({'image_size': 392}, ''),
        ({'mode': 'live', 'strict_budget': True}, ''),
        ({'mode': 'live', 'strict_budget': True, 'queue': 'every'}, XSTREAM),
    ],
)
def test_a_row_is_named_as_a_published_method_only_where_its_cache_is_that_one(changes, method):
    config = RunConfig(cache=CacheConfig.published()).varied(**{**PAPERS, **changes})
    assert method_of(config) == method


def test_a_protocol_of_one_s_own_is_none_that_was_published():
    protocol = vars(Protocol())
    assert scored_alike('depth_median_abs_rel', protocol) and scored_alike('ate_rmse', protocol)
    assert scored_alike('ate_rmse', {**protocol, 'per': 'frame', 'max_points': 3})
    assert not scored_alike('depth_median_delta', {**protocol, 'per': 'frame'})
    assert not scored_alike('depth_median_abs_rel', {**protocol, 'max_depth': 10.0})
    assert not scored_alike('completeness_median', {**protocol, 'max_points': 3})


@pytest.mark.parametrize(
    ('dataset', 'changes', 'figures'),
    [
        ('bonn', {'max_frames': 110}, {'depth_median_abs_rel', 'frames_per_second'}),
        ('bonn', {'max_frames': 110, 'camera_info': True}, set()),
        ('bonn', {'max_frames': 110, 'stride': 3}, set()),
        ('bonn', {}, set()),
        ('rosbag', {}, set()),
        ('scannet', {'stride': 3, 'max_frames': 90}, {'ate_rmse'}),
        ('scannet', {}, set()),
        ('7scenes', {'stride': 200, 'point_source': 'pointmap'}, {'accuracy_mean'}),
        ('7scenes', {'stride': 200, 'point_source': 'depth'}, set()),
        ('7scenes', {'point_source': 'pointmap'}, set()),
    ],
)
def test_other_frames_points_or_calibrations_are_not_the_papers(dataset, changes, figures):
    config = RunConfig(camera_info=False).varied(**changes)
    known = {each.figure for each in PUBLISHED if each.dataset == dataset}

    found = {figure for figure in known if replayed_alike(dataset, figure, config)}

    assert found >= figures and bool(found) == bool(figures)
