# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node's own memory over a minute and a half, by the command that watches it for hours."""

import argparse
import json

import pytest

from benchmarks.flatness import add_node_options
from benchmarks.node_flatness import main
from benchmarks.steadiness import MIB, read_samples

pytestmark = [pytest.mark.ros, pytest.mark.slow]
MINUTES = 1.5
# An allocator may hold or give back this much at any time, wherever it ends.
MOST_GROWTH = 2 * MIB

SMALL = (
    *('--image', '240', '320'),
    *('-p', 'model.image_size:=112', '-p', 'output.map_voxel_size:=0.05'),
)


def test_the_node_holds_no_more_later_than_before(tmp_path, capsys):
    parser = argparse.ArgumentParser()
    add_node_options(parser)
    output = ['--heap', '--output', str(tmp_path), '--minutes', str(MINUTES)]

    assert main(parser.parse_args([*SMALL, *output])) == 0

    samples = read_samples(tmp_path / 'samples.jsonl')
    held = [each.anonymous_bytes for each in samples]
    early, late = held[2 : 2 * len(held) // 3], held[2 * len(held) // 3 :]
    assert max(late) - max(early) < MOST_GROWTH, held
    assert len({each.file_descriptors for each in samples[1:]}) == 1
    # Each image was answered, and each subscriber had its cloud and the map.
    frames = samples[-1].frames
    assert frames > 100 and sum(len(each.latencies_ms) for each in samples) == frames
    said = capsys.readouterr().out
    assert said.count('a subscriber had') == 2 and 'a map of 0' not in said
    assert 'heap, at the end:' in said
    figures = json.loads((tmp_path / 'flatness.json').read_text())
    assert figures['by_minute'][-1]['frames'] == frames


def test_the_page_is_open_and_closed_in_turns(tmp_path, capsys):
    parser = argparse.ArgumentParser()
    add_node_options(parser)
    view = ['--view', '--client', '--settle', '20', '--stretch', '0.1', '--minutes', '0.6']
    view += ['--closed', '0.08']

    assert main(parser.parse_args([*SMALL, *view, '--output', str(tmp_path)])) == 0

    figures = json.loads((tmp_path / 'view.json').read_text())
    states = [row['state'] for row in figures['stretches']]
    assert states[:2] == ['open', 'closed']
    first, second = figures['stretches'][:2]
    assert min(first['frames'], second['frames']) > 20
    assert figures['onlooker'] == 'a client that draws nothing'
    # It was given clouds and pictures, not a page that waits for them.
    taken = (tmp_path / 'page_0.log').read_text().splitlines()[-1]
    assert int(taken.split()[0]) > 2**17
    assert figures['p50_open_by_closed']['value'] > 0.5
    assert 'with the page open by that with it closed' in capsys.readouterr().out
