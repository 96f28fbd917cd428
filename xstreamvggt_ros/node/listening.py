# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Subscriptions that meet whoever publishes, and that say why nothing comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import time

from rclpy.event_handler import SubscriptionEventCallbacks, UnsupportedEventTypeError
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription

from xstreamvggt_ros.node.callbacks import steady_timer, survived
from xstreamvggt_ros.node.qos import input_qos
from xstreamvggt_ros.node.seldom import Seldom
from xstreamvggt_ros.node.silence import how_to_carry, Listening, why_silent

# How often publishers and silence are looked for, in seconds.
LOOK_PERIOD = 0.5


@dataclass(frozen=True)
class Wanted:
    """
    What is listened to.

    kind: of the messages. topic: resolved. what: the messages, for the log. latched: whether what
    was said before is of use.
    """

    kind: type
    topic: str
    what: str
    latched: bool = False


class Listener:
    """
    Subscribe to a topic as its publishers offer it, and say once in a while why nothing comes.

    The subscription is made anew when what they offer changes. `depth` gives how many messages
    may wait in it, `timeout` after how many seconds silence is told, 0: never. `lost` is told of
    messages that were lost on their way; that they are, and what helps, is said once.
    """

    def __init__(
        self,
        node: Node,
        wanted: Wanted,
        receive: Callable[[object], None],
        depth: Callable[[], int],
        timeout: Callable[[], float] = lambda: 0.0,
        lost: Callable[[int], None] = lambda count: None,
    ) -> None:
        """Begin to listen."""
        self._node = node
        self._wanted = wanted
        self._receive = receive
        self._depth = depth
        self._timeout = timeout
        self._tell_lost = lost
        self._told_lost = self._told_several = False
        # Lost since the newest message.
        self._lost = 0
        self._bytes = 0
        self._seldom = Seldom(10.0)
        self._last_heard = time.monotonic()
        self._complain_from = 0.0
        self._subscription = self._subscribe(self._profile())
        self._timer = steady_timer(
            node, LOOK_PERIOD, f'look for who publishes on {wanted.topic}', self._look
        )

    @property
    def topic(self) -> str:
        """The topic's full name, remapped."""
        return self._wanted.topic

    @property
    def silent_for(self) -> float:
        """Seconds since the newest message, or since nobody has been listened to."""
        return time.monotonic() - self._last_heard

    def follow(self) -> None:
        """Make the subscription anew where publishers or parameters want another."""
        profile = self._profile()
        if profile == self._subscription.qos_profile:
            return
        old, self._subscription = self._subscription, self._subscribe(profile)
        self._take_what_waits(old)
        self._node.destroy_subscription(old)

    def destroy(self) -> None:
        """Cease to listen."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_subscription(self._subscription)

    def _profile(self) -> QoSProfile:
        node, wanted = self._node, self._wanted
        publishers = node.get_publishers_info_by_topic(wanted.topic)
        offered = [each.qos_profile for each in publishers]
        if len(publishers) > 1 and not self._told_several:
            self._told_several = True
            names = ', '.join(f'{each.node_namespace}/{each.node_name}' for each in publishers)
            node.get_logger().warning(
                f'{wanted.topic} has {len(publishers)} publishers ({names.replace("//", "/")}): '
                f'their {wanted.what} are taken for those of one camera; see whether one is left '
                'over from before'
            )
        return input_qos(node, wanted.topic, self._depth(), offered, wanted.latched)

    def _subscribe(self, profile: QoSProfile):
        # What does not meet is looked for, and told with what helps, by `_look`.
        silent = {'incompatible_qos': lambda event: None}
        receive = survived(self._node, f'take a message of {self._wanted.topic}', self._on_message)
        lost = survived(self._node, f'count what is lost of {self._wanted.topic}', self._on_lost)
        for callbacks in ({**silent, 'message_lost': lost}, {}):
            try:
                return self._node.create_subscription(
                    self._wanted.kind,
                    self._wanted.topic,
                    receive,
                    profile,
                    event_callbacks=SubscriptionEventCallbacks(**callbacks),
                )
            except UnsupportedEventTypeError:
                # Not every middleware knows of what it loses.
                continue
        raise AssertionError('a subscription without callbacks of its own asks for no event')

    def _take_what_waits(self, old: Subscription) -> None:
        """Take what a subscription has that goes: nobody else would, nor count it as lost."""
        with old.handle:
            while (taken := old.handle.take_message(old.msg_type, False)) is not None:
                old.callback(taken[0])

    def _on_message(self, message) -> None:
        self._last_heard = time.monotonic()
        self._lost = 0
        self._bytes = len(getattr(message, 'data', ()))
        self._receive(message)

    def _on_lost(self, event) -> None:
        self._lost += event.total_count_change
        self._tell_lost(event.total_count_change)
        if not self._told_lost:
            self._told_lost = True
            self._node.get_logger().warning(
                f'{self._wanted.what} on {self.topic} are lost on their way, by what carries '
                f'them{self._size()}: {how_to_carry()}; /diagnostics counts them as '
                'lost_in_transport'
            )

    def _size(self) -> str:
        return f' ({self._bytes / 1e6:.1f} MB each)' if self._bytes else ''

    def _look(self) -> None:
        try:
            self.follow()
        except Exception as error:  # noqa: BLE001 silence is to be told nevertheless
            if self._seldom.admits():
                self._node.get_logger().warning(
                    f'{self.topic} cannot be subscribed to anew: {error}'
                )
        timeout, now = self._timeout(), time.monotonic()
        if not timeout or now < max(self._last_heard + timeout, self._complain_from):
            return
        self._complain_from = now + timeout
        listening = Listening(
            self._wanted.kind,
            self.topic,
            self._subscription.qos_profile,
            self._lost,
            self._wanted.what,
        )
        self._node.get_logger().warning(
            f'no {self._wanted.what} on {self.topic} for {now - self._last_heard:.0f} s: '
            f'{why_silent(self._node, listening)}'
        )
