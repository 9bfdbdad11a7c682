"""What a face looks like apart from its shape: skin, brows, eyes, hair, beard, clothing.

Each coefficient of ALBEDO is a standard normal in the population. Gender, age and ethnicity
set what is usual, a coefficient how far a person departs from it. All of this is continuous,
also in gender; only the hair style is binned, and it depends on its own coefficient alone.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from facelab_data import colours
from facelab_data.easing import hold, rise
from facelab_data.hairstyles import Style, cut
from facelab_data.painting import Tints
from facelab_data.rendering.scene import Look

ALBEDO = (
    "melanin", "haemoglobin", "yellowness", "mottle", "freckles", "oil",
    "brow_height", "brow_arch", "brow_slope", "brow_thickness", "brow_density", "brow_spacing",
    "hair_lightness", "hair_redness", "hair_style", "hair_length", "hair_volume", "hairline",
    "greying", "iris_lightness", "iris_hue", "lashes", "lip_redness", "lipstick",
    "beard", "beard_shape", "wrinkles", "cloth_hue", "cloth_lightness",
)  # fmt: skip

# By ethnicity, in the order of ETHNICITIES: mean and standard deviation.
MELANIN, MELANIN_SD = np.array([(0.80, 0.22, 0.09), (0.12, 0.06, 0.06)])
YELLOWNESS = np.array((0.3, 0.9, 0.2))
HAIR_TONE, HAIR_TONE_SD = np.array([(0.1, 0.3, 2.2), (0.35, 0.4, 1.0)])
IRIS_TONE, IRIS_TONE_SD = np.array([(0.2, 0.4, 2.0), (0.35, 0.4, 0.9)])

# Of cloth that is plain or heather; what is left over is striped.
PATTERNS = np.cumsum((0.6, 0.25))


class Person(NamedTuple):
    """Who is to be drawn.

    Attributes
    ----------
    maleness : float
        From 0, all female, to 1, all male.
    age_years : float
    ancestry : (3,) float64
        Shares of ETHNICITIES, summing to 1.
    albedo : dict of str to float
        Coefficients, by the names of ALBEDO.
    """

    maleness: float
    age_years: float
    ancestry: np.ndarray
    albedo: dict[str, float]


class Appearance(NamedTuple):
    """All that a face's appearance is drawn from, apart from where things are on the head.

    Attributes
    ----------
    look : Look
        What holds for the whole face.
    style : Style
        The hair's, with this person's length and volume.
    tints : Tints
        What is painted on the head, place by place.
    """

    look: Look
    style: Style
    tints: Tints


def appear(person: Person, rng: np.random.Generator) -> Appearance:
    """Work out a person's appearance; `rng` decides what no coefficient does."""
    albedo, ancestry = person.albedo, person.ancestry
    aged = rise(42, 92, person.age_years)
    noise_seed, flush, under_eyes, collar = rng.random(4)
    melanin = ancestry @ MELANIN + ancestry @ MELANIN_SD * albedo["melanin"]
    melanin = hold(melanin, 0.03, 1.05)
    hair = _hair_colour(person)
    amount, goatee, moustache = _beard(person)
    style = cut(albedo["hair_style"], albedo["hair_length"], albedo["hair_volume"])
    receding = person.maleness**2 * rise(22, 70, person.age_years) * ndtr(1.3 * albedo["hairline"])
    fields = {
        "noise_seed": 20 * noise_seed,
        "scalp": style.stubble,
        "curl": style.curl,
        "raggedness": style.raggedness,
        **_skin(person, melanin, aged),
        **_brows(person, hair, aged),
        **_hair(person, hair),
        **_mouth(person, melanin, rng),
        **_wrinkles(albedo, aged),
        **_eyes(person, rng),
        **_clothing(albedo, rng),
    }
    tints = Tints(
        melanin=_round(melanin),
        haemoglobin=_round(hold(0.62 + 0.16 * albedo["haemoglobin"], 0.2, 1.25)),
        flush=float(0.75 + 0.5 * flush),
        under_eyes=float(0.06 + 0.06 * under_eyes + 0.06 * aged),
        beard=_round(amount * (1 - goatee - moustache)),
        goatee=_round(amount * goatee),
        moustache=_round(amount * moustache),
        front_m=_round(0.012 * receding + 0.003 * albedo["hairline"]),
        temples_m=_round(0.022 * receding),
        collar_m=float(-0.012 + 0.016 * collar),
    )
    look = Look(**{name: _round(value) for name, value in fields.items()})
    return Appearance(look, style, tints)


def _round(x: float) -> float:
    """Drop the last bits of a number, which a machine's exp and erf round in their own way."""
    return round(float(x), 9)


def _rgb(name: str, colour: np.ndarray) -> dict[str, float]:
    return {f"{name}_{channel}": float(c) for channel, c in zip("rgb", colour, strict=True)}


def _hair_colour(person: Person) -> np.ndarray:
    tone = person.ancestry @ HAIR_TONE
    tone += person.ancestry @ HAIR_TONE_SD * person.albedo["hair_lightness"]
    red = rise(0.8, 2.4, person.albedo["hair_redness"]) * rise(0.3, 2.0, tone)
    return colours.hair(tone, red)


