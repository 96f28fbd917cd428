# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images in, reconstructions out, over DDS."""

import io
import time

from geometry_msgs.msg import PoseStamped
from networks import flat_frame, Scripted
import numpy as np
from PIL import Image as PillowImage
import pytest
from ros_rig import header, image_message, IMAGE_SIZE, picture
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from std_srvs.srv import Trigger
from tf2_msgs.msg import TFMessage
import torch

from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.messages import read_points
from xstreamvggt_ros.model import bundled_checkpoint, load_checkpoint, ModelConfig, StreamVGGT
from xstreamvggt_ros.node.reconstructor import build_reconstructor
from xstreamvggt_ros.pipeline import PipelineConfig, ReconstructionPipeline
from xstreamvggt_ros.stream import StreamingReconstructor

pytestmark = pytest.mark.ros
POSE, POINTS = '/reconstruction/pose', '/reconstruction/points'


def moving(index, image):
    """Answer with a camera that goes a metre to its right with every frame."""
    camera_from_world = torch.eye(4)[:3].clone()
    camera_from_world[0, 3] = -float(index)
    return flat_frame(*image.shape[-2:], camera_from_world=camera_from_world)


def test_what_comes_out_is_what_the_pipeline_gives(active):
    rig = active(
        {'output.confidence_percentile': 0.0, 'cache.bits': 4},
        build_reconstructor=build_reconstructor,
    )
    depths = rig.collect(Image, '/reconstruction/depth/image')
    infos = rig.collect(CameraInfo, '/reconstruction/depth/camera_info')
    confidences = rig.collect(Image, '/reconstruction/confidence')
    clouds = rig.collect(PointCloud2, POINTS)
    images = [picture(seed, 90, 120) for seed in range(4)]
    messages = [image_message(image, 1 + index) for index, image in enumerate(images)]
    rig.feed(messages, depths, infos, confidences, clouds)

    model = StreamVGGT(ModelConfig.preset('tiny'))
    load_checkpoint(model, bundled_checkpoint('tiny'))
    pipeline = ReconstructionPipeline(
        StreamingReconstructor(model, CacheConfig.recommended().with_budget(budget_tokens=2048)),
        PipelineConfig(IMAGE_SIZE),
    )
    for index, image in enumerate(images):
        expected = pipeline.process(image)
        depth = np.frombuffer(depths[index].data, '<f4').reshape(42, IMAGE_SIZE)
        confidence = np.frombuffer(confidences[index].data, '<f4').reshape(42, IMAGE_SIZE)
        cloud = read_points(clouds[index])
        np.testing.assert_allclose(depth, expected.depth, rtol=1e-6)
        np.testing.assert_allclose(confidence, expected.confidence, rtol=1e-6)
        np.testing.assert_allclose(infos[index].k, expected.intrinsics.ravel(), rtol=1e-6)
        np.testing.assert_allclose(cloud.points, expected.points.reshape(-1, 3), rtol=1e-6)
        np.testing.assert_array_equal(cloud.rgb, expected.picture.reshape(-1, 3))
        np.testing.assert_allclose(cloud.confidence, expected.points_confidence.ravel())
    assert (infos[0].height, infos[0].width) == (42, IMAGE_SIZE)
    assert (clouds[0].height, clouds[0].width) == (42, IMAGE_SIZE)
    assert depths[0].encoding == confidences[0].encoding == '32FC1'


def test_a_percentile_thins_the_cloud_to_a_list(active):
    rig = active(
        {'output.confidence_percentile': 60.0, 'output.point_stride': 2},
        build_reconstructor=build_reconstructor,
    )
    clouds = rig.collect(PointCloud2, POINTS)
    rig.publish(image_message(picture()))
    rig.wait(lambda: clouds)

    assert clouds[0].height == 1
    assert clouds[0].width == pytest.approx(0.4 * 21 * 28, abs=2)


