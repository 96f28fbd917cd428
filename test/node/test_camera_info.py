# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A calibrated camera over DDS."""

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
import numpy as np
import pytest
from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from ros_rig import header, image_message, IMAGE_SIZE, picture
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, RegionOfInterest

from xstreamvggt_ros.images.camera_model import CameraModel
from xstreamvggt_ros.images.undistortion import Undistortion
from xstreamvggt_ros.messages import read_points
from xstreamvggt_ros.node.camera_info import CameraInfoInput

pytestmark = pytest.mark.ros
HEIGHT, WIDTH = 84, 112
INFO, DEPTH = '/reconstruction/depth/camera_info', '/reconstruction/depth/image'
# The stand-in for the network predicts a focal length of its image's width.
PREDICTED = [IMAGE_SIZE, 0, IMAGE_SIZE / 2, 0, IMAGE_SIZE, 21, 0, 0, 1]
# Half of (90, 80, 50, 40), the centres being those of pixels.
SCALED = [45, 0, (50.5 / 2) - 0.5, 0, 40, (40.5 / 2) - 0.5, 0, 0, 1]
# What image_proc makes of it, and half of that.
P = [70.0, 0, 52, -7, 0, 65, 41, 0, 0, 0, 1, 0]
SCALED_P = [35, 0, (52.5 / 2) - 0.5, 0, 32.5, (41.5 / 2) - 0.5, 0, 0, 1]
PINCUSHION = (0.6, 0, 0, 0, 0)


def calibration(k=(90.0, 0, 50, 0, 80, 40, 0, 0, 1), d=(), model='plumb_bob', width=WIDTH, **more):
    return CameraInfo(
        header=header(), height=HEIGHT, width=width, k=k, d=d, distortion_model=model, **more
    )


class Stamps:
    """Sends images, each later than the one before."""

    def __init__(self, rig):
        self._rig, self._stamp = rig, 1.0

    def until(self, condition, what, topic='/image'):
        """Send images until the condition holds: camera_info comes when it comes."""
        end = self._stamp + 200
        infos = self._rig.infos
        while not condition():
            assert self._stamp < end, f'{what}; log: {self._rig.log()}'
            self._stamp += 1
            self._rig.feed(
                [image_message(picture(height=HEIGHT, width=WIDTH), self._stamp)],
                infos,
                topic=topic,
            )


@pytest.fixture
def calibrated(active):
    """Make a rig that collects camera models, and a sender of images to it."""

    def make(*arguments, **options):
        rig = active(*arguments, **options)
        rig.infos = rig.collect(CameraInfo, INFO)
        return rig, Stamps(rig)

    return make


def test_an_image_in_hand_may_ask_when_nobody_listens_any_more(calibrated):
    rig, _ = calibrated()
    infos = CameraInfoInput(
        rig.node, lambda: rig.node._configuration.input, '/other/camera_info', '/other/image'
    )
    infos.destroy()

    assert infos.camera(HEIGHT, WIDTH) is None
    rig.wait_for_log('until a camera_info comes on /other/camera_info')


def newest_is(rig, k):
    return lambda: rig.infos and np.allclose(rig.infos[-1].k, k)


def test_camera_info_replaces_the_predicted_intrinsics_scaled_with_the_image(calibrated):
    rig, images = calibrated({'output.confidence_percentile': 0.0})
    clouds = rig.collect(PointCloud2, '/reconstruction/points')
    images.until(newest_is(rig, PREDICTED), 'predicted before any camera_info')
    rig.wait_for_log('intrinsics are predicted until a camera_info comes on /camera_info')

    rig.publish(calibration(), topic='/camera_info')
    images.until(newest_is(rig, SCALED), "the camera's own intrinsics")

    rig.wait_for_log('intrinsics and distortion are those of /camera_info')
    stamp = rig.infos[-1].header.stamp
    cloud = rig.wait(lambda: [c for c in clouds if c.header.stamp == stamp], 'its cloud')[0]
    points = read_points(cloud).points.reshape(42, IMAGE_SIZE, 3)
    # The wall stands 2 m ahead; the map's -y is right and -z down.
    np.testing.assert_allclose(-points[0, 7, 1], (7 - SCALED[2]) / SCALED[0] * 2, atol=1e-5)
    np.testing.assert_allclose(-points[9, 0, 2], (9 - SCALED[5]) / SCALED[4] * 2, atol=1e-5)


def depth_of_the_newest(rig, depths):
    stamp = rig.infos[-1].header.stamp
    depth = rig.wait(lambda: [d for d in depths if d.header.stamp == stamp], 'its depth')[0]
    return np.frombuffer(depth.data, '<f4').reshape(42, IMAGE_SIZE)


