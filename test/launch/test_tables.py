# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the launch files say of themselves, read without launch."""

import ast
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def constants(name):
    """Return the launch file's literals by their names."""
    found = {}
    for statement in ast.parse((ROOT / 'launch' / name).read_text()).body:
        if isinstance(statement, ast.Assign) and not isinstance(statement.value, ast.Call):
            found[statement.targets[0].id] = ast.literal_eval(statement.value)
    return found


def test_all_that_rviz_shows_of_the_node_follows_its_namespace():
    view = yaml.safe_load((ROOT / 'config' / 'recon.rviz').read_text())
    displays = view['Visualization Manager']['Displays']
    topics = {display['Topic']['Value'] for display in displays if 'Topic' in display}
    recon = constants('recon.launch.py')

    assert topics == {f'/{recon["NODE"]}/{topic}' for topic in recon['SHOWN']}


def test_the_manager_s_file_gives_what_recon_s_takes_no_other_default():
    recon, manager = (
        {argument: default for argument, default, _ in constants(name)['ARGUMENTS']}
        for name in ('recon.launch.py', 'lifecycle_manager.launch.py')
    )
    common = recon.keys() & manager.keys()

    assert 'use_sim_time' in common
    assert {name: manager[name] for name in common} == {name: recon[name] for name in common}
