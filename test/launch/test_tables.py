# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the launch files say of themselves, read without launch."""

import ast
import json
from pathlib import Path
import re
import shutil
import subprocess

from builtin_interfaces.msg import Time
import pytest
import yaml

from xstreamvggt_ros.messages.diagnostics import diagnostic_array, StreamFigures
from xstreamvggt_ros.node.interface import CONFIDENCE, DEPTH
from xstreamvggt_ros.parameters import PARAMETERS, read_parameters

ROOT = Path(__file__).parents[2]
DEFAULTS = {name: spec.default for name, spec in PARAMETERS.items()}


def constants(name, *wanted):
    """Return the launch file's literals by their names, all or those that are wanted."""
    found = {}
    for statement in ast.parse((ROOT / 'launch' / name).read_text()).body:
        if isinstance(statement, ast.Assign) and not isinstance(statement.value, ast.Call):
            target = statement.targets[0].id
            if not wanted or target in wanted:
                found[target] = ast.literal_eval(statement.value)
    return found


def test_all_that_rviz_shows_of_the_node_follows_its_namespace():
    view = yaml.safe_load((ROOT / 'config' / 'recon.rviz').read_text())
    displays = view['Visualization Manager']['Displays']
    topics = {display['Topic']['Value'] for display in displays if 'Topic' in display}
    recon = constants('recon.launch.py')

    shown = {f'/{recon["NODE"]}/{topic}' for topic in recon['SHOWN']}
    assert topics == shown | {recon['LOOP_CLOSURES']}


def test_the_manager_s_file_gives_what_recon_s_takes_no_other_default():
    recon, manager = (
        {argument: default for argument, default, _ in constants(name)['ARGUMENTS']}
        for name in ('recon.launch.py', 'lifecycle_manager.launch.py')
    )
    common = recon.keys() & manager.keys()

    assert 'use_sim_time' in common
    assert {name: manager[name] for name in common} == {name: recon[name] for name in common}


def function(name, *functions):
    """Return functions of a launch file that need nothing of launch, the first one called."""
    tree = ast.parse((ROOT / 'launch' / name).read_text())
    tree.body = [each for each in tree.body if getattr(each, 'name', '') in functions]
    found = {}
    exec(compile(tree, name, 'exec'), found)  # noqa: S102
    return found[functions[0]]


@pytest.mark.parametrize(
    ('tokens', 'frames', 'budget'),
    [
        ('', '', None),
        ('2048', '', {'budget_tokens': 2048}),
        ('', '8', {'budget_frames': 8}),
        ('none', '', {}),
        ('-1', '', {}),
    ],
)
def test_a_budget_that_is_given_unsets_what_a_file_gives(tokens, frames, budget):
    overrides = function('recon.launch.py', '_budget', '_integer')(tokens, frames)
    file = {**DEFAULTS, 'cache.budget_mib': 64, 'cache.budget_frames': 0}

    cache = read_parameters({**file, **overrides}).cache

    assert cache.budget == ({'budget_mib': 64} if budget is None else budget)


@pytest.mark.parametrize(
    ('tokens', 'frames', 'words'),
    [
        ('2048', '8', 'give one of them'),
        ('8f', '', 'budget:=8f'),
        ('', '1.5', 'budget_frames:=1.5'),
    ],
)
def test_a_budget_that_cannot_be_meant_is_refused_by_name(tokens, frames, words):
    with pytest.raises(ValueError, match=words):
        function('recon.launch.py', '_budget', '_integer')(tokens, frames)


def test_every_parameter_of_the_network_that_a_checkpoint_needs_is_an_argument():
    arguments = {name: text for name, _, text in constants('recon.launch.py')['ARGUMENTS']}

    assert {'preset', 'checkpoint', 'revision', 'device'} <= arguments.keys()
    assert 'needs one' in arguments['revision']
    presets = PARAMETERS['model.preset'].choices
    assert [name for name in presets if name not in arguments['preset']] == []