def _beard(person: Person) -> tuple[float, float, float]:
    """Amount of beard, and the shares of it that are a goatee and a moustache."""
    grown = np.interp(
        ndtr(person.albedo["beard"]), (0, 0.40, 0.62, 0.78, 1), (0, 0.08, 0.42, 0.75, 0.95)
    )
    grown *= rise(0.15, 0.9, person.maleness) * rise(14, 22, person.age_years)
    shape = ndtr(person.albedo["beard_shape"])
    goatee = rise(0.50, 0.62, shape) * (1 - rise(0.76, 0.88, shape))
    moustache = rise(0.76, 0.88, shape)
    # A stubble has no shape: it is the shadow of a full beard.
    shaped = rise(0.40, 0.60, grown)
    return float(grown), goatee * shaped, moustache * shaped


def _skin(person: Person, melanin: float, aged: float) -> dict[str, float]:
    albedo = person.albedo
    freckles = max(0.0, 0.35 * albedo["freckles"] - 0.25) * max(0.0, 1 - melanin / 0.35)
    yellow = person.ancestry @ YELLOWNESS + 0.15 * albedo["yellowness"] + 0.3 * aged
    return {
        "mottle": hold(0.5 + 0.35 * aged + 0.12 * albedo["mottle"], 0.1, 1.3),
        "freckles": freckles * (1 - 0.6 * aged),
        "oil": hold(0.55 + 0.22 * albedo["oil"], 0.05, 1.2),
        "yellow": hold(yellow, 0, 1.5),
    }


def _brows(person: Person, hair: np.ndarray, aged: float) -> dict[str, float]:
    albedo, male = person.albedo, person.maleness
    thickness = (0.047 + 0.017 * male) * np.exp(0.13 * albedo["brow_thickness"])
    density = 0.90 + 0.14 * male + 0.11 * albedo["brow_density"] - 0.2 * aged
    spacing = 0.012 * albedo["brow_spacing"]
    return {
        "brow_height": 0.398 + 0.012 * (1 - male) + 0.015 * albedo["brow_height"],
        "brow_arch": 0.020 + 0.014 * (1 - male) + 0.009 * albedo["brow_arch"],
        "brow_slope": -0.026 + 0.016 * albedo["brow_slope"],
        "brow_thickness": float(thickness) * (1 - 0.15 * aged),
        "brow_density": hold(density, 0.4, 1.2),
        "brow_inner": 0.130 - 0.018 * male + spacing,
        "brow_outer": 0.535 + 0.5 * spacing,
        **_rgb("brow", colours.brows(hair, _grey(person))),
    }


def _grey(person: Person) -> float:
    odds = 0.80 + 0.28 * person.albedo["greying"]
    return hold(rise(36, 78, person.age_years) * odds, 0, 1)


def _hair(person: Person, hair: np.ndarray) -> dict[str, float]:
    grey = _grey(person)
    return {
        "grey": grey,
        **_rgb("hair", hair),
        **_rgb("beard", colours.beard(hair, grey)),
    }


def _mouth(person: Person, melanin: float, rng: np.random.Generator) -> dict[str, float]:
    albedo, female = person.albedo, 1 - person.maleness
    aged = rise(35, 80, person.age_years)
    redness = 1.5 + 0.3 * albedo["lip_redness"] - 0.4 * aged + 0.25 * female
    worn = rise(0.45, 0.98, ndtr(albedo["lipstick"])) * rise(0.25, 0.9, female)
    worn *= rise(12, 18, person.age_years)
    return {
        "lip_melanin": 0.02 + 0.06 * melanin,
        "lip_haemoglobin": hold(redness, 0.6, 2.6) * (1 - 0.25 * melanin),
        "lipstick": 0.8 * worn,
        "lip_gloss": 0.3 + 0.7 * worn,
        "teeth": 1 - 0.15 * aged,
        **_rgb("lipstick", colours.lipstick(rng.random())),
    }


def _wrinkles(albedo: dict[str, float], aged: float) -> dict[str, float]:
    amount = aged * np.exp(0.2 * hold(albedo["wrinkles"], -3, 3))
    return {
        "wrinkles_forehead": float(0.62 * amount),
        "wrinkles_eyes": float(0.60 * amount),
        "wrinkles_mouth": float(0.12 + 0.62 * amount),
        "wrinkles_glabella": float(0.40 * amount),
    }


def _eyes(person: Person, rng: np.random.Generator) -> dict[str, float]:
    albedo = person.albedo
    tone = person.ancestry @ IRIS_TONE + person.ancestry @ IRIS_TONE_SD * albedo["iris_lightness"]
    return {
        "iris_size": 0.435 + 0.01 * rng.normal(),
        "pupil_size": 0.42 + 0.04 * rng.normal(),
        "sclera": 0.90 - 0.06 * rise(40, 85, person.age_years),
        "lashes": hold(0.95 - 0.4 * person.maleness + 0.12 * albedo["lashes"], 0, 1),
        **_rgb("iris", colours.iris(tone, albedo["iris_hue"])),
    }


def _clothing(albedo: dict[str, float], rng: np.random.Generator) -> dict[str, float]:
    return {
        **_rgb("cloth", colours.cloth(albedo["cloth_hue"], albedo["cloth_lightness"])),
        "cloth_pattern": float(np.searchsorted(PATTERNS, rng.random(), "right")),
    }
