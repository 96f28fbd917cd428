# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Player and recorder over DDS, with a node that only answers."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from relay import Relay
from sensor_msgs.msg import CompressedImage

from xstreamvggt_ros.files.bags import BagWriter, open_bag, stamp_of
from xstreamvggt_ros.images.camera_model import CameraModel
from xstreamvggt_ros.inputs import Calibration, EncodedImage, RawImage, SequenceFrame
from xstreamvggt_ros.rig import camera_player as player_module
from xstreamvggt_ros.rig.camera_messages import shots
from xstreamvggt_ros.rig.camera_player import CameraPlayer
from xstreamvggt_ros.rig.link import Link
from xstreamvggt_ros.rig.pacing import Pacer
from xstreamvggt_ros.rig.player import AtMost, PlayerError
from xstreamvggt_ros.rig.recorder import FRAME_OUTPUTS, Recorder

pytestmark = pytest.mark.ros
DEADLINE = 60.0
STAMPS = [1_767_225_600_123_456_789 + 33_333_333 * index for index in range(5)]


class Made:
    """Frames of nine different bytes."""

    def __init__(self, transport='raw', topic='/camera/image_raw', d=()):
        self.transport, self.topic, self._d = transport, topic, d

    @property
    def frames(self):
        camera = CameraModel(3, 1, np.diag([50.0, 50.0, 1.0]))
        calibration = replace(Calibration.of_camera(camera), d=self._d)
        for index, stamp in enumerate(STAMPS):
            data = bytes(range(index, index + 9))
            image = RawImage(1, 3, 'rgb8', 0, 9, data)
            if self.transport == 'compressed':
                image = EncodedImage('jpeg', data)
            yield SequenceFrame(
                stamp,
                '',
                None,
                None,
                read_payload=lambda image=image: image,
                recorded=calibration,
                frame_id='optical',
            )


def _stamp(message):
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


@pytest.fixture
def play(tmp_path):
    """Play five made frames to a relay; give what the recorder has, and the bag's path."""

    def play(source, window=1, max_frames=0, patience_s=DEADLINE):
        path = tmp_path / 'recording.mcap'
        with Link('player') as link, BagWriter(path) as bag:
            pacer = Pacer()
            recorder = Recorder(link, 'reconstruction', bag, pacer)
            link.spin_until(
                lambda: all(
                    link.node.count_publishers(f'/reconstruction/{n}') for n in FRAME_OUTPUTS
                ),
                DEADLINE,
            )
            player = CameraPlayer(link, source.topic, source.transport)
            frames = islice(source.frames, max_frames or None)
            player.play(shots(frames), AtMost(link), pacer, window, patience_s)
            recorder.await_outputs(player.sent_ns.keys(), patience_s)
        return player, recorder, path

    return play


def test_images_arrive_bit_for_bit_with_their_calibration(play):
    with Relay() as relay:
        player, recorder, _ = play(Made())
    assert [_stamp(image) for image in relay.images] == STAMPS
    assert [bytes(image.data) for image in relay.images] == [
        bytes(range(index, index + 9)) for index in range(5)
    ]
    assert {(image.encoding, image.step, image.header.frame_id) for image in relay.images} == {
        ('rgb8', 9, 'optical')
    }
    # Who looks for the calibration knows it before the first image.
    assert [_stamp(info) for info in relay.infos] == [STAMPS[0], *STAMPS]
    assert relay.infos[0].k[0] == 50.0
    assert list(player.sent_ns) == list(recorder.completed_ns) == STAMPS
    for stamp in STAMPS:
        assert player.sent_ns[stamp] < recorder.completed_ns[stamp]


@pytest.mark.parametrize(
    ('name', 'd', 'distorted'),
    [('image_raw', (), False), ('image_raw', (0.1,), True), ('image_rect', (0.1,), False)],
)
def test_rectified_images_are_not_distorted_whatever_the_lens(play, name, d, distorted):
    topic = f'/camera/{name}'
    with Relay(topic):
        player, *_ = play(Made(topic=topic, d=d), max_frames=1)
    assert player.distorted == distorted


def test_compressed_images_go_out_as_they_are(play):
    with Relay(kind=CompressedImage) as relay:
        play(Made('compressed'), max_frames=3)
    assert [bytes(image.data) for image in relay.images] == [
        bytes(range(index, index + 9)) for index in range(3)
    ]
    assert relay.images[0].format == 'jpeg'


def test_the_bag_holds_every_output_with_its_stamp(play):
    with Relay():
        *_, path = play(Made())
    with open_bag(path) as bag:
        for name in FRAME_OUTPUTS:
            (topic,) = [
                each for each in bag.connections if each.topic == f'/reconstruction/{name}'
            ]
            assert [stamp_of(cdr) for _, _, cdr in bag.messages([topic])] == STAMPS
            for _, _, cdr in bag.messages([topic]):
                assert bag.deserialize(cdr, topic.msgtype).header.frame_id == 'optical'


def test_an_image_waits_until_the_one_before_it_is_answered(play):
    with Relay() as relay:
        player, recorder, _ = play(Made(), window=1)
    for before, after in zip(STAMPS[:-1], STAMPS[1:], strict=True):
        assert recorder.completed_ns[before] < player.sent_ns[after]
    assert len(relay.images) == 5


def test_a_stamp_that_comes_again_is_named_and_passed_over(play, caplog):
    class Twice(Made):
        @property
        def frames(self):
            for frame in super().frames:
                yield frame
                yield frame

    with Relay() as relay:
        play(Twice())
    assert [_stamp(image) for image in relay.images] == STAMPS
    assert f'a second image with stamp {STAMPS[2]} ns' in caplog.text


def test_frames_that_the_node_says_it_dropped_are_not_waited_for(play):
    with Relay(answers=lambda index: index != 1, reports=True) as relay:
        _, recorder, _ = play(Made())
    assert len(relay.images) == 5
    assert list(recorder.completed_ns) == [stamp for stamp in STAMPS if stamp != STAMPS[1]]
    assert recorder.diagnostics['dropped_test'] == '1'


def test_a_node_that_never_answers_ends_the_play_with_a_reason(play):
    with Relay(answers=lambda index: False) as relay:
        with pytest.raises(PlayerError, match='1 images were neither answered nor counted'):
            play(Made(), patience_s=0.5)
    assert len(relay.images) == 1


def test_without_a_window_nobody_is_waited_for(play):
    with Relay(answers=lambda index: False) as relay:
        play(Made(), window=0, patience_s=0.5)
    assert len(relay.images) == 5


def test_nobody_listening_is_said(play, monkeypatch):
    monkeypatch.setattr(player_module, 'DISCOVERY_TIMEOUT_S', 0.3)
    with Relay(topic='/another/image'):
        with pytest.raises(PlayerError, match='nobody subscribed to /camera/image_raw'):
            play(Made())
