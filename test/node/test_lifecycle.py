# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The managed states over DDS: what each transition does, and how it fails."""

import gc
import weakref

from geometry_msgs.msg import PoseStamped
from networks import flat_frame, Scripted
import pytest
from ros_rig import image_message, picture
from std_srvs.srv import Trigger
import torch

from xstreamvggt_ros.cache import BudgetTooSmall
from xstreamvggt_ros.node.reconstructor import build_reconstructor

pytestmark = pytest.mark.ros


def test_every_transition_twice(rig_of):
    rig = rig_of()
    poses = rig.collect(PoseStamped, '/reconstruction/pose')

    for _ in range(2):
        assert rig.state() == 'unconfigured'
        assert rig.change('configure')
        assert rig.state() == 'inactive'
        for _ in range(2):
            poses.clear()
            assert rig.change('activate')
            assert rig.state() == 'active'
            rig.publish(image_message(picture()))
            rig.wait(lambda: poses)
            assert rig.change('deactivate')
            assert rig.state() == 'inactive'
        assert rig.change('cleanup')
    assert rig.change('shutdown')
    assert rig.state() == 'finalized'
    assert rig.network.steps == 4


def test_the_constructor_declares_parameters_and_nothing_else(rig_of):
    rig = rig_of()

    names = {name for name, _ in rig.node.get_topic_names_and_types()}
    assert not any('reconstruction/points' in name or name == '/image' for name in names)
    assert rig.node.has_parameter('cache.bits')


def test_deactivate_keeps_the_stream_and_stops_listening(active):
    rig = active()
    poses = rig.collect(PoseStamped, '/reconstruction/pose')
    rig.publish(image_message(picture(), 1.0), image_message(picture(), 2.0))
    rig.wait(lambda: len(poses) == 2)

    rig.change('deactivate')
    assert rig.node.count_subscribers('/image') == 0
    assert rig.change('activate')
    rig.publish(image_message(picture(), 3.0))
    rig.wait(lambda: len(poses) == 3)

    assert rig.network.index == 3


def test_the_counts_are_said_in_one_line_at_the_end(active):
    rig = active()
    poses = rig.collect(PoseStamped, '/reconstruction/pose')
    broken = image_message(picture(), 1.5)
    broken.encoding = 'rgb9'
    rig.publish(image_message(picture(), 1.0), broken, image_message(picture(), 2.0))
    rig.wait(lambda: len(poses) == 2)

    rig.change('deactivate')

    rig.wait_for_log('3 images received, 2 processed, 1 dropped (encoding 1)')


@pytest.mark.parametrize(
    ('wrong', 'mended', 'words'),
    [
        ({'model.checkpoint': '/nowhere/tiny.safetensors'}, 'random', '/nowhere/tiny.safetensors'),
        ({'model.device': 'abacus'}, 'cpu', "model.device is 'abacus'"),
        ({'model.attention': 'flash_attn', 'model.device': 'cpu'}, 'sdpa', "'auto' or 'sdpa'"),
        ({'model.preset': 'huge'}, 'tiny', "model.preset is 'huge'"),
        ({'cache.budget_frames': 3}, 0, 'at most one budget'),
        ({'cache.bits': 5}, 8, 'cache.bits is 5'),
        ({'input.image_topics': []}, ['image'], "set it like ['']"),
        ({'output.point_stride': 0}, 1, 'output.point_stride'),
        ({'output.scale': 'large'}, 2.0, 'output.scale'),
    ],
)
def test_configure_fails_with_the_fix_and_succeeds_once_mended(rig_of, wrong, mended, words):
    rig = rig_of(wrong, build_reconstructor=build_reconstructor)

    assert not rig.change('configure')
    assert rig.state() == 'unconfigured'
    rig.wait_for_log(words)

    assert rig.set(next(iter(wrong)), mended).successful
    assert rig.change('configure'), rig.log()
    assert rig.state() == 'inactive'


def test_an_exception_that_nobody_expected_shows_its_traceback(rig_of):
    def build(parameters):
        raise AttributeError('deep inside')

    rig = rig_of(build_reconstructor=build)

    assert not rig.change('configure')
    assert rig.state() == 'unconfigured'
    rig.wait_for_log('Traceback')
    rig.wait_for_log('AttributeError: deep inside')


def test_a_failed_activation_leaves_nothing_behind_and_can_be_mended(rig_of):
    override = 'qos_overrides./image.subscription.reliability'
    rig = rig_of({override: 'utmost'})
    assert rig.change('configure')

    assert not rig.change('activate')
    assert rig.state() == 'inactive'
    assert rig.node.count_subscribers('/image') == 0
    rig.wait_for_log('best_effort')

    assert rig.set(override, 'reliable').successful
    assert rig.change('activate')