def test_headers_carry_the_stamp_bit_for_bit_and_the_right_frames(active):
    rig = active()
    topics = {
        '/reconstruction/depth/image': Image,
        '/reconstruction/depth/camera_info': CameraInfo,
        '/reconstruction/confidence': Image,
        POINTS: PointCloud2,
        POSE: PoseStamped,
    }
    received = {topic: rig.collect(kind, topic) for topic, kind in topics.items()}
    transforms = rig.collect(TFMessage, '/tf')
    message = image_message(picture(), frame='left_optical')
    # What a float of seconds could not hold.
    message.header.stamp.sec, message.header.stamp.nanosec = 1_700_000_000, 123_456_789
    rig.publish(message)
    rig.wait(lambda: all(received.values()) and transforms)

    for topic, messages in received.items():
        assert messages[0].header.stamp == message.header.stamp
        in_map = topic in (POINTS, POSE)
        assert messages[0].header.frame_id == ('map' if in_map else 'left_optical')
    assert transforms[0].transforms[0].header == received[POSE][0].header


def test_the_transform_is_the_pose(active):
    rig = active(network=Scripted(moving))
    poses = rig.collect(PoseStamped, POSE)
    transforms = rig.collect(TFMessage, '/tf')
    rig.feed([image_message(picture(), 1 + index) for index in range(3)], poses, transforms)

    for index, (pose, message) in enumerate(zip(poses, transforms, strict=True)):
        (transform,) = message.transforms
        assert (transform.header.frame_id, transform.child_frame_id) == ('map', 'camera')
        position, translation = pose.pose.position, transform.transform.translation
        assert (position.x, position.y, position.z) == (
            translation.x,
            translation.y,
            translation.z,
        )
        assert pose.pose.orientation == transform.transform.rotation
        # To the camera's right is the map's -y.
        assert position.y == pytest.approx(-index)
    rotation = transforms[0].transforms[0].transform.rotation
    assert [rotation.x, rotation.y, rotation.z, rotation.w] == pytest.approx(
        [-0.5, 0.5, -0.5, 0.5]
    )


def test_tf_mode_off_sends_no_transform(active):
    rig = active({'output.tf_mode': 'off'})
    poses = rig.collect(PoseStamped, POSE)
    transforms = rig.collect(TFMessage, '/tf')
    rig.publish(image_message(picture()))
    rig.wait(lambda: poses)

    rig.set('output.tf_mode', 'camera')
    rig.publish(image_message(picture(), 2.0))
    rig.wait(lambda: transforms)

    assert [message.transforms[0].header.stamp.sec for message in transforms] == [2]


def test_a_frame_without_a_name_gets_one_and_the_parameter_comes_first(active):
    rig = active()
    transforms = rig.collect(TFMessage, '/tf')
    rig.publish(image_message(picture(), 1.0, frame=''), image_message(picture(), 2.0, frame=''))
    rig.wait(lambda: len(transforms) == 2)
    assert rig.set('output.camera_frame', 'front_optical').successful
    rig.publish(image_message(picture(), 3.0, frame='camera'))
    rig.wait(lambda: len(transforms) == 3)

    names = [message.transforms[0].child_frame_id for message in transforms]
    assert names == ['camera_optical_frame', 'camera_optical_frame', 'front_optical']
    rig.wait_for_log('header.frame_id is empty')
    assert len([line for line in rig.log() if 'header.frame_id is empty' in line]) == 1


def test_every_loses_none_and_keeps_the_order(active):
    rig = active({f'qos_overrides.{POSE}.publisher.depth': 100})
    poses = rig.collect(PoseStamped, POSE)
    rig.publish(*[image_message(picture(), 1 + index / 30) for index in range(60)])
    rig.wait(lambda: len(poses) == 60)

    stamps = [(pose.header.stamp.sec, pose.header.stamp.nanosec) for pose in poses]
    assert stamps == sorted(stamps)
    assert rig.network.index == 60


def hold(rig):
    """Keep the network busy with a frame, stamped 1."""
    rig.network.hold = True
    rig.publish(image_message(picture(), 1.0))
    assert rig.network.in_hand.wait(10)


def release(rig):
    rig.network.hold = False
    rig.network.released.set()


