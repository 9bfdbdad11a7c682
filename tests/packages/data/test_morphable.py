import numpy as np
import pytest
from facelab_data import morphable
from facelab_data.rendering.scene import (
    EYE_LEFT,
    EYE_RIGHT,
    LASHES,
    SKIN,
    TEETH_LOWER,
    TEETH_UPPER,
    TONGUE,
)

MIRROR = np.array([-1, 1, 1])


@pytest.fixture(scope="module")
def model():
    return morphable.load()


@pytest.fixture(scope="module")
def asset():
    with np.load(morphable.ASSET, allow_pickle=False) as file:
        return dict(file)


@pytest.fixture
def people(model, rng):
    """Mean-face weights and shape coefficients of 8 people."""
    ancestry = rng.dirichlet(np.ones(3), 8)
    weights = morphable.macro_weights(model, rng.random(8), rng.uniform(1, 90, 8), ancestry)
    return weights, rng.standard_normal((8, len(model.shape_names)))


def mean_faces(model):
    return [name.startswith("macro:") for name in model.macro_names]


def asymmetric(model):
    return np.array([name.startswith("asymmetry:") for name in model.shape_names])


def test_eight_heads_made_together_equal_eight_made_alone_bit_for_bit(model, people):
    weights, shape = people
    together = morphable.vertices(model, weights, shape)
    alone = [morphable.vertices(model, weights[i : i + 1], shape[i : i + 1])[0] for i in range(8)]
    np.testing.assert_array_equal(together, np.stack(alone))


def test_the_order_of_heads_does_not_matter(model, people):
    weights, shape = people
    backwards = morphable.vertices(model, weights[::-1], shape[::-1])[::-1]
    np.testing.assert_array_equal(backwards, morphable.vertices(model, weights, shape))


def test_shape_is_linear_in_its_coefficients(model, people):
    weights, shape = people[0][:1], np.clip(people[1], -2, 2)
    a, b = shape[:1], shape[1:2]
    mean = morphable.vertices(model, weights, 0 * a)

    def change(coefficients):
        return morphable.vertices(model, weights, coefficients) - mean

    np.testing.assert_allclose(change(a + b), change(a) + change(b), atol=2e-6)
    np.testing.assert_allclose(change(-0.5 * a), -0.5 * change(a), atol=2e-6)


def test_each_trait_moves_the_face_and_no_two_move_it_alike(model):
    on_face = model.maps["pose_weight"] > 0.9
    moves = model.traits.reshape(len(model.shape_names), -1, 3)[:, on_face].reshape(
        len(model.shape_names), -1
    )
    size = np.linalg.norm(moves, axis=1)
    assert (size > 1e-4).all()
    alike = np.abs(moves @ moves.T / np.outer(size, size)) - np.eye(len(size))
    assert alike.max() < 0.98


def test_without_coefficients_a_head_is_the_mixture_of_mean_faces(model, people):
    weights, shape = people
    faces = morphable.vertices(model, weights, 0 * shape)
    mixture = model.rest + np.tensordot(weights, model.macro.reshape(weights.shape[1], -1, 3), 1)
    np.testing.assert_allclose(faces, mixture, atol=1e-5)


def test_coefficients_beyond_the_limit_change_nothing_more(model, people):
    weights, shape = people
    far, limit = 50 * np.sign(shape), morphable.SHAPE_LIMIT * np.sign(shape)
    np.testing.assert_array_equal(
        morphable.vertices(model, weights, far), morphable.vertices(model, weights, limit)
    )


def test_weights_of_the_mean_faces_sum_to_one_and_none_is_negative(model, people):
    weights = people[0][:, mean_faces(model)]
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert (weights >= 0).all()


@pytest.mark.parametrize(("age", "name"), [*zip(morphable.AGE_YEARS, morphable.AGES, strict=True)])
def test_a_pure_type_is_one_mean_face(model, age, name):
    weights = morphable.macro_weights(model, np.ones(1), np.array([age]), np.array([[0.0, 1, 0]]))
    chosen = np.array(model.macro_names)[mean_faces(model)][weights[0, mean_faces(model)] > 0]
    assert list(chosen) == [f"macro:asian-male-{name}"]


def test_gender_is_a_straight_line_without_a_switch(model):
    n, ancestry = 101, np.tile([0.2, 0.3, 0.5], (101, 1))
    weights = morphable.macro_weights(model, np.linspace(0, 1, n), np.full(n, 33.0), ancestry)
    np.testing.assert_allclose(np.diff(weights, n=2, axis=0), 0, atol=1e-12)
    assert np.abs(weights[-1] - weights[0]).max() > 0.3


def test_skin_ages_late_and_never_gets_younger(model):
    ages = np.linspace(1, 100, 200)
    ancestry = np.tile([0.2, 0.3, 0.5], (200, 1))
    weights = morphable.macro_weights(model, np.zeros(200), ages, ancestry)
    ageing = weights[:, [not mean for mean in mean_faces(model)]]
    assert (ageing[ages < morphable.AGEING_YEARS[0]] == 0).all()
    assert (np.diff(ageing, axis=0) >= 0).all()
    assert (ageing[-1] > 0).all()


