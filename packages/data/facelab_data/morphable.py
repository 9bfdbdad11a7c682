"""The morphable head: coefficients in, vertices out.

An identity is a point in a linear space. Gender, age and ethnicity choose the mean face,
a mixture of MakeHuman's 24 (`macro_weights`); on it lie the shape coefficients, each a
standard normal in a natural population; facial actions come last and are the renderer's.

    vertices = rest + macro_weights @ macro + (shape * shape_sd) @ traits

Displacements and coefficients are both rounded to multiples of 2**-16. Products and sums
are then exact in float64, so that a head does not depend on the batch that it was made in,
the number of threads, or the kernel that multiplied the matrices.
"""

import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from facelab_data import sparse
from facelab_data.rendering.scene import EYE_LEFT, EYE_RIGHT

ASSET = Path(__file__).parent / "assets" / "face.npz"
VERSION = 1
GENDERS, ETHNICITIES = ("female", "male"), ("african", "asian", "caucasian")
AGES = ("baby", "child", "young", "old")
AGE_YEARS = (1.0, 11.0, 25.0, 90.0)  # of the four ages above
AGEING_YEARS = (40.0, 88.0)  # from no sagging skin to all of it
AGEING = {"skin": 0.5, "eye-bags": 0.4}
GRID = 2.0**-16
SHAPE_LIMIT = 4.0  # standard deviations; further out faces come apart

# A mesh at rest looks stern: lift brows, lids and the corners of the mouth a little.
EASE = {
    "browInnerUp": 0.05, "browOuterUpLeft": 0.09, "browOuterUpRight": 0.09, "eyeWideLeft": 0.12,
    "eyeWideRight": 0.12, "mouthSmileLeft": 0.18, "mouthSmileRight": 0.18,
}  # fmt: skip
# Standard deviation of a trait, in turns of its slider: by the start of its name, else the last.
SPREAD = {
    "weight": 0.40,
    "muscle": 0.28,
    "head-": 0.17,
    "neck-": 0.10,
    "mouth-trans": 0.09,
    "mouth-": 0.15,
    "eye-scale": 0.12,
    "eye-height": 0.12,
    "eye-push": 0.12,
    "eye-trans": 0.12,
    "nose-trans": 0.12,
    "forehead-trans": 0.12,
    "asym-": 0.16,
    "": 0.20,
}
ARRAYS = (
    "vertices", "quads", "parts", "mirror", "place", "labels", "basis", "basis_step_m",
    "map_names", "maps", "root_azimuth", "root_polar", "root_vertices", "root_weights", "root_end",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class FaceModel:
    """A head that coefficients can change; n vertices, f triangles.

    Lengths are metres, and the origin lies midway between the eyes for every identity.

    Attributes
    ----------
    rest : (n, 3) float64
        The template, its expression eased.
    triangles, parts : (f, 3) int32, (f,) int32
    vertex_parts : (n,) int32
    mirror : (n,) int64
        Each vertex's counterpart on the other half of the face.
    eyes : (2, e) int64
        Vertices of the left and of the right eyeball (the subject's left).
    place : (n, 3) float32
        The PLACE channels.
    maps : dict of str to (n,) float32
        Where lips, beard, scalp and the like are (`facelab_data.anatomy`).
    macro_names, macro : (m,) str, (m, 3n) float64
        Displacements that gender, age and ethnicity choose among.
    shape_names, shape_sd, traits : (k,) str, (k,) float64, (k, 3n) float64
        Traits and their standard deviations. Those that start with ``asymmetry:`` change
        sign when the face is mirrored, those with ``shape:`` do not.
    action_names, actions : (a,) str, (a, n, 3) float32
        Facial actions, to be added to the vertices with a weight from 0 to 1.
    root_azimuth, root_polar : (j,) float32, (p,) float32
        Directions from the middle of the skull in which hair is rooted, rad.
    root_vertices, root_weights : (j, p, 3) int64, (j, p, 3) float32
        The three vertices about each root, and its barycentric weights.
    root_end : (j,) float32
        Index of the polar direction at which the hairline lies.
    """

    rest: np.ndarray
    triangles: np.ndarray
    parts: np.ndarray
    vertex_parts: np.ndarray
    mirror: np.ndarray
    eyes: np.ndarray
    place: np.ndarray
    maps: dict[str, np.ndarray]
    macro_names: tuple[str, ...]
    macro: np.ndarray
    shape_names: tuple[str, ...]
    shape_sd: np.ndarray
    traits: np.ndarray
    action_names: tuple[str, ...]
    actions: np.ndarray
    root_azimuth: np.ndarray
    root_polar: np.ndarray
    root_vertices: np.ndarray
    root_weights: np.ndarray
    root_end: np.ndarray


def load(path: Path = ASSET) -> FaceModel:
    """Read a head asset (`facelab_data.bake`), by default the one that is shipped.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file; if it is not a head asset, or a part of it is missing.
    """
    asset = _read(Path(path))
    labels = [str(label) for label in asset["labels"]]
    basis = asset["basis"].astype(np.float64) * float(asset["basis_step_m"])
    names, chosen = {}, {}
    for kind, prefixes in {
        "macro": ("macro:", "ageing:"), "shape": ("shape:", "asymmetry:"), "action": ("action:",)
    }.items():  # fmt: skip
        rows = [i for i, label in enumerate(labels) if label.startswith(prefixes)]
        names[kind], chosen[kind] = tuple(labels[i] for i in rows), basis[rows]
    names["action"] = tuple(name.partition(":")[2] for name in names["action"])
    actions = dict(zip(names["action"], chosen["action"], strict=True))
    quads, quad_parts = asset["quads"].astype(np.int32), asset["parts"].astype(np.int32)
    vertex_parts = np.zeros(len(asset["vertices"]), np.int32)
    vertex_parts[quads] = quad_parts[:, None]
    eyes = np.stack([np.flatnonzero(vertex_parts == eye) for eye in (EYE_LEFT, EYE_RIGHT)])
    ease = sum(round(amount / GRID) * GRID * actions[name] for name, amount in EASE.items())
    mirror = asset["mirror"].astype(np.int64)
    ease = (ease + ease[mirror] * [-1, 1, 1]) / 2  # left and right actions differ by 0.1 mm
    return FaceModel(
        rest=asset["vertices"].astype(np.float64) + ease,
        triangles=np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]),
        parts=np.concatenate([quad_parts, quad_parts]),
        vertex_parts=vertex_parts,
        mirror=mirror,
        eyes=eyes,
        place=asset["place"],
        maps=dict(zip(map(str, asset["map_names"]), asset["maps"].astype(np.float32), strict=True)),
        macro_names=names["macro"],
        macro=chosen["macro"].reshape(len(names["macro"]), -1),
        shape_names=names["shape"],
        shape_sd=np.array([_spread(name) for name in names["shape"]]),
        traits=chosen["shape"].reshape(len(names["shape"]), -1),
        action_names=names["action"],
        actions=chosen["action"].astype(np.float32),
        root_azimuth=asset["root_azimuth"],
        root_polar=asset["root_polar"],
        root_vertices=asset["root_vertices"].astype(np.int64),
        root_weights=asset["root_weights"],
        root_end=asset["root_end"],
    )