def test_a_lens_that_distorts_leaves_depth_without_what_it_did_not_see(calibrated):
    rig, images = calibrated()
    depths = rig.collect(Image, DEPTH)
    # Its undistorted corners lie outside the image.
    rig.publish(calibration(d=PINCUSHION), topic='/camera_info')
    images.until(newest_is(rig, SCALED), "the camera's own intrinsics")

    depth = depth_of_the_newest(rig, depths)
    assert np.isnan(depth[[0, 0, -1, -1], [0, -1, 0, -1]]).all()
    assert (depth[15:25, 20:35] == 2).all()


def test_rectified_images_are_those_of_p_and_not_undistorted_again(calibrated):
    rig, images = calibrated({'input.image_topics': ['/cam/image_rect']})
    depths = rig.collect(Image, DEPTH)
    rig.publish(calibration(d=PINCUSHION, p=P), topic='/cam/camera_info')
    images.until(newest_is(rig, SCALED_P), 'the intrinsics P', '/cam/image_rect')

    assert not np.isnan(depth_of_the_newest(rig, depths)).any()
    rig.wait_for_log('the intrinsics P of /cam/camera_info, for rectified images')

    assert rig.set('input.rectified', 'never').successful
    images.until(newest_is(rig, SCALED), 'the intrinsics K', '/cam/image_rect')
    assert np.isnan(depth_of_the_newest(rig, depths)).any()


def test_a_region_and_binning_apply_to_p_as_to_k():
    region = {'roi': RegionOfInterest(x_offset=12, y_offset=8), 'binning_x': 2, 'binning_y': 2}
    by_p = CameraModel.of_message(calibration(d=PINCUSHION, p=P, **region), rectified=True)
    by_k = CameraModel.of_message(
        calibration(k=(70.0, 0, 52, 0, 65, 41, 0, 0, 1), **region), rectified=False
    )

    np.testing.assert_array_equal(by_p.intrinsics, by_k.intrinsics)
    assert not by_p.distorts


def test_rectified_images_without_p_are_those_of_k_all_the_same_without_distortion():
    camera = CameraModel.of_message(calibration(d=PINCUSHION), rectified=True)

    assert camera.intrinsics[0, 0] == 90
    assert not camera.distorts


