import numpy as np
import pytest
from facelab_data import morphable, painting
from facelab_data.appearance import ALBEDO, Person, appear
from facelab_data.rendering.scene import (
    BEARD,
    CLOTH,
    HAEMOGLOBIN,
    LASHES,
    LIPS,
    MELANIN,
    N_CHANNELS,
    SCALP,
    SKIN,
    STRAND,
)


@pytest.fixture(scope="module")
def model():
    return morphable.load()


@pytest.fixture(scope="module")
def appearance():
    person = Person(0.9, 40.0, np.array([0.1, 0.1, 0.8]), dict.fromkeys(ALBEDO, 0.5))
    return appear(person, np.random.default_rng(0))


def painted(model, appearance, **changes):
    channels = np.full((len(model.rest), N_CHANNELS), 9, np.float32)
    thickness = np.full(len(model.rest), 9, np.float32)
    painting.paint(model, appearance.tints._replace(**changes), channels, thickness)
    return channels, thickness


def test_lashes_hold_strands_and_skin_its_pigments(model, appearance):
    channels, _ = painted(model, appearance)
    lashes, skin = model.vertex_parts == LASHES, model.vertex_parts == SKIN
    np.testing.assert_array_equal(channels[lashes, STRAND], model.maps["lash_across"][lashes])
    plain = skin & (model.maps["red"] == 0) & (model.maps["dark"] == 0) & (model.maps["ears"] == 0)
    np.testing.assert_allclose(channels[plain, MELANIN], appearance.tints.melanin, rtol=1e-6)
    np.testing.assert_allclose(
        channels[plain, HAEMOGLOBIN], 0.75 * appearance.tints.haemoglobin, rtol=1e-6
    )
    np.testing.assert_array_equal(channels[:, LIPS], model.maps["lips"])


def test_a_beard_is_the_strongest_of_its_kinds_and_only_a_full_one_stands_off(model, appearance):
    none = {"beard": 0.0, "goatee": 0.0, "moustache": 0.0}
    channels, shaven = painted(model, appearance, **none)
    assert not channels[:, BEARD].any()
    channels, grown = painted(model, appearance, **(none | {"beard": 0.4, "goatee": 0.9}))
    kinds = [np.float32(0.4) * model.maps["beard"], np.float32(0.9) * model.maps["goatee"]]
    np.testing.assert_array_equal(channels[:, BEARD], np.maximum(*kinds))
    assert (grown[channels[:, BEARD] < 0.45] == shaven[channels[:, BEARD] < 0.45]).all()
    assert (grown > shaven).any()


def test_cloth_stands_off_where_it_is(model, appearance):
    none = {"beard": 0.0, "goatee": 0.0, "moustache": 0.0}
    channels, thickness = painted(model, appearance, collar_m=0.003, **none)
    dressed = (channels[:, CLOTH] > 0) & (model.vertex_parts == SKIN)
    np.testing.assert_array_equal(thickness > 0, dressed)
    np.testing.assert_allclose(thickness[dressed & (channels[:, CLOTH] > 0.02)], 0.007)


def test_a_receding_hairline_lowers_the_scalp(model, appearance):
    usual, _ = painted(model, appearance, front_m=0.0, temples_m=0.0)
    bald, _ = painted(model, appearance, front_m=0.02, temples_m=0.02)
    np.testing.assert_array_equal(usual[:, SCALP], model.maps["scalp"])
    assert (bald[:, SCALP] <= usual[:, SCALP]).all()
    assert (bald[:, SCALP] < usual[:, SCALP]).any()