def test_a_realsense_s_parameters_are_a_configuration_of_the_driver_s_topics():
    file = yaml.safe_load((ROOT / 'config' / 'realsense.yaml').read_text())
    given = {
        f'{group}.{name}': value
        for group, values in file['/**']['ros__parameters'].items()
        for name, value in values.items()
    }
    launch = constants('realsense.launch.py', 'NAMESPACE', 'NAME', 'IMAGE_TOPIC')

    parameters = read_parameters({**DEFAULTS, **given})

    assert parameters.output.scale_source == 'depth'
    driver = f'/{launch["NAMESPACE"]}/{launch["NAME"]}/'
    assert launch['IMAGE_TOPIC'].startswith(driver)
    assert parameters.input.depth_topic.startswith(driver)
    assert parameters.warnings() == []


def panels(layout):
    """Name the panels of a Foxglove layout."""
    if isinstance(layout, str):
        return [layout]
    return [*panels(layout['first']), *panels(layout['second'])]


# Panels and the keys that they read, in Lichtblick 1.28.1 (MPL-2.0), a fork of Foxglove Studio.
POINTS = {'visible', 'colorMode', 'colorField', 'pointSize'}
PANELS = {
    '3D': {'cameraState', 'followMode', 'followTf', 'scene', 'transforms', 'topics', 'layers'}
    | {'imageMode', 'publish'},
    'Image': {'imageMode'},
    'DiagnosticSummary': {'minLevel', 'pinnedIds', 'topicToRender', 'hardwareIdFilter'}
    | {'sortByLevel', 'secondsUntilStale'},
    'Table': {'topicPath'},
}
CAMERA = {'distance', 'perspective', 'phi', 'target', 'targetOffset', 'targetOrientation'} | {
    *('thetaOffset', 'fovy', 'near', 'far')
}
IMAGE = {'imageTopic', 'calibrationTopic', 'colorMode', 'colorMap', 'minValue', 'maxValue'}
TRANSFORMS = {'editable', 'showLabel', 'labelSize', 'axisScale', 'lineWidth', 'lineColor'}
# By the last part of the topic's name.
TOPICS = {
    'map': POINTS,
    'points': POINTS,
    'path': {'visible', 'type', 'axisScale', 'arrowScale', 'lineWidth', 'gradient'},
    'pose': {'visible', 'type', 'axisScale', 'arrowScale', 'color'},
    'camera_info': {'visible', 'distance', 'planarProjectionFactor', 'width', 'color'},
    'loop_closures': {'visible', 'color', 'namespaces'},
}


def foxglove():
    return json.loads((ROOT / 'config' / 'recon.foxglove.json').read_text())


def maps():
    """Give Foxglove's user scripts by their output, each with the one topic that it reads."""
    found = {}
    for script in foxglove()['userNodes'].values():
        assert script.keys() == {'name', 'sourceCode'}
        source = script['sourceCode']
        # As Lichtblick finds them; it types the event by the topic.
        (output,) = re.findall(r'^export const output = "([^"]+)"', source, re.MULTILINE)
        (read,) = re.findall(r'^export const inputs = \["([^"]+)"\];$', source, re.MULTILINE)
        assert output == script['name'] and output.startswith('/studio_script/')
        assert f'(event: Input<"{read}">): RawImage' in source
        found[output] = read, source
    return found


def test_foxglove_reads_every_key_of_its_layout():
    layout = foxglove()
    configs = layout['configById']
    assert layout.keys() == {
        *('configById', 'globalVariables', 'userNodes', 'playbackConfig', 'layout')
    }
    for name, config in configs.items():
        kind, _, mark = name.partition('!')
        assert mark and config.keys() <= PANELS[kind], name
        assert config.get('imageMode', {}).keys() <= IMAGE
    scene = configs['3D!reconstruction']
    assert scene['cameraState'].keys() == CAMERA
    assert scene['scene'].keys() == {'transforms'}
    assert scene['scene']['transforms'].keys() <= TRANSFORMS
    for topic, settings in scene['topics'].items():
        assert settings.keys() <= TOPICS[topic.rpartition('/')[2]], topic


