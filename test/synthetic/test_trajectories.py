# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scenes that leave a camera no room."""

from dataclasses import replace

import pytest

from xstreamvggt_ros.synthetic import make_scene, NoFreePlace, render_sequence, SequenceConfig


def test_a_scene_without_a_free_place_is_refused():
    config = SequenceConfig(frames=4, height=42, width=56, scene='room', motion='handheld')
    scene = make_scene(config)
    wall = next(plane for plane in scene.planes if plane.normal[2] == 0)
    place = tuple(wall.offset * value for value in wall.normal)
    with pytest.raises(NoFreePlace, match='handheld.*lower clutter'):
        render_sequence(config, scene=replace(scene, core=(place, place)))
