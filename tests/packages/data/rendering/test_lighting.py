import numpy as np
import pytest
from facelab_data.rendering import lighting
from facelab_data.rendering.scene import Surface

CHALK = Surface((0.5, 0.5, 0.5), (0.0, 0.0, 0.0), 0.0, 0.5, 1.0)
SHINY = CHALK._replace(specular=0.3, roughness=0.3)
NORMALS = np.random.default_rng(0).normal(size=(400, 3))
NORMALS /= np.linalg.norm(NORMALS, axis=1, keepdims=True)
AHEAD = (0.0, 0.0, 1.0)


def measured(surface, light, normals):
    return np.array([
        lighting.radiance(surface, tuple(map(float, n)), AHEAD, light, (1.0, 1.0))[1]
        for n in normals
    ])  # fmt: skip


@pytest.mark.parametrize(("x", "y"), [(0, 0), (40, 0), (0, 60), (-30, -45)])
def test_the_direction_of_the_light_can_be_recovered_from_a_chalk_sphere(x, y):
    light = lighting.key_light(x, y)._replace(fill=0.0, ambient=0.0)
    shown = NORMALS[NORMALS @ light.direction > 0.02]
    values = measured(CHALK, light, shown)
    fit = np.linalg.lstsq(shown, values, rcond=None)[0]
    residual = values - shown @ fit
    assert 1 - residual.var() / values.var() > 0.99
    np.testing.assert_allclose(fit / np.linalg.norm(fit), light.direction, atol=1e-3)


def test_a_wrong_direction_does_not_explain_the_chalk_sphere():
    light = lighting.key_light(0, 60)._replace(fill=0.0, ambient=0.0)
    shown = NORMALS[NORMALS @ light.direction > 0.02]
    other = shown @ lighting.key_light(0, -60).direction
    assert np.corrcoef(other, measured(CHALK, light, shown))[0, 1] ** 2 < 0.9


def test_light_comes_from_the_front_the_side_and_above():
    for angles, direction in [((0, 0), (0, 0, 1)), ((0, 90), (1, 0, 0)), ((90, 0), (0, 1, 0))]:
        np.testing.assert_allclose(lighting.key_light(*angles).direction, direction, atol=1e-12)


def test_a_shadow_takes_light_away_but_not_all_of_it():
    light = lighting.key_light(0, 0)
    lit, shaded = (lighting.radiance(CHALK, AHEAD, AHEAD, light, (s, 1.0))[0] for s in (1.0, 0.0))
    assert 0 < shaded < 0.6 * lit


def test_the_highlight_is_where_the_mirror_is():
    light = lighting.key_light(0, 40)
    half = tuple(float(v) for v in lighting.key_light(0, 20).direction)
    away = tuple(float(v) for v in lighting.key_light(0, -20).direction)
    assert lighting.highlight(SHINY, half, AHEAD, light) > 3 * lighting.highlight(
        SHINY, away, AHEAD, light
    )
    assert lighting.highlight(CHALK, half, AHEAD, light) == 0
