# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The report in a browser: it draws, it turns, and it says nothing to the console."""

from dataclasses import replace
import json
import re
import shutil
import subprocess

from filmed import Filmed
import pytest
from recorded import oracle_record

from xstreamvggt_ros.evaluation.report import write_report

CHROMIUM = shutil.which('chromium')
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason='no chromium (Debian: chromium)')
# What a user would do, and what is then on the canvas.
USE = """<script>
const said = [];
addEventListener('error', (event) => said.push(event.message));
</script>
"""
THEN = """<script>
const canvas = document.querySelector('.scene canvas');
canvas.setPointerCapture = () => {};
const look = () => {
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  let sum = 0, other = 0;
  for (let i = 0; i < data.length; i += 4) {
    sum = (31 * sum + data[i] + 7 * data[i + 1] + 13 * data[i + 2]) % 1000003;
    other += data[i] !== data[0] || data[i + 1] !== data[1] || data[i + 2] !== data[2];
  }
  return [sum, other];
};
const drag = (x, y) => ['pointerdown', 'pointermove', 'pointerup'].forEach((kind, step) =>
  canvas.dispatchEvent(new PointerEvent(kind, step ? {clientX: x, clientY: y} : {})));
const seen = {first: look()};
drag(120, 40);
seen.turned = look();
canvas.dispatchEvent(new MouseEvent('dblclick')); seen.begun = look();
canvas.dispatchEvent(new WheelEvent('wheel', {deltaY: -300, cancelable: true}));
seen.near = look();
canvas.dispatchEvent(new MouseEvent('dblclick'));
document.querySelector('.layers input').click(); seen.truth = look();
document.querySelector('.layers input').click();
const back = () => getComputedStyle(document.body).backgroundColor;
seen.backs = [back()]; document.getElementById('theme').click(); seen.backs.push(back());
seen.dark = look();
const wide = (part) => part.scrollWidth > part.clientWidth + 1
  && getComputedStyle(part).overflowX !== 'auto';
seen.wide = [...document.querySelectorAll('main > section > *')].filter(wide).length;
seen.pictures = [...document.images].map((image) => image.complete && image.naturalWidth > 0);
const height = (chart) => chart.getBoundingClientRect().height;
seen.charts = [...document.querySelectorAll('svg.chart')].map(height);
seen.said = said;
document.body.dataset.seen = JSON.stringify(seen);
</script></body>"""


def starved(collected):
    frames = replace(collected.frames, cpu_s=0.2 * collected.frames.latency_s)
    return replace(collected, frames=frames)


@pytest.fixture(scope='module')
def seen(tmp_path_factory):
    """Open the page of two runs, use it, and tell what was seen."""
    folder = tmp_path_factory.mktemp('runs')
    sequence = Filmed(count=8)
    oracle_record(folder / 'a', 0.01, sequence=sequence)
    # As long a name, and as many tags, as a row may have.
    long = {'budget': '16f', 'bits': 4, 'policy': 'attention_coverage'}
    oracle_record(folder / 'b', 0.02, sequence=sequence, edit=starved, **long)
    (path, *_), _ = write_report(folder, folder)
    text = path.read_text()
    used = folder / 'used.html'
    used.write_text(text.replace('<body>', f'<body>{USE}').replace('</body>', THEN))
    command = [CHROMIUM, '--headless', '--no-sandbox', '--disable-gpu', '--dump-dom']
    command += [f'--user-data-dir={folder / "profile"}', '--virtual-time-budget=5000']
    command += ['--window-size=1300,900', used.as_uri()]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    (found,) = re.findall(r'data-seen="([^"]*)"', finished.stdout)
    return json.loads(found.replace('&quot;', '"').replace('&amp;', '&'))


def test_the_cloud_is_drawn_turns_and_comes_back(seen):
    assert seen['first'][1] > 2000
    assert seen['turned'] != seen['first']
    assert seen['begun'] == seen['first']
    assert seen['near'] != seen['first']


def test_layers_are_switched(seen):
    assert seen['truth'] != seen['first']


def test_light_and_dark_are_both_drawn(seen):
    light, dark = seen['backs']
    assert light != dark
    assert seen['dark'] != seen['first']


def test_pictures_and_charts_are_there(seen):
    assert len(seen['pictures']) > 10
    assert all(seen['pictures'])
    assert len(seen['charts']) >= 10
    assert min(seen['charts']) > 150


def test_nothing_is_wider_than_its_place_and_nothing_goes_wrong(seen):
    assert seen['wide'] == 0
    assert seen['said'] == []