def test_a_warm_up_that_finds_the_budget_too_small_only_warns(rig_of):
    def answer(index, image):
        if image.shape[-2] * 2 > image.shape[-1]:
            return BudgetTooSmall('use at least 99')
        return flat_frame(*image.shape[-2:])

    rig = rig_of(network=Scripted(answer))

    assert rig.change('configure')
    rig.wait_for_log('use at least 99')


def test_a_budget_in_which_no_image_fits_fails_to_configure(rig_of):
    small = {'cache.budget_tokens': 1, 'model.image_size': 168}
    rig = rig_of(small, build_reconstructor=build_reconstructor)

    assert not rig.change('configure')
    # For the usual 4:3 image of 168x126, not for the narrowest one, of which 22 would do.
    rig.wait_for_log('use at least budget_tokens 118')


def test_random_weights_and_a_missing_budget_are_said_loudly(rig_of):
    rig = rig_of({'cache.budget': 'none', 'cache.budget_tokens': 0, 'model.checkpoint': 'random'})
    rig.change('configure')

    rig.wait_for_log('RANDOM WEIGHTS')
    rig.wait_for_log('the cache has no budget')


@pytest.mark.parametrize('transitions', [('deactivate', 'cleanup'), ('shutdown',)])
def test_the_network_s_memory_is_given_back(active, transitions):
    models = []

    def build(parameters):
        reconstructor = build_reconstructor(parameters)
        models.append(weakref.ref(reconstructor.model))
        return reconstructor

    rig = active(build_reconstructor=build)
    poses = rig.collect(PoseStamped, '/reconstruction/pose')
    # An exception on the way, whose traceback could hold the network.
    broken = image_message(picture(), 1.0)
    broken.data = broken.data[:5]
    rig.publish(broken, image_message(picture(), 2.0))
    rig.wait(lambda: poses)

    rig.change(*transitions)
    gc.collect()

    assert models[0]() is None


def test_a_network_that_never_answers_cannot_hold_the_node(active):
    network = Scripted()
    network.hold = True
    rig = active(network=network, patience=0.1)
    rig.publish(image_message(picture()))
    assert network.in_hand.wait(10)

    reset = rig.call(Trigger, '/reconstruction/reset', Trigger.Request())
    assert not reset.success
    assert 'still busy' in reset.message

    assert not rig.change('deactivate')
    assert rig.state() == 'unconfigured'
    network.released.set()
    network.hold = False
    assert rig.change('configure', 'activate')


def test_locked_parameters_refuse_to_change_while_configured(active):
    rig = active()

    for name, value in [
        ('cache.budget_tokens', 300),
        ('cache.bits', 8),
        ('model.checkpoint', 'other'),
        ('input.image_topics', ['other']),
    ]:
        result = rig.set(name, value)
        assert not result.successful
        assert name in result.reason and 'unconfigured' in result.reason

    rig.change('deactivate')
    assert not rig.set('cache.bits', 8).successful
    rig.change('cleanup')
    assert rig.set('cache.bits', 8).successful


def test_live_parameters_are_judged_and_take_effect(active):
    rig = active()
    poses = rig.collect(PoseStamped, '/reconstruction/pose')

    assert 'scale' in rig.set('output.scale', -1.0).reason
    assert 'rep103' in rig.set('output.world_axes', 'enu').reason
    assert 'output.map_frame' in rig.set('output.map_frame', '').reason
    assert rig.set('output.map_frame', 'odom').successful
    assert rig.set('output.world_axes', 'optical').successful
    rig.publish(image_message(picture()))
    rig.wait(lambda: poses)

    assert poses[0].header.frame_id == 'odom'
    assert poses[0].pose.orientation.w == pytest.approx(1.0)


def test_descriptors_tell_types_ranges_and_choices(rig_of):
    rig = rig_of()
    describe = rig.node.describe_parameter

    scale = describe('output.scale')
    assert scale.floating_point_range[0].to_value == 1e6
    assert describe('model.image_size').integer_range[0].step == 14
    assert '2, 4, 8, 16' in describe('cache.bits').additional_constraints
    assert 'unconfigured' in describe('cache.bits').additional_constraints
    names = rig.node.get_parameters_by_prefix('').keys()
    assert all(
        describe(name).description and not describe(name).read_only
        for name in names
        if name.split('.')[0] in ('model', 'cache', 'input', 'output')
    )


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
def test_the_device_s_memory_is_given_back(rig_of):
    rig = rig_of({'model.device': 'cuda'}, build_reconstructor=build_reconstructor)
    before = torch.cuda.memory_reserved()
    assert rig.change('configure', 'activate')
    assert torch.cuda.memory_reserved() > before

    rig.change('deactivate', 'cleanup')

    assert torch.cuda.memory_reserved() <= before


def test_a_locked_parameter_takes_the_value_that_it_has(rig_of):
    rig = rig_of()
    assert rig.change('configure')

    # As ros2 param load does with a whole file.
    assert rig.set('cache.budget_tokens', 2048).successful
    assert not rig.set('cache.budget_tokens', 2049).successful
