# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images that cannot be used are dropped with a reason, and the stream goes on."""

import io
import threading

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from networks import flat_frame, Scripted
import numpy as np
from PIL import Image as PillowImage
import pytest
from ros_rig import header, image_message, picture
from sensor_msgs.msg import CompressedImage, Image
from std_srvs.srv import Trigger
import torch

from xstreamvggt_ros.cache import BudgetTooSmall
from xstreamvggt_ros.node import decoding

pytestmark = pytest.mark.ros
POSE = '/reconstruction/pose'


def broken(**changes):
    message = image_message(picture(), 2.0)
    for name, value in changes.items():
        setattr(message, name, value)
    return message


def floats(value):
    pixels = np.full((42, 56, 3), value, '<f4')
    return broken(encoding='32FC3', step=12 * 56, data=pixels.tobytes())


BROKEN = {
    'encoding': broken(encoding='rgb9'),
    'short_data': broken(data=b'\0' * 100),
    'empty': broken(width=0),
    'empty on both sides': broken(height=0, width=0, data=b''),
    'too_large': broken(height=2**31, width=2**31),
    'step': broken(step=3),
    'not_finite': floats(np.nan),
    'range': floats(7.0),
    'frame_id': broken(header=header(2.0, 'map')),
    'bad_size': broken(height=1, width=2352, step=7056),
}


@pytest.mark.parametrize('what', BROKEN)
def test_a_broken_image_is_dropped_with_its_reason_and_the_stream_goes_on(active, what):
    reason = what.split()[0]
    rig = active()
    poses = rig.collect(PoseStamped, POSE)
    rig.publish(image_message(picture(), 1.0), BROKEN[what], image_message(picture(), 3.0))
    rig.wait(lambda: len(poses) == 2)
    rig.change('deactivate')

    assert [pose.header.stamp.sec for pose in poses] == [1, 3]
    if reason != 'bad_size':  # of another size, it ends the stream
        assert rig.network.index == 2
    rig.wait_for_log(f'3 images received, 2 processed, 1 dropped ({reason} 1)')
    rig.wait_for_log(f'image dropped ({reason})')


def test_many_broken_images_are_said_once(active):
    rig = active()
    poses = rig.collect(PoseStamped, POSE)
    rig.publish(*[BROKEN['encoding']] * 20, image_message(picture(), 3.0))
    rig.wait(lambda: poses)

    assert len([line for line in rig.log() if 'image dropped' in line]) == 1


def test_a_cut_jpeg_is_dropped(active):
    rig = active({'input.image_transport': 'compressed'})
    rig.publish(
        CompressedImage(header=header(), format='jpeg', data=b'\xff\xd8\xff\xe0cut'),
        topic='/image/compressed',
    )

    rig.wait_for_log('image dropped (malformed)')


def test_an_image_above_max_pixels_is_refused_live(active):
    rig = active()
    assert rig.set('input.max_pixels', 100).successful
    rig.publish(image_message(picture()))

    rig.wait_for_log('more than input.max_pixels = 100')


@pytest.mark.parametrize(
    ('kind', 'reason', 'words'),
    [
        (BudgetTooSmall, 'budget_too_small', 'what the network says'),
        (torch.OutOfMemoryError, 'out_of_memory', 'lower model.image_size'),
        (IndexError, 'unexpected', 'IndexError: what the network says'),
    ],
)
def test_a_network_that_fails_drops_the_frame_with_an_error(active, kind, reason, words):
    network = Scripted()
    rig = active(network=network)
    poses = rig.collect(PoseStamped, POSE)
    good = network.answer
    network.answer = lambda index, image: kind('what the network says')
    rig.publish(image_message(picture(), 1.0))
    rig.wait_for_log(f'image dropped ({reason})')
    network.answer = good
    rig.publish(image_message(picture(), 2.0))
    rig.wait(lambda: poses)

    assert any(words in line for line in rig.log(level=40))
    rig.change('deactivate')
    rig.wait_for_log(f'1 dropped ({reason} 1)')


