# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The documents name what there is."""

from pathlib import Path
import re

from builtin_interfaces.msg import Time
import pytest

from xstreamvggt_ros.guard.verdict import JUMP_KINDS, Reason
from xstreamvggt_ros.messages.diagnostics import diagnostic_array, StreamFigures
from xstreamvggt_ros.node.interface import INPUTS, OUTPUTS, SERVICES
from xstreamvggt_ros.parameters import PARAMETERS

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))]
TROUBLES, _, WATCH = (
    (ROOT / 'docs' / 'troubleshooting.md').read_text().partition('\n## What the watch says\n')
)
TROUBLES = TROUBLES.split('\n## ')[1:]
# Endings of files whose names begin as a group of parameters does.
FILES = ('yaml', 'rviz', 'md', 'launch', 'tum', 'mcap', 'safetensors', 'pt')
GROUPS = sorted({name.partition('.')[0] for name in PARAMETERS})


@pytest.mark.parametrize('document', DOCUMENTS, ids=lambda path: path.name)
def test_parameters_that_are_named_exist(document):
    named = re.findall(rf'`((?:{"|".join(GROUPS)})\.[a-z_]+)(?::[^`]*)?`', document.read_text())

    assert {name for name in named if name not in PARAMETERS and _meant(name)} == set()


@pytest.mark.parametrize('document', DOCUMENTS, ids=lambda path: path.name)
def test_topics_and_services_that_are_named_exist(document):
    declared = {each.name for each in (*INPUTS, *OUTPUTS, *SERVICES)}
    named = re.findall(r'`~/([a-z_/]+[a-z])`', document.read_text())

    assert {name for name in named if name not in declared} == set()


@pytest.mark.parametrize('document', DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    links = re.findall(r'\]\((?!https?:)([^)#]+)', document.read_text())

    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize('document', DOCUMENTS, ids=lambda path: path.name)
def test_commands_of_the_repository_exist(document):
    scripts = re.findall(r'\b((?:tools|docker|config|launch)/[\w/.]+\w)', document.read_text())

    assert [script for script in scripts if not (ROOT / script).exists()] == []


def test_every_complaint_has_symptom_cause_command_and_fix():
    assert len(TROUBLES) >= 12
    for number, trouble in enumerate(TROUBLES, start=1):
        assert trouble.startswith(f'{number}. ')
        parts = re.findall(r'^- \*\*(\w+)\*\*: ', trouble, flags=re.MULTILINE)
        assert parts == ['Symptom', 'Cause', 'See', 'Fix'], trouble.splitlines()[0]


def test_figures_that_complaints_point_to_are_on_diagnostics():
    (status,) = diagnostic_array(StreamFigures(), 'node', Time()).status
    known = {pair.key for pair in status.values}
    named = set(re.findall(r'`((?:frames|cache|latency)_[a-z0-9_]+)`', '\n'.join(TROUBLES)))

    assert named <= known
    assert len(named) > 5


def test_every_word_of_the_watch_is_explained():
    said = Reason.__doc__.partition('Kinds: ')[2].partition('.')[0].split(', ')
    rows = re.findall(r'^\| `(\w+)` \|', WATCH, flags=re.MULTILINE)

    assert {*said, *JUMP_KINDS} == set(rows)
    assert f'{Reason("confidence", 0.004, 0.007)}' in WATCH


def _meant(name):
    """Whether a name is of a parameter, and not of a file or of Python."""
    return name.rpartition('.')[2] not in FILES
