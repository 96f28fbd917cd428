# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One way into every layout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from pathlib import Path

from xstreamvggt_ros.files.bags import find_bag, ros_1_hint
from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.inputs import (
    camera,
    images,
    kitti,
    neural_rgbd,
    nyu,
    rosbag,
    scannet,
    seven_scenes,
    sintel,
    synthetic,
    tum,
    video,
)
from xstreamvggt_ros.inputs.sequence import ImageSequence


@dataclass(frozen=True)
class Layout:
    """How to recognise a layout and how to open it; the keywords of `open` are its options."""

    recognise: Callable[[Path], bool]
    open: Callable[..., ImageSequence]

    def options(self) -> tuple[str, ...]:
        """Name the options."""
        return tuple(self.defaults())

    def defaults(self) -> dict[str, object]:
        """Give the options' values where none are given, whose types are those of all values."""
        parameters = list(signature(self.open).parameters.values())[1:]
        return {each.name: each.default for each in parameters}


# In this order they are tried.
LAYOUTS = {
    seven_scenes.LAYOUT: Layout(seven_scenes.is_layout, seven_scenes.open_folder),
    neural_rgbd.LAYOUT: Layout(neural_rgbd.is_layout, neural_rgbd.open_folder),
    tum.BONN: Layout(tum.is_bonn, tum.open_bonn),
    tum.TUM: Layout(tum.is_layout, tum.open_tum),
    scannet.LAYOUT: Layout(scannet.is_layout, scannet.open_folder),
    sintel.LAYOUT: Layout(sintel.is_layout, sintel.open_folder),
    kitti.SELECTION: Layout(kitti.is_selection, kitti.open_selection),
    kitti.RAW: Layout(kitti.is_raw, kitti.open_raw),
    nyu.LABELLED: Layout(nyu.is_labelled, nyu.open_labelled),
    nyu.EXPORTED: Layout(nyu.is_exported, nyu.open_exported),
    rosbag.LAYOUT: Layout(lambda path: find_bag(path) is not None, rosbag.open_rosbag),
    images.LAYOUT: Layout(images.is_layout, images.open_folder),
    video.LAYOUT: Layout(video.is_layout, video.open_video),
}
AUTO = 'auto'


def open_sequence(path: str | Path, layout: str = AUTO, **options) -> ImageSequence:
    """
    Open a data set's folder, a rosbag, images, a video, `synthetic:<seed>` or `camera:<index>`.

    layout: one of LAYOUTS, or found out. options: as the layout's own function has them. Raises
    InputError naming what is wrong with the path, the layout or an option.
    """
    if _is_synthetic(path):
        if layout not in (AUTO, synthetic.LAYOUT):
            raise InputError(f'{path} is {synthetic.LAYOUT}, not {layout!r}')
        chosen = Layout(lambda _: False, synthetic.open_synthetic)
        return _open(chosen, synthetic.LAYOUT, str(path), options)
    if camera.is_camera(path):
        chosen = Layout(lambda _: False, camera.open_camera)
        return _open(chosen, camera.LAYOUT, str(path), options)
    path = _existing(path)
    if layout == AUTO:
        layout = layout_of(path)
    if layout not in LAYOUTS:
        raise InputError(f'layout is {layout!r}; use one of: {AUTO}, {", ".join(LAYOUTS)}')
    # Absolute, so that names come out of `.` too.
    return _open(LAYOUTS[layout], layout, path.absolute(), options)


def layout_of(path: str | Path) -> str:
    """Find out the layout of what is there, as `open_sequence` does; InputError."""
    if _is_synthetic(path):
        return synthetic.LAYOUT
    if camera.is_camera(path):
        return camera.LAYOUT
    path = _existing(path)
    for name, layout in LAYOUTS.items():
        if layout.recognise(path):
            return name
    if hint := ros_1_hint(path):
        raise InputError(hint)
    raise InputError(
        f'{path} has no images ({", ".join(images.IMAGE_SUFFIXES)}), is no rosbag (no '
        f'metadata.yaml, .mcap or .db3) and in none of the layouts {", ".join(LAYOUTS)}; give the '
        'folder of one sequence, or name the layout to hear what it lacks'
    )


def _existing(path: str | Path) -> Path:
    path = Path(path)
    if not path.exists():
        raise InputError(
            f'{path} does not exist; give a folder of images or of a data set, a bag, a video, '
            f'{camera.LAYOUT} (or {camera.LAYOUT}:1), or {synthetic.PREFIX}SEED'
        )
    return path


def _is_synthetic(path: str | Path) -> bool:
    return str(path).startswith(synthetic.PREFIX)


def _open(chosen: Layout, name: str, path: str | Path, options: dict) -> ImageSequence:
    unknown = sorted(set(options) - set(chosen.options()))
    if unknown:
        known = ', '.join(chosen.options()) or 'none'
        raise InputError(f'{name} has no option {", ".join(unknown)}; it has: {known}')
    defaults = chosen.defaults()
    typed = {option: _typed(option, value, defaults[option]) for option, value in options.items()}
    return chosen.open(path, **typed)


def _typed(option: str, value: object, default: object) -> object:
    """Bring a value, which may be text from a command line, to the type of the default."""
    kind = type(default)
    try:
        return kind(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f'option {option} is {value!r}; give {kind.__name__}, as {default!r}'
        ) from error
