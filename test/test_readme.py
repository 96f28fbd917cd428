# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The README and the reference name what there is."""

from pathlib import Path
import re

from builtin_interfaces.msg import Time

from xstreamvggt_ros.messages.diagnostics import diagnostic_array, StreamFigures
from xstreamvggt_ros.parameters import PARAMETERS

ROOT = Path(__file__).parents[1]
README = (ROOT / 'README.md').read_text()
REFERENCE = (ROOT / 'docs' / 'reference.md').read_text()
ROW = re.compile(r'^\| `([a-z_.]+)` (\*)? ?\| (.*?) \|', re.MULTILINE)


def test_every_parameter_is_in_the_table_with_its_default():
    _, _, section = REFERENCE.partition('\n## Parameters\n')
    table, _, _ = section.partition('\n## ')
    rows = {name: (star, default) for name, star, default in ROW.findall(table)}
    assert rows.keys() == PARAMETERS.keys()
    for name, (star, default) in rows.items():
        spec = PARAMETERS[name]
        assert bool(star) != spec.live, name
        shown = default.strip('`')
        if isinstance(spec.default, str):
            assert shown in (spec.default, repr(spec.default)), name
        elif isinstance(spec.default, bool):
            assert shown == str(spec.default).lower(), name
        elif isinstance(spec.default, list):
            assert shown == repr(spec.default), name
        else:
            assert float(shown) == spec.default, name


def test_every_figure_on_diagnostics_is_named():
    (status,) = diagnostic_array(StreamFigures(), 'node', Time()).status
    assert [pair.key for pair in status.values if f'`{pair.key}`' not in REFERENCE] == []


def test_the_readme_is_short_and_leads_to_every_document_and_launch_file():
    assert len(README.splitlines()) <= 150
    linked = set(re.findall(r'\]\((?!https?:)([^)#]+)', README))
    wanted = [
        *(ROOT / 'docs').glob('*.md'),
        *(ROOT / 'launch').glob('*.py'),
        ROOT / 'docker/Dockerfile',
    ]

    assert {str(path.relative_to(ROOT)) for path in wanted} - linked == set()


def test_the_python_example_runs(capsys):
    (example,) = re.findall(r'^```python\n(.*?)^```', README, flags=re.MULTILINE | re.DOTALL)

    exec(compile(example, 'README.md', 'exec'), {})

    assert 'CacheStats' in capsys.readouterr().out
