import numpy as np
import pandas as pd
import pytest
from facelab_data import heads, morphable
from facelab_data.appearance import ALBEDO
from facelab_data.morphable import ETHNICITIES
from facelab_data.rendering.scene import BEARD, CLOTH, HAIR, MELANIN, N_CHANNELS, OCCLUSION, SKIN


@pytest.fixture(scope="module")
def model():
    return morphable.load()


@pytest.fixture(scope="module")
def identities(model):
    rng, n = np.random.default_rng(4), 8
    columns = {
        "identity": 100 + np.arange(n),
        "gender": rng.choice(list(heads.MALENESS), n),
        "age_years": rng.uniform(18, 80, n),
        "ethnicity": rng.choice(ETHNICITIES, n),
    }
    for kind, count in (("shape", len(model.shape_names)), ("albedo", len(ALBEDO))):
        drawn = rng.standard_normal((n, count))
        columns |= {f"{kind}_{i:03d}": drawn[:, i] for i in range(count)}
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def built(model, identities):
    return heads.build(model, identities, seed=1)


def assert_equal(one, other):
    for name, value in one._asdict().items():
        np.testing.assert_array_equal(value, getattr(other, name), err_msg=name)


def hair_of(head):
    vertices = np.unique(head.triangles[head.parts == HAIR])
    return head.vertices[vertices] - head.vertices[vertices[0]]


def test_eight_heads_built_together_equal_eight_built_alone_bit_for_bit(model, identities, built):
    for i, head in enumerate(built):
        assert_equal(head, heads.build(model, identities.iloc[[i]], seed=1)[0])


def test_neither_order_nor_index_of_the_table_matters(model, identities, built):
    shuffled = identities.iloc[::-1].set_index(np.arange(50, 58))
    for one, other in zip(built, heads.build(model, shuffled, seed=1)[::-1], strict=True):
        assert_equal(one, other)


def test_another_seed_gives_other_moles_and_hairs_on_the_same_face(model, identities, built):
    others = heads.build(model, identities, seed=2)
    n = len(model.rest)
    for one, other in zip(built, others, strict=True):
        np.testing.assert_array_equal(one.vertices[:n], other.vertices[:n])
        assert one.look.noise_seed != other.look.noise_seed
    moles = [[head.moles.tobytes() for head in some] for some in (built, others)]
    assert moles[0] != moles[1]


def test_people_alike_in_all_columns_differ_in_moles_by_their_number(model, identities):
    twins = identities.iloc[[0] * 6].assign(identity=np.arange(6))
    assert len({head.moles.tobytes() for head in heads.build(model, twins, seed=1)}) > 3


def test_heads_are_what_the_renderer_asks_for(model, built):
    for head in built:
        v = len(head.vertices)
        assert head.channels.shape == (v, N_CHANNELS)
        assert head.pose_weight.shape == (v,)
        assert head.thickness.shape == (len(model.rest),)
        assert head.moles.shape[0] >= 1
        assert head.triangles.max() == v - 1
        assert len(head.triangles) == len(head.parts)
        for array in (head.vertices, head.channels, head.pose_weight, head.thickness, head.moles):
            assert array.dtype == np.float32
            assert np.isfinite(array).all()
        assert 0 <= head.channels[:, OCCLUSION].min() <= head.channels[:, OCCLUSION].max() <= 1


def crossed(identities):
    """One person's coefficients under every gender and ethnicity, with the same number."""
    cells = [(g, e) for g in heads.MALENESS for e in ETHNICITIES]
    return identities.iloc[[1] * len(cells)].assign(
        gender=[g for g, _ in cells], ethnicity=[e for _, e in cells]
    )


def test_gender_and_ethnicity_change_face_and_colour_but_not_the_style_of_the_hair(
    model, identities
):
    built = heads.build(model, crossed(identities), seed=1)
    n = len(model.rest)
    assert len({head.vertices[:n].tobytes() for head in built}) == len(built)
    assert len({head.channels[:n, MELANIN].tobytes() for head in built}) > 2
    for name in ("curl", "raggedness", "scalp"):
        assert len({getattr(head.look, name) for head in built}) == 1
    assert len({bool(hair_of(head).any()) for head in built}) == 1


def test_darkness_of_skin_follows_its_coefficient(model, identities):
    column = f"albedo_{ALBEDO.index('melanin'):03d}"
    table = identities.iloc[[0] * 3].assign(**{column: [-1.0, 0.0, 1.0]})
    skin = model.vertex_parts == SKIN
    built = heads.build(model, table, seed=1)
    tones = [head.channels[: len(skin)][skin, MELANIN].mean() for head in built]
    assert tones[0] < tones[1] < tones[2]


def test_cloth_and_full_beards_stand_off_the_skin_and_nothing_else_does(model, built):
    for head in built:
        skin = head.channels[: len(model.rest)]
        bare = (skin[:, CLOTH] <= 0) & (skin[:, BEARD] < 0.45)
        assert (head.thickness[bare] == 0).all()
        assert (head.thickness[skin[:, CLOTH] > 0.02] > 0).any()


def test_ancestry_is_the_share_of_ones_own_and_a_rest_of_the_others():
    for i, ethnicity in enumerate(ETHNICITIES):
        shares = heads.ancestry_of(ethnicity, 0.8)
        assert shares.sum() == pytest.approx(1)
        assert shares[i] == 0.8
        assert shares.argmax() == i


def test_nobody_builds_no_heads(model, identities):
    assert heads.build(model, identities.iloc[:0], seed=1) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: t.drop(columns="age_years"), "lack the column 'age_years'"),
        (lambda t: t.drop(columns="shape_004"), "lack 1 columns from 'shape_004' on"),
        (lambda t: t.drop(columns="albedo_000"), "lack 1 columns from 'albedo_000' on"),
        (lambda t: t.assign(gender="other"), "unknown gender 'other'; choose from female, male"),
        (lambda t: t.assign(ethnicity="martian"), "unknown ethnicity 'martian'; choose from afri"),
    ],
)
def test_a_table_that_cannot_be_read_says_why_in_one_line(model, identities, change, told):
    with pytest.raises(ValueError, match=told) as error:
        heads.build(model, change(identities), seed=1)
    assert "\n" not in str(error.value)
