import numpy as np
import pytest
from facelab_data.appearance import ALBEDO, Person, appear
from facelab_data.hairstyles import STYLES
from facelab_data.rendering.scene import Look

AVERAGE = dict.fromkeys(ALBEDO, 0.0)
BY_CHANCE = ("noise_seed", "iris_size", "pupil_size", "lipstick_r", "cloth_pattern")
ETHNICITIES = np.eye(3)


def person(maleness=0.5, age_years=30.0, ancestry=(1 / 3, 1 / 3, 1 / 3), **albedo):
    assert set(albedo) <= set(ALBEDO)
    return Person(maleness, age_years, np.array(ancestry), AVERAGE | albedo)


def seen(who, seed=0):
    return appear(who, np.random.default_rng(seed))


def numbers(appearance):
    """All of an appearance as one vector."""
    return np.hstack(appearance)


@pytest.fixture
def anyone(rng):
    """Coefficients of 40 people, no two alike."""
    return [dict(zip(ALBEDO, row, strict=True)) for row in rng.standard_normal((40, len(ALBEDO)))]


def test_every_number_of_a_look_is_finite_and_every_colour_is_one_that_exists(anyone, rng):
    for albedo in anyone:
        who = person(rng.random(), rng.uniform(1, 90), rng.dirichlet(np.ones(3)), **albedo)
        look = seen(who).look
        assert np.isfinite(numbers(seen(who))).all()
        assert all(type(value) is float for value in look)
        for name in (field for field in Look._fields if field[-2:] in ("_r", "_g", "_b")):
            assert 0 < getattr(look, name) < 1, name


def test_the_same_seed_gives_the_same_appearance_and_another_does_not():
    np.testing.assert_array_equal(numbers(seen(person())), numbers(seen(person())))
    assert (numbers(seen(person())) != numbers(seen(person(), seed=1))).any()


def test_chance_does_not_depend_on_who_is_drawn(anyone):
    looks = [seen(person(i / 40, 10 + i, **albedo)).look for i, albedo in enumerate(anyone)]
    for name in BY_CHANCE:
        assert len({getattr(look, name) for look in looks}) == 1, name


def test_the_hair_style_does_not_depend_on_gender_ethnicity_or_age(anyone):
    for albedo in anyone:
        styles = {
            seen(person(maleness, age, ancestry, **albedo)).style
            for maleness in (0, 0.5, 1) for age in (5, 80) for ancestry in ETHNICITIES
        }  # fmt: skip
        assert len(styles) == 1


def test_the_hair_style_follows_its_own_coefficients(anyone):
    kept = {"hair_style": 0.3, "hair_length": -1.0, "hair_volume": 2.0}
    assert len({seen(person(**albedo | kept)).style for albedo in anyone}) == 1
    wide = {seen(person(hair_style=x)).style for x in np.linspace(-3, 3, 200)}
    assert len(wide) == len(STYLES)


def switches(path):
    """Tell which numbers jump on the way from 0 to 1: walked in smaller steps, they jump as far."""

    def largest_step(n):
        walked = np.array([numbers(seen(path(t))) for t in np.linspace(0, 1, n)])
        return np.abs(np.diff(walked, axis=0)).max(axis=0)

    return largest_step(401) > 0.5 * largest_step(101) + 1e-12


@pytest.mark.parametrize("ancestry", ETHNICITIES)
@pytest.mark.parametrize("age_years", [30, 70])
def test_gender_has_no_switch(anyone, ancestry, age_years):
    for albedo in anyone[:2]:
        assert not switches(lambda t, albedo=albedo: person(t, age_years, ancestry, **albedo)).any()


def test_age_has_no_switch(anyone):
    for albedo in anyone[:2]:
        assert not switches(lambda t, albedo=albedo: person(0.9, 1 + 89 * t, **albedo)).any()


def test_the_hair_style_is_a_switch():
    assert switches(lambda t: person(hair_style=2 * t - 1)).any()


def test_beards_need_a_grown_man_and_lipstick_a_grown_woman():
    def grown(maleness, age):
        return seen(person(maleness, age, beard=3.0)).tints.beard

    def painted(maleness, age):
        return seen(person(maleness, age, lipstick=3.0)).look.lipstick

    assert grown(0.9, 30) > 0.5 > grown(0.1, 30) == grown(0.9, 10) == 0
    assert painted(0.1, 30) > 0.5 > painted(0.9, 30) == painted(0.1, 10) == 0


@pytest.mark.parametrize("shape", [-2.0, 0.3, 1.5])
def test_the_kinds_of_beard_share_one_amount(shape):
    whole = seen(person(0.9, beard=2.0, beard_shape=-9.0)).tints
    parts = seen(person(0.9, beard=2.0, beard_shape=shape)).tints
    assert parts.beard + parts.goatee + parts.moustache == pytest.approx(whole.beard)


@pytest.mark.parametrize("name", ALBEDO)
def test_every_coefficient_shows(name):
    """In someone on whom it can: a pale, middle-aged person, with hair that falls."""
    shown = {"hair_style": 1.0, "freckles": 1.0, "melanin": -1.0, "beard": 1.0, "lipstick": 1.0}
    shown |= {"iris_lightness": 1.0, "hair_lightness": 0.5, "hair_redness": 1.5}
    pale = (0.0, 0.0, 1.0)
    apart = [
        np.abs(
            numbers(seen(person(m, 55.0, pale, **shown | {name: shown.get(name, 0) + step})))
            - numbers(seen(person(m, 55.0, pale, **shown)))
        ).max()
        for m in (0.1, 0.9) for step in (-1.0, 1.0)
    ]  # fmt: skip
    assert max(apart) > 1e-4


def test_ethnicity_sets_how_dark_skin_is_usually_and_the_coefficient_how_dark_it_is():
    african, asian, caucasian = (
        seen(person(ancestry=share)).tints.melanin for share in ETHNICITIES
    )
    assert african > asian > caucasian
    for share in ETHNICITIES:
        tones = [seen(person(ancestry=share, melanin=m)).tints.melanin for m in (-1, 0, 1)]
        assert tones == sorted(tones)
        assert len(set(tones)) == 3


def test_hair_greys_and_skin_wrinkles_with_age():
    young, old = seen(person(age_years=20)).look, seen(person(age_years=85)).look
    for name in ("grey", "wrinkles_forehead", "wrinkles_eyes", "wrinkles_mouth", "mottle"):
        assert getattr(old, name) > getattr(young, name), name
    assert young.grey == young.wrinkles_forehead == 0