def test_foxglove_colours_no_image_but_those_that_a_script_makes_of_a_map():
    node = constants('recon.launch.py')['NODE']
    published = {f'/{node}/{each.name}' for each in (DEPTH, CONFIDENCE)}
    configs = foxglove()['configById'].values()
    images = [each['imageMode'] for each in configs if 'imageMode' in each]
    coloured = [each for each in images if 'colorMode' in each]

    assert {maps()[each['imageTopic']][0] for each in coloured} == published
    assert all(each['minValue'] < each['maxValue'] for each in coloured)
    # Other images are shown as they are, which is white for a map of floats.
    assert not published & {each.get('imageTopic') for each in images}


# Rows are longer than their pixels, and begin at no multiple of four.
RUN = """
const bytes = new Uint8Array(3 + 2 * 12);
const values = new DataView(bytes.buffer, 3);
[[0, 0.0004], [4, 1.2346], [12, NaN], [16, -1]].forEach(
  ([at, value]) => values.setFloat32(at, value, !big));
const header = { stamp: { sec: 5, nsec: 6 }, frame_id: "camera" };
const image = { header, height: 2, width: 2, encoding: "32FC1", step: 12, is_bigendian: big };
const made = script({ message: { ...image, data: bytes.subarray(3) } });
values.setFloat32(0, 70, !big);
values.setFloat32(4, Infinity, !big);
const far = script({ message: { ...image, data: bytes.subarray(3) } });
const shorts = (each) => Array.from(new Uint16Array(each.data.buffer));
console.log(JSON.stringify({ ...made, data: shorts(made), far: shorts(far) }));
"""


@pytest.mark.skipif(shutil.which('node') is None, reason='node runs what Foxglove does')
@pytest.mark.parametrize('big', ['false', 'true'])
@pytest.mark.parametrize('output', maps())
def test_foxglove_s_scripts_make_thousandths_of_16_bits_of_floats(output, big):
    _, source = maps()[output]
    # JavaScript is what is left of it without types.
    script = re.sub(r'^import .*$', '', source, flags=re.MULTILINE)
    script = re.sub(r'\(event: Input<.*>\): RawImage', '(event)', script)
    command = ['node', '--input-type=module', '--eval', f'const big = {big};{script}{RUN}']
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout

    assert json.loads(said) == {
        'timestamp': {'sec': 5, 'nsec': 6},
        'frame_id': 'camera',
        'width': 2,
        'height': 2,
        'encoding': '16UC1',
        'step': 4,
        'data': [0, 1235, 0, 0],
        'far': [65535, 65535, 0, 0],
    }


def test_foxglove_shows_what_rviz_does_and_the_diagnostics():
    layout = foxglove()
    found = layout['configById']
    recon = constants('recon.launch.py')

    assert sorted(panels(layout['layout'])) == sorted(found)
    images = {each['imageMode']['imageTopic'] for name, each in found.items() if 'Image!' in name}
    images |= {topic for output, (topic, _) in maps().items() if output in images}
    scene = set(found['3D!reconstruction']['topics'])
    shown = {topic.removeprefix(f'/{recon["NODE"]}/') for topic in images | scene}
    assert set(recon['SHOWN']) <= shown
    assert recon['LOOP_CLOSURES'] in scene
    assert found['DiagnosticSummary!all']['topicToRender'] == '/diagnostics'
    # Whatever device the node runs on, of which a panel for one status would have to know.
    said = diagnostic_array(StreamFigures(device='cuda:0'), recon['NODE'], Time()).status[0].name
    assert f'{{name=="{said}"}}' in found['Table!reconstruction']['topicPath']