def macro_weights(
    model: FaceModel, maleness: np.ndarray, age_years: np.ndarray, ancestry: np.ndarray
) -> np.ndarray:
    """Mix the mean faces.

    Parameters
    ----------
    maleness : (N,)
        From 0, all female, to 1, all male.
    age_years : (N,)
        Clipped to 1 and 90.
    ancestry : (N, 3)
        Shares of ETHNICITIES, each row summing to 1.

    Returns
    -------
    weights : (N, m) float64
        In the order of `model.macro_names`; those of the mean faces sum to 1.
    """
    age = np.interp(age_years, AGE_YEARS, range(len(AGES)))[:, None]
    by_age = np.clip(1 - np.abs(age - np.arange(len(AGES))), 0, 1)
    by_gender = np.stack([1 - maleness, maleness], axis=1)
    mixture = np.einsum("ne,ng,na->nega", ancestry, by_gender, by_age)
    weights = np.zeros((len(maleness), len(model.macro_names)))
    for e, ethnicity in enumerate(ETHNICITIES):
        for g, gender in enumerate(GENDERS):
            for a, name in enumerate(AGES):
                column = model.macro_names.index(f"macro:{ethnicity}-{gender}-{name}")
                weights[:, column] = mixture[:, e, g, a]
    aged = np.clip((age_years - AGEING_YEARS[0]) / (AGEING_YEARS[1] - AGEING_YEARS[0]), 0, 1)
    for name, amount in AGEING.items():
        column = model.macro_names.index(f"ageing:{name}")
        weights[:, column] = amount * aged * aged * (3 - 2 * aged)
    return weights


def vertices(model: FaceModel, macro: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """Compute the neutral faces of N identities, (N, n, 3) float32, m.

    Parameters
    ----------
    macro : (N, m)
        Weights of the mean faces (`macro_weights`).
    shape : (N, k)
        Standardised coefficients, clipped to SHAPE_LIMIT.
    """
    turns = np.clip(shape, -SHAPE_LIMIT, SHAPE_LIMIT) * model.shape_sd
    coefficients = np.concatenate([_on_grid(macro), _on_grid(turns)], axis=1)
    moved = sparse.multiply(coefficients, _displacements(model), model.rest.ravel())
    return moved.reshape(len(macro), *model.rest.shape)


@lru_cache(maxsize=1)
def _displacements(model: FaceModel) -> sparse.Sparse:
    """Put mean faces and traits together; a trait moves few vertices."""
    return sparse.compress(np.concatenate([model.macro, model.traits]))


def _on_grid(coefficients: np.ndarray) -> np.ndarray:
    return np.rint(np.asarray(coefficients, np.float64) / GRID) * GRID


def _spread(label: str) -> float:
    name = label.partition(":")[2]
    return next(sd for start, sd in SPREAD.items() if name.startswith(start))


def _read(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such head asset")
    try:
        with np.load(path, allow_pickle=False) as file:
            asset = {name: file[name] for name in file.files}
    except (ValueError, OSError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: not a readable head asset ({error})") from error
    missing = [name for name in ("version", *ARRAYS) if name not in asset]
    if missing:
        raise ValueError(f"{path}: not a head asset, it lacks {', '.join(missing)}")
    if asset["version"] != VERSION:
        raise ValueError(f"{path}: head asset of version {asset['version']}; this reads {VERSION}")
    return asset