def test_every_drops_the_newest_beyond_its_size_and_counts_it(active):
    rig = active({'input.queue_size': 2})
    poses = rig.collect(PoseStamped, POSE)
    hold(rig)
    for second in (2, 3, 4, 5):
        rig.publish(image_message(picture(), second))
        # One by one, since DDS too keeps no more than two.
        rig.wait(lambda second=second: rig.received() == second)
    release(rig)
    rig.wait(lambda: len(poses) == 3)
    rig.change('deactivate')

    assert [pose.header.stamp.sec for pose in poses] == [1, 2, 3]
    rig.wait_for_log('5 images received, 3 processed, 2 dropped (queue_full 2)')


def test_newest_takes_the_newest_and_counts_the_rest(active):
    rig = active({'input.queue': 'newest'})
    poses = rig.collect(PoseStamped, POSE)
    hold(rig)
    for second in (2, 3, 4):
        rig.publish(image_message(picture(), second))
        rig.wait(lambda second=second: rig.received() == second)
    release(rig)
    rig.wait(lambda: len(poses) == 2)
    rig.change('deactivate')

    assert [pose.header.stamp.sec for pose in poses] == [1, 4]
    rig.wait_for_log('4 images received, 2 processed, 2 dropped (superseded 2)')


def test_the_queue_can_be_changed_while_active(active):
    rig = active({'input.queue': 'newest', f'qos_overrides.{POSE}.publisher.depth': 100})
    poses = rig.collect(PoseStamped, POSE)
    assert rig.set('input.queue', 'every').successful
    rig.publish(*[image_message(picture(), 1 + index) for index in range(20)])

    rig.wait(lambda: len(poses) == 20)


def test_max_rate_thins_by_the_images_stamps(active):
    rig = active({'input.max_rate': 10.0, f'qos_overrides.{POSE}.publisher.depth': 100})
    poses = rig.collect(PoseStamped, POSE)
    rig.publish(*[image_message(picture(), 1 + index / 30) for index in range(30)])
    rig.wait(lambda: len(poses) == 10)
    rig.change('deactivate')

    rig.wait_for_log('30 images received, 10 processed, 20 dropped (max_rate 20)')


@pytest.mark.parametrize('stamped', [True, False])
def test_max_rate_thins_images_without_a_stamp_by_when_they_come(active, stamped):
    rate = 20.0
    rig = active({'input.max_rate': rate, f'qos_overrides.{POSE}.publisher.depth': 100})
    poses = rig.collect(PoseStamped, POSE)
    rig.feed([image_message(picture(), 5.0 if stamped else 0.0)], poses)
    began = time.monotonic()

    def goes_on():
        rig.publish(image_message(picture(), 0.0))
        return len(poses) >= 5

    rig.wait(goes_on, 'the images without a stamp')
    assert len(poses) - 1 <= (time.monotonic() - began) * rate + 1.2


def test_reset_begins_a_new_stream_between_frames(active):
    rig = active(network=Scripted(moving))
    poses = rig.collect(PoseStamped, POSE)
    rig.publish(image_message(picture(), 1.0), image_message(picture(), 2.0))
    rig.wait(lambda: len(poses) == 2)

    response = rig.call(Trigger, '/reconstruction/reset', Trigger.Request())
    assert response.success and 'new stream' in response.message
    # Earlier than the last by more than a second, yet no loop: the stream is new.
    rig.publish(image_message(picture(), 0.5))
    rig.wait(lambda: len(poses) == 3)

    assert [pose.pose.position.y for pose in poses] == pytest.approx([0, -1, 0])
    assert not any('went back' in line for line in rig.log())


def test_a_reset_that_fails_says_so(active):
    rig = active()

    def broken():
        raise RuntimeError('stuck')

    rig.network.reset = broken
    response = rig.call(Trigger, '/reconstruction/reset', Trigger.Request())

    assert not response.success
    assert 'stuck' in response.message