def test_a_pose_that_is_not_finite_never_leaves_the_node(active):
    lost = torch.full((3, 4), float('nan'))

    def answer(index, image):
        # All zeros is the picture that the warm-up shows.
        pose = lost if index == 1 else None
        return flat_frame(*image.shape[-2:], camera_from_world=pose)

    rig = active(network=Scripted(answer))
    poses = rig.collect(PoseStamped, POSE)
    depths = rig.collect(Image, '/reconstruction/depth/image')
    rig.publish(*[image_message(picture(), 1.0 + index) for index in range(3)])
    rig.wait(lambda: len(poses) == len(depths) == 2)

    assert [pose.header.stamp.sec for pose in poses] == [1, 3]
    rig.wait_for_log('image dropped (not_finite)')


def jpeg_of_many_scans(count, side):
    """Make a small progressive JPEG that passes over a picture `count` times."""
    buffer = io.BytesIO()
    flat = np.full((side, side), 100, np.uint8)
    PillowImage.fromarray(flat).save(buffer, 'JPEG', progressive=True)
    stream = buffer.getvalue()
    begin, end = stream.rindex(b'\xff\xda'), stream.rindex(b'\xff\xd9')
    more = count - stream.count(b'\xff\xda')
    data = stream[:end] + more * stream[begin:end] + stream[end:]
    return CompressedImage(header=header(2.0), format='jpeg', data=data)


def small_jpeg(stamp):
    buffer = io.BytesIO()
    PillowImage.fromarray(picture()).save(buffer, 'JPEG')
    return CompressedImage(header=header(stamp), format='jpeg', data=buffer.getvalue())


def told(arrays, key):
    """Whether the newest /diagnostics counts some of these."""
    return bool(arrays) and any(
        each.key == key and int(each.value)
        for status in arrays[-1].status
        for each in status.values
    )


@pytest.mark.parametrize(
    ('count', 'side', 'reason'), [(3000, 56, 'malformed'), (100, 1600, 'decode_time')]
)
def test_a_jpeg_of_very_many_scans_is_dropped_and_told(active, monkeypatch, count, side, reason):
    monkeypatch.setattr(decoding, 'DECODE_SECONDS', 0.02)
    rig = active({'input.image_transport': 'compressed'})
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    rig.publish(jpeg_of_many_scans(count, side), topic='/image/compressed')

    rig.wait(lambda: told(diagnostics, f'dropped_{reason}'), 'the drop on /diagnostics')
    rig.wait_for_log(f'image dropped ({reason})')
    (line,) = [line for line in rig.log() if 'image dropped' in line]
    assert 'publish baseline JPEG' in line


def test_while_an_image_is_decoded_for_ever_services_and_transitions_work(active, monkeypatch):
    released, usual = threading.Event(), decoding.decode_compressed

    def decode(message, max_pixels):
        if message.header.stamp.sec == 2:
            assert released.wait(30)
        return usual(message, max_pixels)

    monkeypatch.setattr(decoding, 'decode_compressed', decode)
    monkeypatch.setattr(decoding, 'DECODE_SECONDS', 0.1)
    rig = active({'input.image_transport': 'compressed'})
    poses = rig.collect(PoseStamped, POSE)
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    try:
        rig.publish(small_jpeg(2.0), topic='/image/compressed')
        answer = rig.ask(Trigger, '/reconstruction/reset', Trigger.Request())
        rig.wait(lambda: told(diagnostics, 'dropped_decode_time'), 'the drop on /diagnostics')
        rig.wait(answer.done, 'an answer of ~/reset')
        assert answer.result().success
        assert rig.change('deactivate', 'activate'), rig.log()
    finally:
        released.set()

    def decoded_again():
        rig.publish(small_jpeg(3.0), topic='/image/compressed')
        return poses

    rig.wait(decoded_again, 'an image, once the decoder has come to its end')
