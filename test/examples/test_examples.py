# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The examples do what they say, run as a user runs them."""

import itertools
import os
from pathlib import Path
import subprocess
import sys

import bag_messages
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
import numpy as np
from PIL import Image
import pytest
from ros_rig import image_message, picture, Rig

from xstreamvggt_ros.files.ply import read_ply
from xstreamvggt_ros.files.trajectories import read_tum

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / 'examples'


def started(name, *arguments):
    return subprocess.Popen(
        [sys.executable, EXAMPLES / name, *map(str, arguments)],
        env=os.environ | {'PYTHONPATH': str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(name, *arguments):
    process = started(name, *arguments)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    return said


def pixels(seed):
    """Draw something smooth, of another shape than the network's."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((120, 90), Image.Resampling.BICUBIC))


def test_a_folder_of_images_becomes_a_cloud(tmp_path):
    folder, cloud = tmp_path / 'images', tmp_path / 'cloud.ply'
    folder.mkdir()
    for name in ('10.jpg', '9.jpg', '8.png'):
        Image.fromarray(pixels(len(name))).save(folder / name)

    said = run('images_to_ply.py', folder, cloud)

    assert [line.split()[0] for line in said.splitlines()] == ['8.png', '9.jpg', '10.jpg']
    points = read_ply(cloud)
    # The surest half of 168x126 pixels, three times.
    assert len(points) == pytest.approx(3 * 168 * 126 / 2, rel=0.01)
    assert np.isfinite(points.points).all() and points.colours.std() > 1


def test_a_bag_becomes_a_trajectory(tmp_path):
    stamps = [10**9 * (index + 1) + 7 for index in range(3)]
    messages = [
        (
            '/camera/image_raw',
            'sensor_msgs/msg/Image',
            stamp,
            bag_messages.image(stamp, pixels(index), 'rgb8'),
        )
        for index, stamp in enumerate(stamps)
    ]
    bag = bag_messages.write_bag(tmp_path / 'bag', messages)

    run('bag_to_trajectory.py', bag, tmp_path / 'path.tum')

    path = read_tum(tmp_path / 'path.tum')
    assert path.stamps_ns.tolist() == stamps
    np.testing.assert_allclose(np.linalg.norm(path.quaternions, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(path.positions[0], 0, atol=0.2)


@pytest.mark.ros
def test_a_client_reads_clouds_calls_a_service_and_reads_diagnostics():
    rig = Rig()
    try:
        assert rig.change('configure', 'activate'), rig.log()
        # A camera's driver speaks as well, all the time, and says nothing in between.
        values = [KeyValue(key='exposure', value='7')]
        told = [DiagnosticArray(status=[DiagnosticStatus(values=values)]), DiagnosticArray()]
        driver = rig.peer.create_publisher(DiagnosticArray, '/diagnostics', 5)
        client = started('node_client.py')
        rig.peer.create_timer(0.002, lambda: [driver.publish(message) for message in told])
        rig.wait(driver.get_subscription_count, 'the client')
        turns = itertools.count(1)

        def ended():
            if (turn := next(turns)) % 8 == 0:
                rig.publish(image_message(picture(), turn))
            return client.poll() is not None

        rig.wait(ended, 'the end of the client')
        said, _ = client.communicate()
    finally:
        rig.network.released.set()
        rig.close()

    assert client.returncode == 0, said
    assert 'points about' in said and 'uint8 RGB' in said
    assert 'a new stream begins with the next image' in said
    assert 'frames_processed' in said and 'exposure' not in said
