import numpy as np
import pytest
from facelab_data.rendering import visibility
from facelab_data.rendering.scene import HAIR
from facelab_data.rendering.visibility import Mesh

SIZE = 24
HALF = np.full((1, 1), 0.5, np.float32)


def seen(mesh, skipped=-1, thresholds=HALF):
    out = visibility.buffers(SIZE)
    visibility.raster(mesh, thresholds, 0.5, skipped, out)
    return out


def brute_force(mesh):
    """Solve for the weights of every sample in every triangle."""
    x, y = np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5)
    samples = np.stack([x.ravel(), y.ravel(), np.ones(SIZE * SIZE)])
    nearness = np.full((len(mesh.triangles), SIZE * SIZE), 0.0)
    for t, corners in enumerate(mesh.screen[mesh.triangles].astype(float)):
        weights = np.linalg.solve(np.vstack([corners[:, :2].T, np.ones(3)]), samples)
        inside = (weights >= 0).all(axis=0)
        nearness[t, inside] = corners[:, 2] @ weights[:, inside]
    owner = np.where(nearness.max(axis=0) > 0, nearness.argmax(axis=0), -1)
    return nearness.max(axis=0).reshape(SIZE, SIZE), owner.reshape(SIZE, SIZE)


def test_the_raster_agrees_with_brute_force(soup):
    nearness, owner = brute_force(soup)
    found = seen(soup)
    assert (owner >= 0).sum() > 100
    np.testing.assert_array_equal(found.owner, owner)
    np.testing.assert_allclose(found.nearness, nearness, rtol=1e-5)


def test_the_order_of_triangles_is_irrelevant(soup):
    order = np.random.default_rng(1).permutation(len(soup.triangles))
    shuffled = seen(soup._replace(triangles=soup.triangles[order]))
    straight = seen(soup)
    np.testing.assert_array_equal(shuffled.nearness, straight.nearness)
    back = np.where(shuffled.owner >= 0, order[shuffled.owner], -1)
    np.testing.assert_array_equal(back, straight.owner)


def test_backs_and_skipped_parts_are_not_drawn(soup):
    backs = soup._replace(triangles=np.ascontiguousarray(soup.triangles[:, ::-1]))
    assert (seen(backs).owner == -1).all()
    assert (seen(soup, skipped=0).owner == -1).all()


@pytest.mark.parametrize(("along", "shown"), [(0.0, True), (1.0, False)])
def test_hair_covers_at_its_roots_from_both_sides_and_not_at_its_tips(soup, along, shown):
    channels = soup.channels.copy()
    channels[:, 2], channels[:, 7] = 1, along
    hair = Mesh(soup.screen, channels, soup.triangles, np.full(20, HAIR, np.int32))
    backs = hair._replace(triangles=np.ascontiguousarray(soup.triangles[:, ::-1]))
    for mesh in (hair, backs):
        covered = (seen(mesh).owner >= 0).sum() / (seen(soup).owner >= 0).sum()
        assert (covered > 0.95) if shown else (covered < 0.3)


@pytest.mark.parametrize("samples", [1, 2, 3, 4])
def test_thresholds_are_spread_evenly_over_a_pixel(samples):
    n = samples * samples
    levels = np.sort(visibility.coverage_thresholds(samples), axis=None)
    np.testing.assert_allclose(levels, (np.arange(n) + 0.5) / n, rtol=1e-6)
