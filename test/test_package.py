# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is declared about the package agrees with itself and with what is in the tree."""

from importlib import import_module
from importlib.metadata import entry_points
import json
import os
from pathlib import Path
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest
import setuptools  # noqa: F401  (before distutils, which it provides from Python 3.12 on)

ROOT = Path(__file__).resolve().parent.parent
KEYS = ROOT / 'test' / 'data' / 'rosdep_keys.json'
DISTRIBUTIONS = ['jazzy', 'kilted', 'lyrical', 'rolling']
# It reads one data set that nobody has on a robot.
WITHOUT_KEYS = {'h5py'}
KEYS_OF = {'opencv-python-headless': 'opencv'}
FOLDERS = ('benchmarks', 'launch', 'test', 'tools', 'xstreamvggt_ros')
HEADER = '# Copyright 2026 The xstreamvggt_ros authors\n# SPDX-License-Identifier: Apache-2.0\n'


@pytest.fixture(scope='module')
def manifest() -> ElementTree.Element:
    return ElementTree.parse(ROOT / 'package.xml').getroot()


@pytest.fixture(scope='module')
def setup():
    """Return the distribution that setup.py describes."""
    from distutils.core import run_setup

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return run_setup('setup.py', stop_after='init')


def test_manifest_and_setup_agree(manifest, setup):
    declared = {tag: manifest.findtext(tag) for tag in ('name', 'version', 'license')}
    metadata = setup.metadata
    assert declared == {
        'name': metadata.name,
        'version': metadata.version,
        'license': metadata.license,
    }
    maintainer = manifest.find('maintainer')
    assert (maintainer.text, maintainer.get('email')) == (
        metadata.maintainer,
        metadata.maintainer_email,
    )
    assert ' '.join(manifest.findtext('description').split()) == f'{metadata.description}.'


def test_manifest_is_for_ament_python(manifest):
    assert manifest.get('format') == '3'
    assert manifest.findtext('export/build_type') == 'ament_python'


def test_manifest_names_the_messages_that_the_code_imports(manifest):
    declared = {element.text for element in manifest.iter('exec_depend')}
    imported = set()
    for path in (ROOT / 'xstreamvggt_ros').rglob('*.py'):
        for line in path.read_text().splitlines():
            words = line.split()
            if words[:1] in (['from'], ['import']):
                imported.add(words[1].split('.')[0])
    ros = {name for name in imported if name.endswith(('_msgs', '_srvs', '_interfaces'))}
    ros |= imported & {'rclpy', 'cv_bridge', 'tf2_ros', 'sensor_msgs_py', 'launch', 'launch_ros'}
    # What a Python module is packaged as, where that is another name.
    packaged = json.loads(KEYS.read_text())['modules']
    assert {packaged.get(name, name) for name in ros} <= declared


def test_every_dependency_is_known_to_every_distribution_that_is_meant(manifest):
    known = json.loads(KEYS.read_text())
    anywhere = {*known['system'], *known['pip']}
    for element in manifest:
        if not element.tag.endswith('depend'):
            continue
        distributions = known['packages'].get(element.text, '').split()
        assert element.text in anywhere or distributions == DISTRIBUTIONS, element.text


def test_every_python_package_that_demo_and_evaluation_need_is_declared(manifest, setup):
    declared = {element.text for element in manifest.iter('exec_depend')}
    known = json.loads(KEYS.read_text())
    needed = {
        re.match(r'[\w-]+', requirement).group()
        for extra in ('demo', 'evaluation')
        for requirement in setup.extras_require[extra]
    }
    for name in {KEYS_OF.get(each, each) for each in needed - WITHOUT_KEYS}:
        keys = {f'python3-{name}', f'python3-{name}-pip'}
        assert keys & {*known['system'], *known['pip']} & declared, name


def test_nobody_is_written_to_at_an_example(manifest):
    text = (ROOT / 'package.xml').read_text() + (ROOT / 'setup.py').read_text()
    assert 'example.com' not in text
    assert manifest.findtext('url').startswith('https://')


def test_manifest_names_the_packages_that_launch_files_start(manifest):
    declared = {element.text for element in manifest.iter('exec_depend')}
    started = set()
    for path in (ROOT / 'launch').glob('*.launch.py'):
        started |= set(re.findall(r"(?:package=|get_package_prefix\()'(\w+)'", path.read_text()))
    # Of the examples, named in the manifest's comment.
    examples = {
        'nav2_lifecycle_manager',
        'rclcpp_components',
        'realsense2_camera',
        'usb_cam',
    }
    assert {'rviz2', 'ros2bag'} <= started
    assert started - examples <= declared


def test_executables_are_functions_in_the_tree(setup):
    scripts = [script.partition(' = ') for script in setup.entry_points['console_scripts']]
    assert {name for name, _, _ in scripts} == {
        'evaluate',
        'reconstruction_node',
        'xstreamvggt_demo',
        'xstreamvggt_evaluate',
        'xstreamvggt_play',
        'xstreamvggt_view',
    }
    for _, _, target in scripts:
        module, _, function = target.partition(':')
        path = ROOT.joinpath(*module.split('.'))
        assert path.with_suffix('.py').is_file() or (path / '__init__.py').is_file()
        assert callable(getattr(import_module(module), function))


def test_data_files_exist_and_cover_what_ros_looks_for(setup):
    installed = {}
    for folder, files in setup.data_files:
        for name in files:
            assert (ROOT / name).is_file()
            installed[f'{folder}/{Path(name).name}'] = name
    share = 'share/xstreamvggt_ros'
    assert 'share/ament_index/resource_index/packages/xstreamvggt_ros' in installed
    assert f'{share}/package.xml' in installed
    assert f'{share}/config/recon.yaml' in installed
    assert f'{share}/launch/recon.launch.py' in installed


def test_licence_is_apache_2():
    title, version = (ROOT / 'LICENSE').read_text().split('\n')[1:3]
    assert title.strip() == 'Apache License'
    assert version.strip() == 'Version 2.0, January 2004'


def test_every_source_file_names_authors_and_licence():
    sources = [ROOT / 'setup.py']
    sources += [path for folder in FOLDERS for path in (ROOT / folder).rglob('*.py')]
    without = [path for path in sources if not path.read_text().startswith(HEADER)]
    assert without == []


@pytest.mark.skipif('AMENT_PREFIX_PATH' in os.environ, reason='a ROS 2 that is sourced is used')
def test_installed_executables_run_without_a_sourced_environment():
    """The wheels find their libraries by themselves: nothing but a home is in the environment."""
    (script,) = entry_points(group='console_scripts', name='reconstruction_node')
    executable = Path(sys.executable).with_name(script.name)
    result = subprocess.run(
        [executable, '--ros-args', '--log-level', 'no_such_level'],
        env={'HOME': str(Path.home())},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert 'no_such_level' in result.stderr
    assert 'Traceback' not in result.stderr


SOURCES = [str(ROOT / name) for name in FOLDERS]


@pytest.mark.parametrize(
    'linter, options',
    [
        ('ament_flake8', ['--config', str(ROOT / 'setup.cfg')]),
        # It takes properties for functions and a sentence with brackets for a signature.
        ('ament_pep257', ['--add-ignore', 'D401', 'D402', '--']),
    ],
)
def test_ament_linters_pass(linter, options):
    pytest.importorskip(linter, reason='comes with ROS 2 only')
    assert import_module(f'{linter}.main').main([*options, *SOURCES]) == 0