def test_stamps_that_go_back_begin_a_new_stream_unless_by_little(active):
    rig = active(network=Scripted(moving))
    poses = rig.collect(PoseStamped, POSE)
    stamps = [10.0, 11.0, 10.2, 12.0, 5.0, 5.5, 6.0]
    rig.feed([image_message(picture(), stamp) for stamp in stamps], poses)

    assert [pose.pose.position.y for pose in poses] == pytest.approx([0, -1, -2, -3, -4, 0, -1])
    rig.wait_for_log('went back by 7.0 s')


def test_images_without_stamps_are_no_loop(active):
    rig = active(network=Scripted(moving))
    poses = rig.collect(PoseStamped, POSE)
    rig.publish(image_message(picture(), 0.0), image_message(picture(), 0.0))
    rig.wait(lambda: len(poses) == 2)

    assert poses[1].pose.position.y == pytest.approx(-1)
    rig.wait_for_log('have the camera driver set header.stamp')
    assert len([line for line in rig.log() if 'header.stamp' in line]) == 1


def test_a_bag_that_begins_again_at_zero_is_a_loop_once_it_has_a_time(active):
    rig = active(network=Scripted(moving))
    poses = rig.collect(PoseStamped, POSE)
    rig.feed([image_message(picture(), stamp) for stamp in (0.0, 5, 10, 15, 0, 5, 8)], poses)

    assert [pose.pose.position.y for pose in poses] == pytest.approx([0, -1, -2, -3, -4, -5, 0])


def test_a_nanosecond_more_than_a_second_back_is_a_loop(active):
    rig = active(network=Scripted(moving))
    poses = rig.collect(PoseStamped, POSE)
    messages = [image_message(picture(), 1.0) for _ in range(4)]
    for message, (sec, nanosec) in zip(
        messages,
        [(1_700_000_302, 0), (1_700_000_301, 0), (1_700_000_299, 0), (1_700_000_299, 999_999_999)],
        strict=True,
    ):
        message.header.stamp.sec, message.header.stamp.nanosec = sec, nanosec
    rig.feed(messages, poses)

    assert [pose.pose.position.y for pose in poses] == pytest.approx([0, -1, -2, 0])


def test_a_change_of_the_images_size_begins_a_new_stream(active):
    rig = active(network=Scripted(moving))
    poses = rig.collect(PoseStamped, POSE)
    depths = rig.collect(Image, '/reconstruction/depth/image')
    heights = [42, 42, 28, 28]
    rig.publish(*[image_message(picture(height=high), 1 + at) for at, high in enumerate(heights)])
    rig.wait(lambda: len(poses) == len(depths) == 4)

    assert [pose.pose.position.y for pose in poses] == pytest.approx([0, -1, 0, -1])
    assert [depth.height for depth in depths] == heights


def test_compressed_images_come_in_on_the_remapped_name(active):
    rig = active(
        {'input.image_transport': 'compressed'},
        cli_args=['--ros-args', '-r', 'image:=/front/picture'],
    )
    poses = rig.collect(PoseStamped, POSE)
    stored = io.BytesIO()
    PillowImage.fromarray(picture()).save(stored, 'PNG')
    message = CompressedImage(header=header(), format='png', data=stored.getvalue())
    rig.publish(message, topic='/front/picture/compressed')

    rig.wait(lambda: poses)


def test_silence_is_reported_with_the_resolved_topic(active):
    rig = active(
        {'input.silence_timeout': 0.2}, cli_args=['--ros-args', '-r', 'image:=/front/picture']
    )

    rig.wait_for_log('no images on /front/picture for')


def test_the_node_says_now_and_then_how_it_does(active, monkeypatch):
    monkeypatch.setattr('xstreamvggt_ros.node.session.STATUS_PERIOD', 0.1)
    rig = active()
    hold(rig)
    rig.wait_for_log('busy with one image')
    release(rig)

    rig.wait_for_log('1 images received, 1 processed, 0 dropped; cache: 7 tokens of all layers in')