def test_a_static_camera_info_from_before_the_node_can_be_had(rig_of):
    name = 'qos_overrides./camera_info.subscription'
    rig = rig_of({f'{name}.durability': 'transient_local', f'{name}.reliability': 'reliable'})
    latched = QoSProfile(depth=1, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
    rig.peer.create_publisher(CameraInfo, '/camera_info', latched).publish(calibration())
    assert rig.change('configure', 'activate'), rig.log()
    rig.infos = rig.collect(CameraInfo, INFO)

    Stamps(rig).until(newest_is(rig, SCALED), "the camera's own intrinsics")


def test_the_parameter_is_live_and_diagnostics_compare(calibrated):
    rig, images = calibrated()
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    rig.publish(calibration(), topic='/camera_info')
    images.until(newest_is(rig, SCALED), "the camera's own intrinsics")

    def values():
        return {pair.key: pair.value for pair in diagnostics[-1].status[0].values}

    rig.wait(lambda: diagnostics and values()['intrinsics'] == 'camera_info', 'diagnostics')
    assert values()['focal_length_predicted_px'] == '56.0'
    assert values()['focal_length_camera_info_px'] == '45.0'
    assert values()['focal_length_predicted_off_percent'] == '+24.4'

    assert rig.set('input.use_camera_info', False).successful
    images.until(newest_is(rig, PREDICTED), 'predicted ones when told so')
    rig.wait(lambda: values()['intrinsics'] == 'predicted', 'diagnostics')


@pytest.mark.parametrize(
    ('info', 'words'),
    [
        (calibration(k=[0.0] * 9), 'not calibrated'),
        (calibration(model='kannala'), "distortion_model is 'kannala'"),
        (calibration(width=640), 'publish the camera_info of this image'),
        (
            calibration(k=(1.0, 0, 0.5, 0, 1, 0.5, 0, 0, 1)),
            'fx = 1, fy = 1 for an image of 112x84',
        ),
        (calibration(k=[0.0] * 9, p=P), 'set input.rectified to always'),
        (
            calibration(roi=RegionOfInterest(x_offset=4_000_000_000)),
            'camera_info.roi is 0x0 pixels at (4000000000, 0)',
        ),
        (calibration(d=(-1000.0, 0, 0, 0, 0)), 'camera_info.d is (-1000.0, 0.0, 0.0, 0.0, 0.0)'),
    ],
    ids=[
        'not calibrated',
        'unknown model',
        'another size',
        'no pixels',
        'only rectified',
        'region',
        'no lens',
    ],
)
def test_a_camera_info_that_cannot_be_used_is_a_warning_and_no_loss(calibrated, info, words):
    rig, images = calibrated()
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    rig.publish(info, topic='/camera_info')

    images.until(lambda: any(words in line for line in rig.log(level=30)), words)
    rig.wait(lambda: diagnostics and words in diagnostics[-1].status[0].message, words)
    assert diagnostics[-1].status[0].level == DiagnosticStatus.WARN

    assert all(np.allclose(info.k, PREDICTED) for info in rig.infos)
    assert rig.network.index == len(rig.infos)


@pytest.mark.parametrize(
    ('parameters', 'remapped', 'expected'),
    [
        ({}, ['image:=/front/picture'], '/front/camera_info'),
        ({'input.image_topics': ['/left/image_raw']}, [], '/left/camera_info'),
        ({}, ['image:=/a/image', 'camera_info:=/b/info'], '/b/info'),
        (
            {'input.image_transport': 'compressed'},
            ['image:=/front/picture'],
            '/front/camera_info',
        ),
    ],
)
def test_it_is_looked_for_beside_the_image_unless_remapped(active, parameters, remapped, expected):
    arguments = [word for rule in remapped for word in ('-r', rule)]
    rig = active(parameters, cli_args=['--ros-args', *arguments] if remapped else None)

    assert rig.node.count_subscribers(expected) == 1


def test_the_picture_is_the_one_that_depth_and_its_camera_info_belong_to(calibrated):
    rig, images = calibrated()
    pictures = rig.collect(Image, '/reconstruction/image')
    depths = rig.collect(Image, DEPTH)
    rig.publish(calibration(d=PINCUSHION), topic='/camera_info')
    images.until(newest_is(rig, SCALED), "the camera's own intrinsics")
    rig.wait(lambda: len(pictures) == len(depths) == len(rig.infos))

    image, depth, info = pictures[-1], depths[-1], rig.infos[-1]
    assert image.encoding == 'rgb8' and image.header == depth.header == info.header
    assert (image.height, image.width) == (depth.height, depth.width) == (info.height, info.width)
    assert image.step == 3 * image.width and len(image.data) == image.step * image.height
    # Undistorted, as the corners that come from nothing are black.
    pixels = np.frombuffer(image.data, np.uint8).reshape(image.height, image.width, 3)
    missing = np.isnan(np.frombuffer(depth.data, '<f4').reshape(depth.height, depth.width))
    assert missing.any() and pixels[missing].mean() < pixels[~missing].mean()


def test_depth_may_have_the_size_of_the_cameras_picture(calibrated):
    rig, images = calibrated({'output.depth_size': 'camera'})
    found = {
        name: rig.collect(Image, f'/reconstruction/{name}')
        for name in ('image', 'depth/image', 'confidence')
    }
    # Half a network pixel is one of the camera's: (0 + 0.5) * 2 - 0.5, as far from the middle.
    images.until(newest_is(rig, [112, 0, 56.5, 0, 112, 42.5, 0, 0, 1]), 'predicted intrinsics')
    rig.publish(calibration(d=PINCUSHION), topic='/camera_info')
    images.until(newest_is(rig, calibration().k), "the camera's own intrinsics")
    rig.wait(lambda: all(len(each) == len(rig.infos) for each in found.values()), 'the rest')

    info, image, depth, confidence = rig.infos[-1], *(each[-1] for each in found.values())
    assert image.header == depth.header == confidence.header == info.header
    sizes = {(each.height, each.width) for each in (info, image, depth, confidence)}
    assert sizes == {(HEIGHT, WIDTH)} and not any(info.d)
    camera = CameraModel.of_message(calibration(d=PINCUSHION), rectified=False)
    sent = picture(height=HEIGHT, width=WIDTH)
    expected, missing = Undistortion.of(camera, HEIGHT, WIDTH).apply(sent)
    pixels = np.frombuffer(image.data, np.uint8).reshape(HEIGHT, WIDTH, 3)
    np.testing.assert_array_equal(pixels, expected)
    metres = np.frombuffer(depth.data, '<f4').reshape(HEIGHT, WIDTH)
    assert missing.any() and np.isnan(metres[missing]).all()
    assert (metres[~np.isnan(metres)] == 2).all() and (metres[30:50, 40:70] == 2).all()

    assert rig.set('output.depth_size', 'network').successful
    images.until(newest_is(rig, SCALED), "the network's size")
    newest = rig.wait(lambda: [d for d in found['depth/image'] if d.height == 42], 'its depth')
    assert newest[-1].width == IMAGE_SIZE


def test_what_a_tall_picture_shows_beyond_the_networks_is_not_known(active):
    rig = active({'output.depth_size': 'camera'})
    depths = rig.collect(Image, DEPTH)
    rig.feed([image_message(picture(height=160, width=112))], depths)

    metres = np.frombuffer(depths[0].data, '<f4').reshape(160, 112)
    # Of 84 rows the network sees the middle 56: those from 26.7 to 133.3 of 160.
    seen = np.zeros((160, 112), bool)
    seen[27:133] = True
    np.testing.assert_array_equal(np.isfinite(metres), seen)
    assert (metres[seen] == 2).all()
