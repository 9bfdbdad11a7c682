"""The factors of a face: what they are, and designs that vary them independently.

A factor is constant within an identity (who it is) or varies from image to image (how that
person is seen). Rotation: x nods, y turns, z tilts. Light: x raises it, y carries it round.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from facelab_data.designs import crossed, in_turn, stratified, truncated_normal, uncorrelated
from facelab_data.splits import Splits, divide, hold_out

LIMIT_SD = 2.5
OLDEST_YEARS = 100


@dataclass(frozen=True)
class Factor:
    """What a factor of the table means.

    Parameters
    ----------
    kind : str
        ``categorical`` or ``continuous``.
    level : str
        ``identity`` when it is constant within a person, else ``image``.
    unit : str
        Empty when it has none.
    values : tuple of str
        The names of the categories, in their fixed order; empty when they are numbers.
    """

    kind: str
    level: str
    unit: str = ""
    values: tuple[str, ...] = ()


FACTORS = {
    "identity": Factor("categorical", "identity"),
    "gender": Factor("categorical", "identity", values=("female", "male")),
    "age_years": Factor("continuous", "identity", "years"),
    "ethnicity": Factor("categorical", "identity", values=("african", "asian", "caucasian")),
    "expression": Factor(
        "categorical",
        "image",
        values=("neutral", "happy", "surprise", "fear", "disgust", "anger", "sad"),
    ),
    "rotation_x_deg": Factor("continuous", "image", "deg"),
    "rotation_y_deg": Factor("continuous", "image", "deg"),
    "rotation_z_deg": Factor("continuous", "image", "deg"),
    "translation_x_mm": Factor("continuous", "image", "mm"),
    "translation_y_mm": Factor("continuous", "image", "mm"),
    "translation_z_mm": Factor("continuous", "image", "mm"),
    "light_x_deg": Factor("continuous", "image", "deg"),
    "light_y_deg": Factor("continuous", "image", "deg"),
    "background": Factor("categorical", "image"),
    "shape": Factor("continuous", "identity", "sd"),
    "albedo": Factor("continuous", "identity", "sd"),
}


@dataclass(frozen=True, kw_only=True)
class Design:
    """Which faces to draw.

    Parameters
    ----------
    identities, images_per_identity : int
        The set holds their product.
    genders, ethnicities, expressions : tuple of str
        The categories to use, crossed.
    ages_years : (float, float)
        Youngest and oldest.
    shape_sd, albedo_sd : float
        How far faces differ, 1 being the model's own population.
    rotation_deg, translation_mm : (float, float, float)
        Largest value to either side of 0, about or along x, y and z.
    light_deg : (float, float)
        The same for the light, about x and y.
    backgrounds : int
        Number of different backgrounds.
    splits : Splits
        How identities and images are divided.
    """

    identities: int
    images_per_identity: int
    genders: tuple[str, ...]
    ethnicities: tuple[str, ...]
    expressions: tuple[str, ...]
    ages_years: tuple[float, float]
    shape_sd: float
    albedo_sd: float
    rotation_deg: tuple[float, float, float]
    translation_mm: tuple[float, float, float]
    light_deg: tuple[float, float]
    backgrounds: int
    splits: Splits

    def __post_init__(self) -> None:
        for name in ("identities", "images_per_identity", "backgrounds"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; at least 1 is needed")
        for name, factor in [
            ("genders", "gender"),
            ("ethnicities", "ethnicity"),
            ("expressions", "expression"),
        ]:
            _check_categories(name, getattr(self, name), FACTORS[factor].values)
        for name in ("rotation_deg", "translation_mm", "light_deg", "shape_sd", "albedo_sd"):
            _check_extents(name, np.atleast_1d(getattr(self, name)))
        youngest, oldest = self.ages_years
        if not 0 < youngest <= oldest <= OLDEST_YEARS:
            raise ValueError(
                f"ages_years is {youngest:g} to {oldest:g}; needed is 0 < youngest <= oldest "
                f"<= {OLDEST_YEARS}"
            )


def sample(
    design: Design, shape_names: tuple[str, ...], albedo_names: tuple[str, ...], seed: int
) -> pd.DataFrame:
    """Draw the factors of every image of a design.

    Gender and ethnicity are crossed and balanced over the identities of each split, age is
    stratified within their combinations. Expression and background are counterbalanced within
    each identity and against each other; everything that is continuous in an image is stratified
    and correlated neither with the rest, nor with them, nor with who is seen.

    Parameters
    ----------
    shape_names, albedo_names : tuple of str
        What the coefficients of the face model stand for; only their number matters here.

    Returns
    -------
    factors : DataFrame
        One row per image, the images of an identity in succession; columns as in `FACTORS`, with
        one for each coefficient (``shape_000`` …), and ``split``.
    """
    rngs = np.random.default_rng(seed).spawn(6)
    part = divide(np.zeros(design.identities, int), design.splits, rngs[0])
    people, cell = _people(design, part, rngs[1])
    vectors = _coefficients(design, len(shape_names), len(albedo_names), rngs[2])
    person = np.repeat(np.arange(design.identities), design.images_per_identity)
    levels = (len(design.expressions), design.backgrounds)
    dealt = crossed(part, design.images_per_identity, levels, rngs[3])
    expression, background = (one.ravel() for one in dealt)
    held = hold_out(
        person, part[person] == "training", design.splits.holdout, rngs[4], balance=expression
    )
    split = np.where(held, "holdout", part[person])
    groupings = [split, cell[person], expression, person, background]
    return pd.concat(
        [
            people.iloc[person].reset_index(drop=True),
            pd.DataFrame({"expression": np.array(design.expressions)[expression]}),
            _views(design, groupings, rngs[5]),
            pd.DataFrame({"background": background, "split": split}),
            vectors.iloc[person].reset_index(drop=True),
        ],
        axis=1,
    )


def columns(factor: str, outputs: int) -> tuple[str, ...]:
    """Name the columns of a factor that has several outputs.

    >>> columns("shape", 2)
    ('shape_000', 'shape_001')
    """
    return tuple(f"{factor}_{output:03d}" for output in range(outputs))


def _people(
    design: Design, part: np.ndarray, rng: np.random.Generator
) -> tuple[pd.DataFrame, np.ndarray]:
    """Draw who they are, a row per identity, and the cell of the crossed design of each."""
    cells = len(design.genders) * len(design.ethnicities)
    cell = in_turn(part, cells, rng)
    youngest, oldest = design.ages_years
    strata = np.unique(part, return_inverse=True)[1] * cells + cell
    people = pd.DataFrame(
        {
            "identity": np.arange(len(part)),
            "gender": np.array(design.genders)[cell % len(design.genders)],
            "age_years": youngest + (oldest - youngest) * stratified(strata, rng),
            "ethnicity": np.array(design.ethnicities)[cell // len(design.genders)],
        }
    )
    return people, cell


def _coefficients(
    design: Design, shapes: int, albedos: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw the coefficients of shape and albedo, one row per identity."""
    tables = []
    for name, outputs, sd in [
        ("shape", shapes, design.shape_sd),
        ("albedo", albedos, design.albedo_sd),
    ]:
        draws = truncated_normal((design.identities, outputs), LIMIT_SD, rng.spawn(1)[0])
        tables.append(pd.DataFrame(np.float32(sd) * draws, columns=list(columns(name, outputs))))
    return pd.concat(tables, axis=1)


def _views(design: Design, groupings: list[np.ndarray], rng: np.random.Generator) -> pd.DataFrame:
    """Draw pose and light, one row per image."""
    names = [n for n, f in FACTORS.items() if (f.kind, f.level) == ("continuous", "image")]
    extents = np.array([*design.rotation_deg, *design.translation_mm, *design.light_deg])
    places = uncorrelated(len(names), groupings, rng)
    return pd.DataFrame((2 * places - 1) * extents, columns=names)


def _check_categories(name: str, given: tuple[str, ...], known: tuple[str, ...]) -> None:
    unknown = [value for value in given if value not in known]
    if unknown:
        raise ValueError(f"{name} has {unknown[0]!r}; known are {', '.join(known)}")
    if not given or len(set(given)) < len(given):
        raise ValueError(f"{name} is {given}; needed is at least one, each once")


def _check_extents(name: str, extents: np.ndarray) -> None:
    if not (np.isfinite(extents) & (extents >= 0)).all():
        raise ValueError(f"{name} is {extents.tolist()}; needed are finite numbers of at least 0")
