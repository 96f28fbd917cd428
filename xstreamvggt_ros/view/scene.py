# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The three-dimensional part of the page, in the map's frame."""

from __future__ import annotations

from collections import deque

import numpy as np
from scipy.spatial.transform import Rotation
import viser

from xstreamvggt_ros.view.blocks import Blocks, finite, thinned
from xstreamvggt_ros.view.contents import Lines, Looker, Points, Pose
from xstreamvggt_ros.view.pictures import thumbnail
from xstreamvggt_ros.view.settings import Bounds, Chosen, LAYERS

PATH_COLOUR, CAMERA_COLOUR, OLD_COLOUR = (230, 60, 60), (255, 160, 0), (120, 120, 120)
# Of the distance that the newest cloud is seen at: a camera's size, and how far apart they stand.
CAMERA_SHARE, SPACING_SHARE, LINE_SHARE = 0.12, 0.15, 0.004
QUALITY = 75


class ViewScene:
    """Draws what is new of the contents; every name in the scene is one of a bounded number."""

    def __init__(self, api: viser.SceneApi, bounds: Bounds) -> None:
        """Draw into a scene."""
        self._api, self._bounds = api, bounds
        self._api.set_up_direction('+z')
        self._layers = {name: api.add_frame(f'/{name}', show_axes=False) for name in LAYERS}
        self._clouds: dict[str, viser.PointCloudHandle] = {}
        self._frusta: deque[tuple[np.ndarray, viser.CameraFrustumHandle]] = deque()
        self._transforms: set[str] = set()
        self._newest: viser.CameraFrustumHandle | None = None
        self._path: viser.LineSegmentsHandle | None = None
        self._closures: viser.LineSegmentsHandle | None = None
        self._chosen = Chosen()
        self._pose: Pose | None = None
        self._begun = False
        self._distance = 1.0
        self.forget()

    @property
    def distance(self) -> float:
        """How far away the camera sees what it sees."""
        return self._distance

    def choose(self, chosen: Chosen) -> None:
        """Follow the controls."""
        before, self._chosen = self._chosen, chosen
        for name, layer in self._layers.items():
            layer.visible = name in chosen.shown
        for cloud in self._clouds.values():
            cloud.point_size = chosen.point_size
        if chosen.least_confidence != before.least_confidence:
            for slot, cloud in enumerate(self._recent):
                self._draw_frame(slot, cloud)

    def forget(self) -> None:
        """Clear everything: another stream has nothing to do with what was before."""
        self._blocks = Blocks(self._bounds.map_points)
        self._recent: list[Points] = []
        self._count = 0
        for cloud in self._clouds.values():
            cloud.remove()
        for _, frustum in self._frusta:
            frustum.remove()
        self._clouds.clear()
        self._frusta.clear()
        self._free = [f'/cameras/{index}' for index in range(self._bounds.frusta + 1)]
        self._spacing = 0.0
        self._remove_path()

    def draw(self, look: Looker) -> None:
        """Bring the scene up to date."""
        if look.new('stream') is not None:
            # Whatever its number: a node that was started again counts from the first.
            if self._begun:
                self.forget()
            self._begun = True
        if (pose := look.new('pose')) is not None:
            self._pose = pose
        if (cloud := look.new('points')) is not None:
            self._take_frame(cloud)
        if (cloud := look.new('map')) is not None:
            self._draw_map(cloud)
        if (path := look.new('path')) is not None:
            self._draw_path(path)
        if (frames := look.new('transforms')) is not None:
            self._draw_transforms(frames)
        if (lines := look.new('closures')) is not None:
            self._draw_closures(lines)

    def draw_camera(self, pose: Pose, lens, picture: np.ndarray | None) -> None:
        """Draw where the camera is and what it sees, and now and then leave one behind."""
        if picture is not None:
            picture = thumbnail(picture, self._bounds.picture_side)
        size = CAMERA_SHARE * self._distance
        if self._newest is not None:
            self._newest.remove()
        self._newest = self._frustum('/cameras/newest', pose, lens, picture, size, CAMERA_COLOUR)
        far = [np.linalg.norm(pose.position - place) for place, _ in self._frusta]
        if not far or min(far) > max(self._spacing, SPACING_SHARE * self._distance):
            name = self._free.pop()
            old = self._frustum(name, pose, lens, picture, 0.6 * size, OLD_COLOUR)
            self._frusta.append((pose.position, old))
            if len(self._frusta) > self._bounds.frusta:
                self._spread_frusta()

    def _frustum(self, name, pose, lens, picture, size, colour) -> viser.CameraFrustumHandle:
        return self._api.add_camera_frustum(
            name,
            fov=lens.fov,
            aspect=lens.aspect,
            scale=size,
            thickness=0.02 * size,
            color=colour,
            image=picture,
            format='jpeg',
            jpeg_quality=QUALITY,
            wxyz=wxyz(pose),
            position=pose.position,
            cast_shadow=False,
            receive_shadow=False,
        )

    def _spread_frusta(self) -> None:
        """Take every other camera away, and leave fewer behind from now on."""
        kept = deque()
        for index, (place, frustum) in enumerate(self._frusta):
            if index % 2:
                self._free.append(frustum.name)
                frustum.remove()
            else:
                kept.append((place, frustum))
        self._frusta = kept
        self._spacing = 2 * max(self._spacing, SPACING_SHARE * self._distance)

    def _take_frame(self, cloud: Points) -> None:
        cloud = thinned(cloud, self._bounds.frame_points)
        slot = self._count % self._bounds.frames
        self._count += 1
        self._recent[slot : slot + 1] = [cloud]
        if self._pose is not None and len(cloud.points):
            away = np.linalg.norm(cloud.points - self._pose.position, axis=1)
            self._distance = max(float(np.median(away)), 1e-3)
        self._draw_frame(slot, cloud)

    def _draw_frame(self, slot: int, cloud: Points) -> None:
        self._draw_cloud(f'/frames/{slot}', finite(cloud, self._chosen.least_confidence))

    def _draw_map(self, cloud: Points) -> None:
        changed, empty = self._blocks.changed(cloud)
        for block in changed:
            self._draw_cloud(f'/map/{block.slot}', block.points)
        for slot in empty:
            if (old := self._clouds.pop(f'/map/{slot}', None)) is not None:
                old.remove()

    def _draw_cloud(self, name: str, cloud: Points) -> None:
        # About its middle, where half precision is finest.
        middle = cloud.points.mean(axis=0) if len(cloud.points) else np.zeros(3, np.float32)
        self._clouds[name] = self._api.add_point_cloud(
            name,
            points=cloud.points - middle,
            colors=cloud.rgb,
            point_size=self._chosen.point_size,
            point_shape='circle',
            point_shading='flat',
            position=middle,
        )

    def _remove_path(self) -> None:
        if self._path is not None:
            self._path.remove()
            self._path = None

    def _draw_path(self, path: np.ndarray) -> None:
        if len(path) < 2:
            self._remove_path()
            return
        self._path = self._api.add_line_segments(
            '/path/line',
            points=np.stack([path[:-1], path[1:]], axis=1),
            colors=PATH_COLOUR,
            thickness=LINE_SHARE * self._distance,
        )

    def _draw_closures(self, lines: Lines) -> None:
        if self._closures is not None:
            self._closures.remove()
            self._closures = None
        if len(lines.points):
            self._closures = self._api.add_line_segments(
                '/loop closures/lines',
                points=lines.points,
                colors=lines.rgb,
                thickness=LINE_SHARE * self._distance,
            )

    def _draw_transforms(self, frames: dict[str, Pose]) -> None:
        size = 0.5 * CAMERA_SHARE * self._distance
        for name, pose in frames.items():
            # A slash would make another layer of it.
            slot = name.replace('/', '|')
            self._transforms.add(slot)
            self._api.add_frame(
                f'/transforms/{slot}',
                axes_length=size,
                axes_radius=0.04 * size,
                wxyz=wxyz(pose),
                position=pose.position,
            )
        for gone in self._transforms - {name.replace('/', '|') for name in frames}:
            self._transforms.discard(gone)
            self._api.remove_by_name(f'/transforms/{gone}')


def wxyz(pose: Pose) -> np.ndarray:
    """Give a pose's quaternion with the scalar first."""
    return np.roll(pose.quaternion, 1)


def behind(pose: Pose, distance: float) -> tuple[np.ndarray, np.ndarray]:
    """Return where to stand to look over a camera's shoulder, and what to look at."""
    turn = Rotation.from_quat(pose.quaternion)
    forward, up = turn.apply([0.0, 0.0, 1.0]), turn.apply([0.0, -1.0, 0.0])
    return pose.position - 0.5 * distance * forward + 0.2 * distance * up, (
        pose.position + distance * forward
    )
