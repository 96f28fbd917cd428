# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The commands of the documents, read as their programs read them; some are run as written."""

from importlib.util import find_spec
from pathlib import Path
import re
import shlex
import shutil

from bag_messages import IMAGE, image, ODOMETRY, odometry, write_bag
from layouts import camera_pose, pixels
import numpy as np
import pytest
from reference import launch_table

from xstreamvggt_ros.demo.arguments import parse as read_demo
from xstreamvggt_ros.evaluation import arguments as evaluation
from xstreamvggt_ros.evaluation.__main__ import main as evaluate
from xstreamvggt_ros.evaluation.plan import configurations
from xstreamvggt_ros.node.command_line import read as read_node
from xstreamvggt_ros.parameters import PARAMETERS
from xstreamvggt_ros.rig.play import parse as read_play

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', *sorted((ROOT / 'docs').glob('*.md'))]
FENCED = re.compile(r'^```(?:bash)?\n(.*?)^```\n', re.MULTILINE | re.DOTALL)
OTHER_FENCED = re.compile(r'^```\w*\n.*?^```\n', re.MULTILINE | re.DOTALL)
INLINE = re.compile(r'`([^`\n]+)`')
OWN = re.compile(
    r'^(?:[A-Z_]+=\S+ )?(?:\.venv/bin/)?'
    r'(evaluate run|xstreamvggt_(?:evaluate|demo|play)|reconstruction_node|python -m \S+|make \w'
    r'|ros2 launch) ?\S'
)
# What stands for a text of the reader's.
PLACEHOLDER = re.compile(r'<[^>]*>|…')
BEGAN, STEP = 1_700_000_000_000_000_000, 100_000_000


def commands(document):
    """Give every command of ours in a document, comments and line breaks taken out."""
    text = document.read_text(encoding='utf-8')
    lines = []
    for block in FENCED.findall(text):
        lines += block.replace('\\\n', ' ').splitlines()
    lines += INLINE.findall(OTHER_FENCED.sub('', text))
    (common,) = re.findall(r'^COMMON="(.*)"$', text, re.MULTILINE) or ['']
    for line in lines:
        line = line.partition('  #')[0].replace('$COMMON', common).strip()
        if OWN.match(line):
            yield PLACEHOLDER.sub('PLACEHOLDER', line)


ALL = [
    pytest.param(command, id=f'{document.name}: {command[:60]}')
    for document in DOCUMENTS
    for command in dict.fromkeys(commands(document))
]


@pytest.mark.parametrize('command', ALL)
def test_programs_take_what_the_documents_give_them(command):
    program, *words = shlex.split(re.sub(r'^[A-Z_]+=\S+ ', '', command))
    program = program.removeprefix('.venv/bin/')
    READERS[program](words)


def read_evaluate(words):
    if '--help' in words:
        return
    options = evaluation.parse(words)
    if options.command == 'run':
        assert configurations(evaluation.run_config(options), evaluation.axes(options))
        evaluation.protocol(options)


def read_module(words):
    assert words[0] == '-m'
    if words[1] == 'pytest':
        assert (ROOT / words[-1]).exists()
        return
    spec = find_spec(words[1])
    folder = Path(spec.origin).parent
    own = [
        Path(spec.origin),
        *([folder / '__main__.py'] if spec.submodule_search_locations else []),
    ]
    source = ''.join(path.read_text(encoding='utf-8') for path in own)
    for word in words[2:]:
        if word.startswith('--'):
            assert f"'{word}'" in source, f'{words[1]} has no {word}'


def read_make(words):
    text = (ROOT / 'Makefile').read_text(encoding='utf-8')
    for word in words:
        name, _, value = word.partition('=')
        assert re.search(rf'^{name} \?=' if value else rf'^{name}:', text, re.MULTILINE), word


def read_launch(words):
    _, package, file, *given = words
    assert package == 'xstreamvggt_ros'
    rows = [row.split('|')[1:3] for row in launch_table().splitlines()[2:]]
    known, name = {}, ''
    for first, argument in rows:
        name = first.strip(' `') or name
        known.setdefault(name, set()).add(argument.strip(' `').removesuffix(':='))
    for word in given:
        argument, assigned, _ = word.partition(':=')
        assert assigned and argument in known[file] | known['recon.launch.py'], word


def read_ros_node(words):
    read_node(['reconstruction_node', *words])
    for name in re.findall(r'-p (\S+?):=', ' '.join(words)):
        assert name in PARAMETERS


READERS = {
    'evaluate': read_evaluate,
    'xstreamvggt_evaluate': read_evaluate,
    'xstreamvggt_demo': read_demo,
    'xstreamvggt_play': read_play,
    'reconstruction_node': read_ros_node,
    'python': read_module,
    'make': read_make,
    'ros2': read_launch,
}


def test_they_are_found():
    found = ' '.join(each.values[0] for each in ALL)

    for program in (
        'make demo',
        'xstreamvggt_evaluate run',
        'ros2 launch',
        'python -m',
        '--paper',
    ):
        assert program in found
    assert len(ALL) > 40


def test_make_does_not_echo_commands_of_several_lines():
    lines = (ROOT / 'Makefile').read_text(encoding='utf-8').splitlines()
    begin = [
        line
        for before, line in zip(['', *lines], lines, strict=False)
        if line.startswith('\t') and line.endswith('\\') and not before.endswith('\\')
    ]
    assert begin and all(line.startswith('\t@') for line in begin)


@pytest.fixture(scope='module')
def recording(tmp_path_factory):
    """Make the bag that docs/your_bag.md speaks of, short."""
    folder = tmp_path_factory.mktemp('bag')
    messages = []
    for index in range(3):
        stamp = BEGAN + index * STEP
        depth = np.full(pixels(0).shape[:2], 1500, np.uint16)
        messages += [
            ('/camera/image_raw', IMAGE, stamp, image(stamp, pixels(index), 'rgb8')),
            ('/camera/depth/image_raw', IMAGE, stamp, image(stamp, depth, '16UC1')),
            ('/odom', ODOMETRY, stamp, odometry(stamp, camera_pose(index), 'optical')),
        ]
    write_bag(folder / 'bag', messages)
    (written,) = (folder / 'bag').glob('*.mcap')
    shutil.copy(written, folder / 'recording.mcap')
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    'command',
    [
        command
        for command in commands(ROOT / 'docs' / 'your_bag.md')
        if 'evaluate run' in command and '--live' not in command
    ],
)
def test_a_bag_is_evaluated_as_the_documents_say(command, recording, monkeypatch, capsys):
    monkeypatch.chdir(recording)

    status = evaluate(shlex.split(command)[1:])

    assert status == 0, capsys.readouterr().out
    assert (recording / 'out' / 'evaluation' / 'report.html').exists()