def test_the_input_s_qos_follows_the_queue_unless_it_is_overridden(active):
    name = 'qos_overrides./image.subscription.depth'
    rig = active({'input.queue': 'newest', 'qos_overrides./image.subscription.depth': 9})

    def profile():
        (image,) = [s for s in rig.node.subscriptions if s.topic_name == '/image']
        return image.qos_profile.reliability.name, image.qos_profile.depth

    assert profile() == ('RELIABLE', 9)
    rig.set('input.queue', 'every')
    assert profile() == ('RELIABLE', 9)
    rig.change('deactivate')
    rig.set(name, 0)
    rig.change('activate')
    assert profile() == ('RELIABLE', 64)


def test_the_durability_of_an_input_can_be_overridden(active):
    rig = active({'qos_overrides./camera_info.subscription.durability': 'transient_local'})

    durability = {s.topic_name: s.qos_profile.durability.name for s in rig.node.subscriptions}
    assert durability['/camera_info'] == 'TRANSIENT_LOCAL'
    assert durability['/image'] == 'VOLATILE'


def test_overrides_of_a_qos_that_nothing_reads_are_warned_of(active):
    known = 'qos_overrides./diagnostics.publisher.depth'
    rig = active(
        {
            known: 9,
            'qos_overrides./image.subscription.reliabilty': 'reliable',
            'qos_overrides./xyzzy.subscription.depth': 3,
        }
    )

    rig.wait_for_log('did you mean qos_overrides./image.subscription.reliability?')
    rig.wait_for_log('nothing reads qos_overrides./xyzzy.subscription.depth')
    assert not any(f'nothing reads {known}' in line for line in rig.log())
    (diagnostics,) = [p for p in rig.node.publishers if p.topic_name == '/diagnostics']
    assert diagnostics.qos_profile.depth == 9


@pytest.mark.parametrize(
    ('policy', 'wrong', 'words', 'right'),
    [
        ('reliability', 'relible', "'relible'; use one of: reliable, best_effort", 'best_effort'),
        ('depth', 'many', "'many'; use 1 to", 3),
        ('history', [1, 2], 'use one of: keep_last', 'keep_last'),
    ],
)
def test_a_publisher_s_override_that_cannot_be_is_named_and_can_be_mended(
    rig_of, policy, wrong, words, right
):
    name = f'qos_overrides./reconstruction/map.publisher.{policy}'
    rig = rig_of({name: wrong})
    before = len(list(rig.node.publishers))

    assert not rig.change('configure')
    rig.wait_for_log(f'cannot configure: {name} is ')
    assert any(words in line for line in rig.log()) and 'Traceback' not in ''.join(rig.log())
    assert len(list(rig.node.publishers)) == before
    assert not rig.set(name, wrong).successful
    assert rig.set(name, right).successful
    assert rig.change('configure')
    refused = rig.set(name, 'reliable' if policy == 'reliability' else 4)
    assert not refused.successful and 'only while the node is unconfigured' in refused.reason


def test_qos_can_be_overridden_and_the_transitions_repeated(active):
    name = 'qos_overrides./reconstruction/points.publisher.depth'
    rig = active({name: 7})
    rig.change('deactivate', 'cleanup', 'configure', 'activate')

    (points,) = [p for p in rig.node.publishers if p.topic_name == POINTS]
    assert points.qos_profile.depth == 7
    assert rig.node.get_parameter(name).value == 7


def test_frames_that_overlap_come_out_in_order_with_their_own_stamps(active, monkeypatch):
    """As on a device that works by itself: the next image is begun before this one is sent."""
    monkeypatch.setattr(ReconstructionPipeline, 'overlaps', True)
    rig = active({'input.queue': 'every'})
    depths, clouds = (
        rig.collect(Image, '/reconstruction/depth/image'),
        rig.collect(PointCloud2, POINTS),
    )
    messages = [image_message(picture(seed), 1 + seed) for seed in range(8)]

    rig.publish(*messages)
    rig.wait(lambda: len(depths) == len(clouds) == 8)

    for outputs in (depths, clouds):
        assert [each.header.stamp for each in outputs] == [each.header.stamp for each in messages]
    rig.wait(lambda: rig.counts().processed == 8)
