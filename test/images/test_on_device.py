# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a device resizes and undistorts is what Pillow and OpenCV make of it on the host."""

from devices import DEVICES
import numpy as np
import pytest
import torch

from xstreamvggt_ros.images.camera_model import CameraModel
from xstreamvggt_ros.images.on_device import DeviceUndistortion, resized
from xstreamvggt_ros.images.preprocessing import Preprocessing
from xstreamvggt_ros.images.undistortion import Undistortion

HEIGHT, WIDTH = 120, 160
K = (130.0, 0, 79.3, 0, 128, 60.7, 0, 0, 1)
LENSES = {
    'pincushion': (0.1, 0.02, 0, 0, 0),
    'plumb_bob': (-0.28, 0.07, 0.0008, -0.0005, 0.01),
    'rational_polynomial': (0.5, 0.1, 0.0004, -0.0003, 0.02, 0.85, 0.2, 0.05),
    'equidistant': (-0.02, 0.004, -0.003, 0.0006),
}
MODELS = {'pincushion': 'plumb_bob'}
# Larger and smaller than the network's, portrait, and of its very size.
PLANS = {
    'landscape': Preprocessing.plan(120, 160, 112),
    'enlarged': Preprocessing.plan(90, 160, 210),
    'portrait': Preprocessing.plan(160, 120, 112),
    'as it is': Preprocessing.plan(112, 140, 140),
    'second camera': Preprocessing.cover(90, 160, (84, 112)),
}


def noise(height, width, seed=0):
    """Draw black, white and all between pixel by pixel: filters overshoot as nowhere else."""
    rng = np.random.default_rng(seed)
    extreme = rng.integers(0, 2, (height, width, 3), dtype=np.uint8) * 255
    plain = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return np.where(rng.random((height, width, 1)) < 0.5, extreme, plain)


@pytest.mark.parametrize('device', DEVICES)
@pytest.mark.parametrize('plan', PLANS.values(), ids=PLANS)
def test_a_uint8_image_is_at_most_a_level_from_pillow_s(plan, device):
    image = noise(*plan.source_size)
    expected = plan.apply(image)

    actual = resized(torch.from_numpy(image).to(device), plan).cpu()

    levels = (255 * (actual - expected)).abs()
    assert actual.shape == expected.shape
    assert float(levels.max()) < 1.001
    assert float((levels > 0.5).float().mean()) < 0.01
    # Whole levels, so that the picture comes back as it was seen.
    np.testing.assert_allclose(255 * actual, (255 * actual).round(), atol=1e-4)


@pytest.mark.parametrize('device', DEVICES)
@pytest.mark.parametrize('plan', PLANS.values(), ids=PLANS)
def test_a_float32_image_is_pillow_s(plan, device):
    image = noise(*plan.source_size).astype(np.float32) / 255

    actual = resized(torch.from_numpy(image).to(device), plan)

    torch.testing.assert_close(actual.cpu(), plan.apply(image), rtol=0, atol=5e-5)


@pytest.mark.parametrize('device', DEVICES)
@pytest.mark.parametrize('distortion', LENSES)
@pytest.mark.parametrize(('kind', 'bound'), [(np.uint8, 1), (np.float32, 1e-3)])
def test_an_undistorted_image_is_opencv_s(distortion, kind, bound, device):
    camera = CameraModel(WIDTH, HEIGHT, K, LENSES[distortion], MODELS.get(distortion, distortion))
    undistortion = Undistortion(camera, HEIGHT, WIDTH)
    image = noise(HEIGHT, WIDTH)
    image = image if kind == np.uint8 else image.astype(np.float32) / 255
    expected, missing = undistortion.apply(image)

    on_device = DeviceUndistortion(undistortion, torch.device(device))
    actual = on_device.apply(torch.from_numpy(image).to(device)).cpu().numpy()

    assert actual.dtype == kind
    assert np.abs(actual.astype(np.float64) - expected).max() <= bound
    assert not actual[missing].any()
    assert missing.any() == (distortion == 'pincushion')


def test_a_camera_that_does_not_distort_gives_the_very_image():
    undistortion = Undistortion(CameraModel(WIDTH, HEIGHT, K), HEIGHT, WIDTH)
    image = torch.from_numpy(noise(HEIGHT, WIDTH))

    assert undistortion.coordinates() is None
    assert DeviceUndistortion(undistortion, image.device).apply(image) is image
