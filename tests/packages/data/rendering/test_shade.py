import numpy as np
import pytest
from facelab_data.rendering import geometry, lighting, noise, relief, shade, shadow, skin
from facelab_data.rendering.scene import N_CHANNELS, OCCLUSION, PLACE, SKIN, Camera
from facelab_data.rendering.visibility import Mesh, buffers, coverage_thresholds, raster

CAMERA = Camera(0.0, 0.6, 1.7, 0.0, 0.0)
SIZE, SAMPLES = 16, 2
BEHIND = np.random.default_rng(0).random((SIZE, SIZE, 3), np.float32)


def picture(look, light=None, scale=1.0):
    """A square card of skin of 15 cm (times scale) before the camera."""
    light = light or lighting.key_light(0, 0)
    corners = 0.075 * scale * np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], np.float32)
    channels = np.zeros((4, N_CHANNELS), np.float32)
    channels[:, 2] = channels[:, OCCLUSION] = 1
    channels[:, PLACE + 2], channels[:, 12], channels[:, 8] = 0.0, -1, -1
    triangles = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    screen = np.empty_like(corners)
    geometry.project(corners, CAMERA, SIZE * SAMPLES, screen)
    mesh = Mesh(screen, channels, triangles, np.full(2, SKIN, np.int32))
    seen, dark = buffers(SIZE * SAMPLES), buffers(8)
    raster(mesh, coverage_thresholds(SAMPLES), 0.1, -1, seen)
    dark.nearness[:] = 0
    wrinkles = np.zeros(relief.grooves().shape[1:], np.float32)
    maps = shade.Maps(noise.table(), wrinkles, np.array([[9, 9, 0.01, 0]], np.float32), dark[0])
    frame = shadow.frame(light.direction, (0.0, 0.0, 0.0), 0.2)
    still = geometry.turn(0.0, 0.0, 0.0)
    settings = shade.Settings(CAMERA, light, frame, still, skin.detail(0.02))
    out = np.empty((SIZE, SIZE, 3), np.float32)
    shade.shade(shade.Scene(mesh, seen, maps, SAMPLES), look, settings, BEHIND, out)
    return out, seen.owner.reshape(SIZE, SAMPLES, SIZE, SAMPLES).max(axis=(1, 3)) >= 0


def test_the_background_is_untouched_where_nothing_covers_it(look):
    out, covered = picture(look)
    assert 0 < covered.sum() < covered.size
    np.testing.assert_array_equal(out[~covered], BEHIND[~covered])
    assert not (out[covered] == BEHIND[covered]).any()


def test_a_card_that_turns_from_the_light_gets_darker(look):
    bright, dim = (
        picture(look, lighting.key_light(0, y)._replace(fill=0.0))[0][8, 8, 1] for y in (0, 75)
    )
    assert dim < 0.7 * bright


def test_weights_of_a_hit_sum_to_one_and_find_its_place():
    corners = np.array([[-0.1, -0.1, 0], [0.1, -0.1, 0.05], [0, 0.1, 0.1]], np.float32)
    screen = np.empty_like(corners)
    geometry.project(corners, CAMERA, 32, screen)
    channels = np.zeros((3, N_CHANNELS), np.float32)
    channels[:, 2] = 1
    mesh = Mesh(screen, channels, np.array([[0, 1, 2]], np.int32), np.zeros(1, np.int32))
    at = shade.hit(mesh, (0, 15, 17, 32), CAMERA)
    assert sum(at.weights) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(np.array(at.weights) @ corners, at.point, atol=1e-5)
