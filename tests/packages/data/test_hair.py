import numpy as np
import pytest
from facelab_data import hair, morphable
from facelab_data.hairstyles import STYLES

SEED = np.array([3.0, 14.0, 25.0])


@pytest.fixture(scope="module")
def model():
    return morphable.load()


@pytest.fixture(scope="module")
def head(model):
    return model.rest.astype(np.float32)


@pytest.fixture
def grow(model, head):
    def grow(style, recession=0.0, seed=SEED, head=head):
        receded = np.full(len(model.root_azimuth), recession)
        return hair.grow(model, head, style, receded, seed)

    return grow


def strands(shell):
    return shell.vertices.reshape(-1, hair.ROWS, 3)


def scalp_distance(model, head, shell):
    """How far hair at the crown stands off the scalp."""
    roots = (head[model.root_vertices] * model.root_weights[..., None]).sum(axis=2)
    return np.linalg.norm(strands(shell)[:, 4, :] - roots[:, 4], axis=1).mean()


@pytest.mark.parametrize("name", STYLES)
def test_every_style_grows_into_finite_hair(grow, name):
    shell = grow(STYLES[name])
    assert all(np.isfinite(values).all() for values in shell)
    for share in (shell.across, shell.along, shell.occlusion, shell.pose_weight):
        assert 0 <= share.min() <= share.max() <= 1


@pytest.mark.parametrize("name", STYLES)
def test_hair_stays_near_the_head(grow, name):
    reach = np.linalg.norm(grow(STYLES[name]).vertices, axis=1)
    assert reach.max() < 0.5


def test_triangles_make_one_sheet_that_closes_around_the_head(model):
    faces = hair.triangles(model)
    size = len(model.root_azimuth) * hair.ROWS
    assert set(faces.ravel()) == set(range(size))
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    kinds, counts = np.unique(edges, axis=0, return_counts=True)
    assert counts.max() == 2
    rim = kinds[counts == 1] % hair.ROWS
    assert set(map(tuple, rim)) == {(0, 0), (hair.ROWS - 1, hair.ROWS - 1)}


def test_a_bald_head_has_a_shell_without_extent(grow):
    shell = grow(STYLES["bald"])
    assert (shell.vertices == shell.vertices[0]).all()
    assert (shell.tangents == 0).all()


def test_the_same_seed_grows_the_same_hair_and_another_other_locks(grow):
    one, same, other = (grow(STYLES["long"], seed=SEED + k).vertices for k in (0, 0, 7.3))
    np.testing.assert_array_equal(one, same)
    apart = np.linalg.norm(one - other, axis=1)
    assert 1e-4 < np.median(apart) < 0.03


def test_hair_goes_where_the_head_goes(grow, head):
    aside = np.array([0.25, 0, -0.125], np.float32)
    here, there = grow(STYLES["short"]), grow(STYLES["short"], head=head + aside)
    np.testing.assert_allclose(there.vertices, here.vertices + aside, atol=1e-5)


def test_thicker_hair_stands_farther_off_the_scalp(grow, model, head):
    style = STYLES["short"]
    flat, high = grow(style), grow(style._replace(top=2 * style.top))
    assert scalp_distance(model, head, high) > 1.5 * scalp_distance(model, head, flat)


def test_hair_that_falls_farther_ends_lower(grow):
    style = STYLES["long"]
    lowest = [grow(style._replace(fall=fall)).vertices[:, 1].min() for fall in (0.1, 0.17, 0.24)]
    assert lowest[0] > lowest[1] + 0.05
    assert lowest[1] > lowest[2] + 0.05


def test_a_receding_hairline_lies_higher_on_the_forehead(grow, model):
    front = np.abs(model.root_azimuth) < 0.4
    usual, receded = (strands(grow(STYLES["short"], r))[front, -1, 1].mean() for r in (0, 0.02))
    assert receded > usual + 0.008


def test_tangents_run_along_the_strands(grow):
    shell = grow(STYLES["long"])
    drawn, told = strands(shell), shell.tangents.reshape(-1, hair.ROWS, 3)
    np.testing.assert_allclose(told[:, 1:-1], drawn[:, 2:] - drawn[:, :-2], atol=1e-5)


def test_long_hair_lies_still_on_the_shoulders_and_turns_with_the_skull(grow):
    shell = grow(STYLES["long"])
    y = shell.vertices[:, 1]
    assert (shell.pose_weight[y > 0] == 1).all()
    assert shell.pose_weight[y < -0.2].max() < 0.3
    assert (grow(STYLES["short"]).pose_weight == 1).all()
