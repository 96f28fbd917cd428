# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The libraries behind the messages: the one place that knows which are installed.

Where ROS 2 is sourced these are cv_bridge and sensor_msgs_py. On the wheels, which carry neither,
rosbags-image converts images and a few lines here describe clouds. Both ways give the same.
"""

from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
import subprocess
import sys

import numpy as np
from sensor_msgs.msg import Image, PointField

_TRIAL = """
from cv_bridge import CvBridge
from sensor_msgs.msg import Image
message = Image(height=1, width=1, encoding='bgr8', step=3, data=bytes(3))
CvBridge().imgmsg_to_cv2(message, 'rgb8')
"""
# sensor_msgs/PointField's datatypes.
_NUMPY_TYPES = {
    PointField.INT8: 'i1',
    PointField.UINT8: 'u1',
    PointField.INT16: 'i2',
    PointField.UINT16: 'u2',
    PointField.INT32: 'i4',
    PointField.UINT32: 'u4',
    PointField.FLOAT32: 'f4',
    PointField.FLOAT64: 'f8',
}


def convert_image(message: Image, encoding: str) -> np.ndarray:
    """
    Convert a well-formed Image without row padding, in native byte order, to an encoding.

    The result may share the message's memory.
    """
    return image_converter()(message, encoding)


def point_dtype(fields: Sequence[PointField], point_step: int) -> np.dtype:
    """Describe one point of a PointCloud2, little-endian on a little-endian machine."""
    try:
        from sensor_msgs_py.point_cloud2 import dtype_from_fields
    except ImportError:
        dtype_from_fields = dtype_of_fields
    return dtype_from_fields(fields, point_step=point_step)


def dtype_of_fields(fields: Sequence[PointField], point_step: int) -> np.dtype:
    """Do what sensor_msgs_py's `dtype_from_fields` does: name a field's numbers x_0, x_1, …."""
    names, formats, offsets = [], [], []
    for field in fields:
        number = np.dtype(_NUMPY_TYPES[field.datatype])
        for index in range(field.count):
            names.append(field.name if field.count == 1 else f'{field.name}_{index}')
            formats.append(number)
            offsets.append(field.offset + index * number.itemsize)
    return np.dtype(
        {'names': names, 'formats': formats, 'offsets': offsets, 'itemsize': point_step}
    )


@cache
def image_converter() -> Callable[[Image, str], np.ndarray]:
    """Choose cv_bridge where it works, else rosbags-image; once, which may take a second."""
    return cv_bridge_converter() if cv_bridge_works() else rosbags_converter()


def cv_bridge_works() -> bool:
    """
    Try cv_bridge in a process of its own.

    One built for numpy 1 imports under numpy 2 with a complaint and ends the process with a
    segmentation fault at the first image.
    """
    if find_spec('cv_bridge') is None:
        return False
    try:
        trial = subprocess.run(
            [sys.executable, '-c', _TRIAL], capture_output=True, timeout=60, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return trial.returncode == 0


def cv_bridge_converter() -> Callable[[Image, str], np.ndarray]:
    """Give cv_bridge's conversion."""
    from cv_bridge import CvBridge

    return CvBridge().imgmsg_to_cv2


def rosbags_converter() -> Callable[[Image, str], np.ndarray]:
    """Give rosbags-image's conversion; ImportError with the fix where it is missing."""
    try:
        from rosbags.image import image_to_cvimage
    except ImportError as error:
        raise ImportError(
            'neither cv_bridge nor rosbags-image works here; install one: '
            'apt install ros-$ROS_DISTRO-cv-bridge, or pip install rosbags-image'
        ) from error
    return image_to_cvimage
