# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""With the truth in the network's place, what is published must lie on the scene's own planes."""

from dataclasses import dataclass

from networks import Scripted
import numpy as np
import pytest
from ros_rig import image_message
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from tf2_msgs.msg import TFMessage
import torch

from xstreamvggt_ros.geometry import unproject, world_from_camera_points
from xstreamvggt_ros.messages import read_points
from xstreamvggt_ros.stream import Frame
from xstreamvggt_ros.synthetic import make_scene, render, SequenceConfig

pytestmark = pytest.mark.ros
MILLIMETRE = 1e-3
FRAMES = 6
HEIGHT, WIDTH = 112, 140
# As after a crop that took more from the left than from the right, with pixels not square.
INTRINSICS = torch.tensor([[110.0, 0, 50], [0, 125.0, 66], [0, 0, 1]], dtype=torch.float64)
# REP 103: the first view's forward is the map's x, its right -y, its down -z.
MAP_FROM_FIRST = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])


@dataclass(frozen=True, eq=False)
class Truth:
    """A rendered sequence: double precision, world z up, planes of it (normal, offset)."""

    images: np.ndarray
    depth: torch.Tensor
    intrinsics: torch.Tensor
    camera_from_world: torch.Tensor
    planes: list

    def camera_from_first(self, index):
        """Give the (4, 4) pose relative to the first camera."""
        return square(self.camera_from_world[index]) @ torch.linalg.inv(
            square(self.camera_from_world[0])
        )

    def nearest_plane(self, index):
        """Give every pixel's plane, by index, -1 where it shows something else."""
        points = world_from_camera_points(
            unproject(self.depth[index], self.intrinsics), self.camera_from_world[index]
        )
        distances = torch.stack(
            [
                (points @ torch.tensor(normal, dtype=torch.float64) - offset).abs()
                for normal, offset in self.planes
            ]
        )
        nearest = distances.min(dim=0)
        return torch.where(nearest.values < 0.1 * MILLIMETRE, nearest.indices, -1).numpy()

    def planes_in_map(self):
        """Carry the planes into the map frame, which the first camera defines."""
        first = square(self.camera_from_world[0]).numpy()
        rotation = MAP_FROM_FIRST @ first[:3, :3]
        translation = MAP_FROM_FIRST @ first[:3, 3]
        normals = [rotation @ np.array(normal) for normal, _ in self.planes]
        return [
            (normal, offset + normal @ translation)
            for normal, (_, offset) in zip(normals, self.planes, strict=True)
        ]


def square(matrix):
    return torch.cat([matrix, matrix.new_tensor([[0, 0, 0, 1]])])


def handheld(index):
    """Give the pose (3, 4) of a camera that walks, turns and rolls, towards a room's corner."""
    yaw, pitch, roll = np.radians([35 + 4 * index, 12 - 2 * index, 3 * index])
    forward = np.array([np.cos(yaw) * np.cos(pitch), np.sin(yaw) * np.cos(pitch), np.sin(pitch)])
    right = np.cross(forward, [0, 0, 1])
    right /= np.linalg.norm(right)
    upright = np.stack([right, np.cross(forward, right), forward])
    rotation = Rotation.from_euler('z', roll).as_matrix() @ upright
    position = np.array([0.1 * index, -0.06 * index, 1.9 - 0.03 * index])
    return torch.from_numpy(np.column_stack([rotation, -rotation @ position]))


@pytest.fixture(scope='module')
def truth():
    scene = make_scene(SequenceConfig(scene='room', clutter=0.0, shadows=False))
    # In single precision, as the renderer takes them.
    poses = torch.stack([handheld(index) for index in range(FRAMES)]).float()
    images, depth = render(scene, poses, INTRINSICS, HEIGHT, WIDTH)
    return Truth(
        images=images.numpy(),
        depth=depth.double(),
        intrinsics=INTRINSICS,
        camera_from_world=poses.double(),
        planes=[(plane.normal, plane.offset) for plane in scene.planes],
    )


def oracle(truth, pose=lambda camera_from_first: camera_from_first):
    """Answer with the truth, by the number of the frame; `pose` may spoil it."""

    def answer(index, image):
        camera_from_world = pose(truth.camera_from_first(index))[:3].float()
        depth = truth.depth[index].float()
        points = unproject(depth, truth.intrinsics.float())
        return Frame(
            pose_encoding=torch.zeros(9),
            depth=depth,
            depth_confidence=torch.ones(HEIGHT, WIDTH),
            points=world_from_camera_points(points, camera_from_world),
            points_confidence=torch.ones(HEIGHT, WIDTH),
            camera_from_world=camera_from_world,
            intrinsics=truth.intrinsics.float(),
        )

    return Scripted(answer)


