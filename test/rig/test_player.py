# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The player's order and timing, without anybody who listens."""

import time

import pytest
from std_msgs.msg import UInt32

from xstreamvggt_ros.rig.link import Link
from xstreamvggt_ros.rig.player import AtMost, Cue, Player, PlayerError

pytestmark = pytest.mark.ros


class Sink:
    """What the player sees of a publisher."""

    def __init__(self, listeners=1):
        self.messages = []
        self.times = []
        self._listeners = listeners

    def publish(self, message):
        self.messages.append(message)
        self.times.append(time.monotonic())

    def get_subscription_count(self):
        return self._listeners

    def wait_for_all_acked(self, timeout):
        return True


@pytest.fixture
def link():
    with Link('player') as link:
        yield link


def cues(count, stamped=False):
    return [Cue(at, (('/a', UInt32(data=at)),), at if stamped else None) for at in range(count)]


def test_what_was_late_is_not_made_up_for_in_a_burst(link):
    sink = Sink()

    def slow():
        for index, cue in enumerate(cues(4)):
            if index == 2:
                time.sleep(0.3)
            yield cue

    Player(link, {'/a': sink}, AtMost(link, rate_hz=20)).play(slow)

    assert sink.times[3] - sink.times[2] >= 0.049


def test_a_loop_repeats_everything_until_it_is_ended(link):
    sink, rounds = Sink(), []

    def again():
        rounds.append(len(sink.messages))
        if len(rounds) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Player(link, {'/a': sink}, AtMost(link)).play(lambda: cues(3), loop=True, again=again)

    assert [each.data for each in sink.messages] == [0, 1, 2] * 2


def test_nothing_is_not_repeated(link):
    assert Player(link, {}, AtMost(link)).play(list, loop=True) == 0


def test_an_image_to_which_nobody_listens_any_more_ends_the_play(link):
    player = Player(link, {'/a': Sink(listeners=0)}, AtMost(link))
    with pytest.raises(PlayerError, match='nobody listens on /a any more'):
        player.play(lambda: cues(1, stamped=True))
    # What answers nothing is sent to whoever there is.
    assert player.play(lambda: cues(2)) == 2