def test_a_face_without_asymmetry_equals_its_mirror_image(model, people):
    weights, shape = people
    faces = morphable.vertices(model, weights, shape * ~asymmetric(model))
    np.testing.assert_allclose(faces[:, model.mirror] * MIRROR, faces, atol=1e-7)


def test_turning_asymmetry_around_mirrors_the_face(model, people):
    weights, shape = people
    turned = np.where(asymmetric(model), -shape, shape)
    faces = morphable.vertices(model, weights, shape)
    mirrored = morphable.vertices(model, weights, turned)[:, model.mirror] * MIRROR
    np.testing.assert_allclose(mirrored, faces, atol=1e-7)
    assert np.abs(faces[:, model.mirror] * MIRROR - faces).max() > 1e-3


def test_the_origin_lies_midway_between_everyones_eyes(model, people):
    faces = morphable.vertices(model, *people)
    left, right = (faces[:, eye].mean(axis=1) for eye in model.eyes)
    np.testing.assert_allclose((left + right)[:, 1:], 0, atol=2e-4)
    assert (left[:, 0] > 0.015).all()
    assert (right[:, 0] < -0.015).all()


def test_the_shipped_template_is_a_sound_mesh(model):
    counts = np.bincount(model.vertex_parts)
    parts = (SKIN, EYE_LEFT, EYE_RIGHT, TEETH_UPPER, TEETH_LOWER, TONGUE, LASHES)
    assert (counts > 0).nonzero()[0].tolist() == sorted(parts)
    assert counts[EYE_LEFT] == counts[EYE_RIGHT]
    assert set(model.triangles.ravel()) == set(range(len(model.rest)))
    assert len(model.parts) == len(model.triangles)
    for triangle_corner in model.triangles.T:
        np.testing.assert_array_equal(model.vertex_parts[triangle_corner], model.parts)


def test_the_shipped_template_and_its_maps_are_symmetric(model):
    np.testing.assert_array_equal(model.mirror[model.mirror], np.arange(len(model.rest)))
    np.testing.assert_allclose(model.rest[model.mirror] * MIRROR, model.rest, atol=1e-12)
    for name in set(model.maps) - {"lash_across", "lash_along"}:
        np.testing.assert_array_equal(model.maps[name][model.mirror], model.maps[name])


def test_the_shipped_maps_are_in_range(model):
    for name in set(model.maps) - {"azimuth", "scalp", "cloth", "lash_across"}:
        assert 0 <= model.maps[name].min() <= model.maps[name].max() <= 1, name
    light = model.maps["occlusion"]
    assert light[model.vertex_parts == TONGUE].mean() < 0.5 < light[model.maps["oil"] > 0.5].mean()


def test_the_shipped_numbers_of_things_agree(model, asset):
    kinds = [str(label).partition(":")[0] for label in asset["labels"]]
    assert len(set(map(str, asset["labels"]))) == len(kinds) == len(asset["basis"])
    assert kinds.count("macro") == 24
    assert kinds.count("ageing") == len(morphable.AGEING)
    assert kinds.count("action") == len(model.action_names) == 52
    assert len(model.traits) == len(model.shape_sd) == len(model.shape_names)
    assert set(morphable.EASE) <= set(model.action_names)


def test_roots_of_the_hair_are_places_on_triangles(model):
    assert model.root_vertices.max() < len(model.rest)
    assert (model.root_weights >= 0).all()
    np.testing.assert_allclose(model.root_weights.sum(axis=2), 1, atol=1e-5)
    assert (model.root_end > 0).all()
    assert (model.root_end < len(model.root_polar)).all()


def message(path):
    with pytest.raises((ValueError, FileNotFoundError)) as error:
        morphable.load(path)
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)
    return str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    assert "no such head asset" in message(tmp_path / "face.npz")


def test_an_asset_that_lacks_a_part_says_which(tmp_path, asset):
    kept = {name: asset[name] for name in asset if name not in ("mirror", "root_end")}
    np.savez(tmp_path / "face.npz", **kept)
    assert message(tmp_path / "face.npz").endswith("lacks mirror, root_end")


def test_an_asset_of_another_version_says_so(tmp_path, asset):
    np.savez(tmp_path / "face.npz", **asset | {"version": np.array(99)})
    assert "version 99" in message(tmp_path / "face.npz")


@pytest.mark.parametrize("content", [b"", b"no zip at all", "half"])
def test_a_damaged_file_is_refused(tmp_path, content):
    whole = morphable.ASSET.read_bytes()
    (tmp_path / "face.npz").write_bytes(whole[: len(whole) // 2] if content == "half" else content)
    assert "not a readable head asset" in message(tmp_path / "face.npz")


def test_a_single_array_and_a_pickle_are_refused(tmp_path):
    np.save(tmp_path / "one.npy", np.zeros(3))
    assert "not a readable head asset" in message(tmp_path / "one.npy")
    np.save(tmp_path / "object.npy", np.array([{}], dtype=object), allow_pickle=True)
    assert "not a readable head asset" in message(tmp_path / "object.npy")