@dataclass(frozen=True, eq=False)
class Published:
    clouds: list
    depths: list
    infos: list
    transforms: list


def run(active, truth, network, **parameters):
    rig = active(
        {'model.image_size': WIDTH, 'output.confidence_percentile': 0.0, **parameters},
        network=network,
    )
    published = Published(
        rig.collect(PointCloud2, '/reconstruction/points'),
        rig.collect(Image, '/reconstruction/depth/image'),
        rig.collect(CameraInfo, '/reconstruction/depth/camera_info'),
        rig.collect(TFMessage, '/tf'),
    )
    messages = [image_message(image, 1 + at) for at, image in enumerate(truth.images)]
    rig.feed(messages, *vars(published).values())
    return published


def worst_distance_to_planes(truth, published):
    """Give the largest distance of a point from the plane that its pixel shows, in metres."""
    planes, worst, seen = truth.planes_in_map(), 0.0, set()
    for index, message in enumerate(published.clouds):
        points = read_points(message).points.reshape(HEIGHT, WIDTH, 3).astype(np.float64)
        shown = truth.nearest_plane(index)
        assert (shown >= 0).mean() > 0.3, 'too few pixels show a plane'
        for plane in set(shown[shown >= 0]):
            normal, offset = planes[plane]
            worst = max(worst, np.abs(points[shown == plane] @ normal - offset).max())
            seen.add(plane)
    assert len(seen) >= 3, 'too few planes to tell where the camera is'
    return worst


def test_the_camera_moves_and_turns_and_its_centre_is_off(truth):
    last = truth.camera_from_first(FRAMES - 1).numpy()

    assert np.linalg.norm(last[:3, 3]) > 0.2
    assert Rotation.from_matrix(last[:3, :3]).magnitude() > np.radians(5)
    assert abs(float(truth.intrinsics[0, 2]) - WIDTH / 2) > 10


@pytest.mark.parametrize('source', ['depth', 'pointmap'])
def test_the_cloud_lies_on_the_planes_of_the_scene(active, truth, source):
    published = run(active, truth, oracle(truth), **{'output.point_source': source})

    assert worst_distance_to_planes(truth, published) < MILLIMETRE


@pytest.mark.parametrize(
    'spoil',
    [
        torch.linalg.inv,
        lambda pose: torch.eye(4, dtype=pose.dtype),
        lambda pose: torch.block_diag(pose[:3, :3].T, pose.new_ones(1, 1)),
    ],
    ids=['inverted', 'never moved', 'turned the other way'],
)
def test_a_wrong_pose_does_not(active, truth, spoil):
    published = run(active, truth, oracle(truth, spoil))

    assert worst_distance_to_planes(truth, published) > 10 * MILLIMETRE


def test_depth_camera_info_and_tf_give_the_cloud(active, truth):
    published = run(active, truth, oracle(truth), **{'output.scale': 1.7})

    for index in range(FRAMES):
        depth = np.frombuffer(published.depths[index].data, '<f4').reshape(HEIGHT, WIDTH)
        fx, _, cx, _, fy, cy, *_ = published.infos[index].k
        u, v = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
        in_camera = np.stack([(u - cx) / fx * depth, (v - cy) / fy * depth, depth], axis=-1)
        (transform,) = published.transforms[index].transforms
        rotation, translation = transform.transform.rotation, transform.transform.translation
        turn = Rotation.from_quat([rotation.x, rotation.y, rotation.z, rotation.w])
        in_map = turn.apply(in_camera.reshape(-1, 3)) + [
            translation.x,
            translation.y,
            translation.z,
        ]
        cloud = read_points(published.clouds[index]).points
        np.testing.assert_allclose(cloud, in_map, atol=0.1 * MILLIMETRE)
        np.testing.assert_allclose(depth, 1.7 * truth.depth[index], rtol=1e-6)


def test_the_first_view_looks_along_x_with_z_up(active, truth):
    published = run(active, truth, oracle(truth))

    (transform,) = published.transforms[0].transforms
    rotation = transform.transform.rotation
    turn = Rotation.from_quat([rotation.x, rotation.y, rotation.z, rotation.w])
    np.testing.assert_allclose(turn.apply([0, 0, 1]), [1, 0, 0], atol=1e-9)
    np.testing.assert_allclose(turn.apply([0, -1, 0]), [0, 0, 1], atol=1e-9)
    points = read_points(published.clouds[0]).points.reshape(HEIGHT, WIDTH, 3)
    np.testing.assert_allclose(points[..., 0], truth.depth[0], atol=0.1 * MILLIMETRE)
    assert points[0, 0, 1] > points[0, -1, 1]  # y is left
    assert points[0, 0, 2] > points[-1, 0, 2]  # z is up
