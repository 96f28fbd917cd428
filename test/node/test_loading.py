# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weights that do not come: the node answers meanwhile, and says which."""

from contextlib import contextmanager
import threading

from dead_disk import dead_disk
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from networks import Scripted
import pytest
from ros_rig import image_message, picture
from safetensors.torch import load_file, save_file
from std_srvs.srv import Trigger

from xstreamvggt_ros.files import answering
from xstreamvggt_ros.model import bundled_checkpoint
from xstreamvggt_ros.node.reconstructor import build_reconstructor

pytestmark = pytest.mark.ros


def ask_to_change(rig, **transition):
    request = ChangeState.Request(transition=Transition(**transition))
    return rig.ask(ChangeState, '/reconstruction/change_state', request)


@contextmanager
def slow_to_load(rig_of, parameters=None):
    """Give a node whose network comes with an event, and the network; configure is asked for."""
    come, network, asked_for = threading.Event(), Scripted(), threading.Event()

    def build(_):
        asked_for.set()
        assert come.wait(20)
        return network

    rig = rig_of(parameters, network, build_reconstructor=build)
    future = ask_to_change(rig, label='configure')
    rig.wait(asked_for.is_set, 'the network to be asked for')
    try:
        yield rig, future, come
    finally:
        come.set()


@pytest.mark.parametrize('name', ['dead.safetensors', 'dead.pth'])
def test_a_checkpoint_on_a_disk_without_answer_is_named_and_can_be_mended(
    rig_of, tmp_path, monkeypatch, name
):
    monkeypatch.setattr(answering, 'ANSWER_S', 0.3)
    path = tmp_path / name
    path.touch()
    rig = rig_of({'model.checkpoint': str(path)}, build_reconstructor=build_reconstructor)
    with dead_disk(path):
        assert not rig.change('configure')
        rig.wait_for_log(f"cannot configure: checkpoint '{path}' does not answer")
        assert rig.state() == 'unconfigured'

        assert rig.set('model.checkpoint', 'random').successful
        assert rig.change('configure', 'activate'), rig.log()


def test_while_weights_do_not_come_every_service_answers(rig_of):
    with slow_to_load(rig_of) as (rig, configured, come):
        assert rig.state() == 'unconfigured'
        for transition in ({'label': 'configure'}, {'id': Transition.TRANSITION_CONFIGURE}):
            again = ask_to_change(rig, **transition)
            rig.wait(again.done, 'an answer')
            assert not again.result().success
        assert not rig.change('activate')
        assert rig.set('output.point_stride', 3).successful
        refused = rig.set('model.image_size', 140)
        assert not refused.successful
        assert 'cannot be set while the weights are being loaded' in refused.reason
        assert not configured.done()

        come.set()
        rig.wait(configured.done, 'the node to be configured')
        assert configured.result().success
        assert rig.state() == 'inactive'
        assert 'while the node is unconfigured' in rig.set('model.image_size', 140).reason
        assert rig.node._pipeline.config.cloud.stride == 3


def test_weights_that_do_not_come_in_time_are_named_with_the_parameter(rig_of):
    given = {'model.load_timeout': 0.2, 'model.checkpoint': 'owner/name', 'model.revision': 'a1'}
    with slow_to_load(rig_of, given) as (rig, configured, come):
        rig.wait(configured.done, 'the node to give up')
        assert not configured.result().success
        rig.wait_for_log("cannot configure: checkpoint 'owner/name' is not ready after 0.2 s")
        rig.wait_for_log('raise model.load_timeout')
        assert rig.state() == 'unconfigured'

        # Nor is there anything left of it, when they come after all.
        come.set()
        rig.wait(lambda: not loading(), 'the thread to end')
        assert rig.network.resets == 0
        assert rig.set('model.load_timeout', 20.0).successful
        assert rig.change('configure', 'activate'), rig.log()


def loading():
    return [thread for thread in threading.enumerate() if thread.name == 'loading']


def test_a_node_that_loads_can_be_shut_down(rig_of):
    with slow_to_load(rig_of) as (rig, configured, _):
        assert rig.change('shutdown')
        assert rig.state() == 'finalized'
        rig.wait(configured.done, 'an answer to configure')
        assert not configured.result().success


def test_a_snapshot_on_a_disk_without_answer_is_named_and_the_stream_goes_on(
    active, tmp_path, monkeypatch
):
    monkeypatch.setattr(answering, 'ANSWER_S', 0.5)
    path = tmp_path / 'stream.safetensors'
    path.touch()
    rig = active({'input.snapshot': str(path)})
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    with dead_disk(path):
        answer = rig.ask(Trigger, '/reconstruction/load', Trigger.Request())
        assert rig.state() == 'active'
        rig.wait(answer.done, 'an answer of ~/load')
        assert not answer.result().success
        assert f"not loaded: '{path}' does not answer" in answer.result().message
        rig.publish(image_message(picture()))
        rig.wait(lambda: rig.counts().processed == 1, 'the image')
        seen = len(diagnostics)
        rig.wait(lambda: len(diagnostics) > seen, 'diagnostics')


def diverged(values, victim):
    values[victim].view(-1)[0] = float('nan')


def infinite(values, victim):
    values[victim].view(-1)[0] = float('inf')


def overflowing(values, victim):
    for name, tensor in values.items():
        values[name] = 1e30 * tensor.float()
    assert all(bool(each.isfinite().all()) for each in values.values())


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (diverged, 'such tensors: {victim}'),
        (infinite, 'such tensors: {victim}'),
        (overflowing, 'not finite; take another checkpoint'),
    ],
)
def test_a_checkpoint_that_gives_no_numbers_is_refused_by_name(rig_of, tmp_path, change, words):
    values = load_file(bundled_checkpoint('tiny'))
    victim = list(values)[7]
    change(values, victim)
    path = tmp_path / 'bad.safetensors'
    save_file(values, path)
    rig = rig_of({'model.checkpoint': str(path)}, build_reconstructor=build_reconstructor)

    assert not rig.change('configure')
    rig.wait_for_log(words.format(victim=victim))
    (said,) = [line for line in rig.log() if 'cannot configure' in line]
    assert f"checkpoint '{path}'" in said
