"""From a table of identities to heads that can be posed and drawn."""

from functools import lru_cache

import numpy as np
import pandas as pd

from facelab_data import hair, morphable, painting, strands
from facelab_data.appearance import ALBEDO, Person, appear
from facelab_data.morphable import ETHNICITIES, FaceModel
from facelab_data.rendering.scene import (
    HAIR,
    N_CHANNELS,
    OCCLUSION,
    PLACE,
    STRAND,
    STRAND_LENGTH,
    Head,
)

MALENESS = {"female": 0.1, "male": 0.9}  # the average man is not the most male of men
ANCESTRY_SHARE = 0.8


def build(model: FaceModel, identities: pd.DataFrame, *, seed: int) -> list[Head]:
    """Build the head of every identity.

    A head depends on its own row and on `seed` only, not on which others are built with it.

    Parameters
    ----------
    model : FaceModel
    identities : DataFrame
        Columns ``identity`` (int), ``gender``, ``age_years``, ``ethnicity``, ``shape_000`` …
        (`model.shape_names`) and ``albedo_000`` … (`appearance.ALBEDO`); a row per identity.
    seed : int
        Decides, with the identity's number, what no column does: pores, moles, strands.

    Raises
    ------
    ValueError
        If a column is missing, or a gender or ethnicity unknown.
    """
    people = _people(identities)
    shape = _coefficients(identities, "shape", len(model.shape_names))
    macro = morphable.macro_weights(
        model,
        np.array([person.maleness for person in people]),
        np.array([person.age_years for person in people]),
        np.array([person.ancestry for person in people]).reshape(-1, 3),
    )
    faces = morphable.vertices(model, macro, shape)
    return [
        _build_one(model, _mesh(model), face, person, np.random.default_rng([seed, number]))
        for face, person, number in zip(faces, people, identities["identity"], strict=True)
    ]


def ancestry_of(ethnicity: str, share: float) -> np.ndarray:
    """Give an ethnicity its share and the others what is left, (3,) in the order of ETHNICITIES.

    Raises
    ------
    ValueError
        If there is no such ethnicity.
    """
    if ethnicity not in ETHNICITIES:
        raise ValueError(f"unknown ethnicity {ethnicity!r}; choose from {', '.join(ETHNICITIES)}")
    rest = (1 - share) / (len(ETHNICITIES) - 1)
    return np.where(np.array(ETHNICITIES) == ethnicity, share, rest)


def _build_one(
    model: FaceModel,
    mesh: tuple[np.ndarray, np.ndarray],
    face: np.ndarray,
    person: Person,
    rng: np.random.Generator,
) -> Head:
    appearance = appear(person, rng)
    moles = _moles(rng)
    recession = strands.recession(model, appearance.tints.front_m, appearance.tints.temples_m)
    shell = hair.grow(model, face, appearance.style, recession, 30 * rng.random(3))
    n = len(face)
    channels = np.zeros((n + len(shell.vertices), N_CHANNELS), np.float32)
    thickness = np.empty(n, np.float32)
    painting.paint(model, appearance.tints, channels[:n], thickness)
    channels[n:, PLACE : PLACE + 3] = shell.tangents
    channels[n:, STRAND], channels[n:, STRAND_LENGTH] = shell.across, shell.along
    channels[n:, OCCLUSION] = shell.occlusion
    return Head(
        vertices=np.concatenate([face, shell.vertices]),
        triangles=mesh[0],
        parts=mesh[1],
        channels=channels,
        pose_weight=np.concatenate([model.maps["pose_weight"], shell.pose_weight]),
        thickness=thickness,
        moles=moles,
        look=appearance.look,
    )


@lru_cache(maxsize=1)
def _mesh(model: FaceModel) -> tuple[np.ndarray, np.ndarray]:
    """Join the triangles of head and hair, (F, 3), and their parts, (F,), once for a model."""
    hair_triangles = hair.triangles(model) + len(model.rest)
    triangles = np.concatenate([model.triangles, hair_triangles]).astype(np.int32)
    parts = np.concatenate([model.parts, np.full(len(hair_triangles), HAIR)]).astype(np.int32)
    return triangles, parts


def _people(identities: pd.DataFrame) -> list[Person]:
    needed = ("identity", "gender", "age_years", "ethnicity")
    missing = [name for name in needed if name not in identities]
    if missing:
        raise ValueError(f"identities lack the column {missing[0]!r}; needed are {needed}")
    unknown = sorted(set(identities["gender"]) - set(MALENESS))
    if unknown:
        raise ValueError(f"unknown gender {unknown[0]!r}; choose from {', '.join(MALENESS)}")
    albedo = _coefficients(identities, "albedo", len(ALBEDO))
    return [
        Person(
            maleness=MALENESS[gender],
            age_years=float(age),
            ancestry=ancestry_of(ethnicity, ANCESTRY_SHARE),
            albedo=dict(zip(ALBEDO, map(float, row), strict=True)),
        )
        for gender, age, ethnicity, row in zip(
            *(identities[name] for name in needed[1:]), albedo, strict=True
        )
    ]


def _coefficients(identities: pd.DataFrame, name: str, count: int) -> np.ndarray:
    columns = [f"{name}_{i:03d}" for i in range(count)]
    missing = [column for column in columns if column not in identities]
    if missing:
        raise ValueError(
            f"identities lack {len(missing)} columns from {missing[0]!r} on; "
            f"needed are {columns[0]} to {columns[-1]}"
        )
    return identities[columns].to_numpy(np.float64)


def _moles(rng: np.random.Generator) -> np.ndarray:
    """Scatter up to three moles over the front of the face; without any, one lies far off it."""
    count = rng.integers(4)
    if count == 0:
        return np.array([[9.0, 9.0, 0.01, 0.0]], np.float32)
    low, high = (-0.5, -0.7, 0.008, 0.2), (0.5, 0.7, 0.014, 0.55)
    return rng.uniform(low, high, (count, 4)).astype(np.float32)
