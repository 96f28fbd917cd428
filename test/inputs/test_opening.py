# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is found out by itself, what must be named, and synthetic sequences."""

from layouts import save_image
import numpy as np
import pytest

from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.inputs import open_sequence

SMALL = {'frames': 3, 'height': 28, 'width': 42}


def test_a_path_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match='nowhere does not exist'):
        open_sequence(tmp_path / 'nowhere')


def test_a_folder_in_no_layout_lists_those_that_there_are(tmp_path):
    (tmp_path / 'notes.txt').write_text('nothing to see')
    with pytest.raises(InputError, match='none of the layouts 7scenes, neural_rgbd, bonn, tum'):
        open_sequence(tmp_path)
    with pytest.raises(InputError, match=r'no frame-\*\.color\.\*'):
        open_sequence(tmp_path, layout='7scenes')
    with pytest.raises(InputError, match="layout is 'kitty'; use one of: auto, 7scenes"):
        open_sequence(tmp_path, layout='kitty')


def test_an_unknown_option_is_refused_with_those_that_there_are(tmp_path):
    save_image(tmp_path / 'frame-000000.color.png', 0)
    with pytest.raises(InputError, match='7scenes has no option rate; it has: none'):
        open_sequence(tmp_path, rate=3)
    with pytest.raises(InputError, match='has no option size; it has: frames, height, width'):
        open_sequence('synthetic:1', size=3)


def test_a_synthetic_sequence_is_the_held_out_one_of_its_seed():
    from xstreamvggt_ros.synthetic.held_out import held_out_config, render

    sequence = open_sequence('synthetic:7', **SMALL)
    expected = render(held_out_config(7, 3, (28, 42)))
    assert (sequence.dataset, sequence.name) == ('synthetic', '7-3x42x28')
    assert len(sequence.frames) == 3
    frame = sequence.frames[2]
    truth = frame.truth()
    np.testing.assert_array_equal(frame.image(), expected.images[2].numpy())
    known = np.nan_to_num(truth.depth)
    np.testing.assert_array_equal(known, expected.depth[2].float().numpy())
    there = truth.world_from_camera @ np.vstack([expected.camera_from_world[2], [0, 0, 0, 1]])
    np.testing.assert_allclose(there, np.eye(4), atol=1e-5)
    assert truth.intrinsics.shape == (3, 3)


def test_a_synthetic_fingerprint_is_that_of_its_pixels():
    prints = [open_sequence(f'synthetic:{seed}', **SMALL).fingerprint() for seed in (7, 7, 8)]
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize(
    'path, options, message',
    [
        ('synthetic:', {}, 'names no sequence'),
        ('synthetic:4294967296', {}, 'names no sequence'),
        ('synthetic:../x', {}, 'names no sequence'),
        ('synthetic:1', {'frames': 0}, 'frames is 0'),
        ('synthetic:1', {'frames': 100_000, 'height': 4096, 'width': 4096}, 'fewer or smaller'),
    ],
)
def test_a_synthetic_sequence_that_cannot_be_is_refused(path, options, message):
    with pytest.raises(InputError, match=message):
        open_sequence(path, **options)


@pytest.mark.parametrize('frames', ['3', 3])
def test_an_option_may_be_text(frames):
    assert len(open_sequence('synthetic:7', **{**SMALL, 'frames': frames}).frames) == 3


@pytest.mark.parametrize('wrong', ['many', '2.5', '', None, 'nan'])
def test_an_option_of_another_kind_is_refused_by_name(wrong):
    with pytest.raises(InputError, match='option frames is .*; give int, as 64'):
        open_sequence('synthetic:7', frames=wrong)
