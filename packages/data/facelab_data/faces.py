"""From a table of factors to images of faces.

The image of a row depends on that row, the size and the seed only: on no other row, nor on
the order of rows or on who draws them.
"""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from facelab_data import backgrounds, expressions, heads, morphable
from facelab_data.appearance import ALBEDO
from facelab_data.morphable import FaceModel
from facelab_data.rendering import geometry, lighting
from facelab_data.rendering.scene import EYE_LEFT, EYE_RIGHT, SKIN, Camera
from facelab_data.rendering.studio import Shot, Sitter, Studio, seat

DISTANCE_M = 0.6  # from the cameras to the head's centre
FRAME_M = 0.37  # side of the image at that distance
BELOW = 0.045  # how far below the image's middle the head's centre stands, image sides
EYES_M = {1: (0.0,), 2: (-0.032, 0.032)}
BEHIND_M = 0.4  # from the head's centre to the background
SAMPLES = 2  # along each side of a pixel
TOGETHER = 32  # heads in memory
IMAGE_FACTORS = (
    "expression", "rotation_x_deg", "rotation_y_deg", "rotation_z_deg", "translation_x_mm",
    "translation_y_mm", "translation_z_mm", "light_x_deg", "light_y_deg", "background",
)  # fmt: skip

# Canonical places (dm from between the eyes; right of the image, up) of points on the skin.
LANDMARKS = {
    "nose_tip": (0.0, -0.22),
    "mouth_left": (0.235, -0.45),
    "mouth_right": (-0.235, -0.45),
    "chin": (0.0, -0.80),
    "brow_left": (0.30, 0.22),
    "brow_right": (-0.30, 0.22),
}
LANDMARK_NAMES = ("pupil_left", "pupil_right", *LANDMARKS)


def open_model(path: Path) -> FaceModel:
    """Read the face model (`morphable.load`)."""
    return morphable.load(path)


def draw(
    model: FaceModel,
    factors: pd.DataFrame,
    *,
    size_px: int,
    eyes: int,
    seed: int,
    samples: int = SAMPLES,
) -> np.ndarray:
    """Draw a face for each row.

    Parameters
    ----------
    factors : DataFrame
        The identity columns that `heads.build` needs, and IMAGE_FACTORS. The head rolls (z), then
        nods (x), then turns (y) about its centre. Translations are in the plane of the head, and
        z goes towards the cameras. Light at 0, 0 comes from the cameras; x raises it, y carries
        it to the right of the image.
    eyes : int
        1, or 2 for the views of a left and a right eye 64 mm apart.
    seed : int
        Decides what no factor does, as in `heads.build` and `backgrounds.make`.
    samples : int
        Along each side of a pixel.

    Returns
    -------
    images : (n, eyes, size_px, size_px, 3) uint8

    Raises
    ------
    ValueError
        If a factor is missing or unknown, or there is another number of eyes.
    """
    cameras = _cameras(eyes)
    _check(factors)
    images = np.empty((len(factors), eyes, size_px, size_px, 3), np.uint8)
    studio = Studio(size_px, samples)
    for row, sitter, shot in _sittings(model, factors, seed):
        behind = _backdrop(int(factors["background"].iloc[row]), size_px, seed)
        views = [_seen_from(camera, behind) for camera in cameras]
        images[row] = studio.photograph(sitter, shot, cameras, views)
    return images


def landmarks(model: FaceModel, factors: pd.DataFrame, *, size_px: int, seed: int) -> np.ndarray:
    """Find LANDMARK_NAMES in the images that `draw` makes for one eye.

    Returns
    -------
    places : (n, K, 2) float64
        Column and row; pixel k spans k to k + 1. Hidden points are placed too.
    """
    _check(factors)
    chosen, (camera,) = _landmark_vertices(model), _cameras(1)
    studio = Studio(size_px, SAMPLES)
    places = np.empty((len(factors), len(chosen), 2))
    for row, sitter, shot in _sittings(model, factors, seed):
        studio.pose(sitter, shot)
        screen = np.empty_like(studio.posed)
        geometry.project(studio.posed, camera, size_px, screen)
        places[row] = screen[chosen, :2]
    return places


def _sittings(
    model: FaceModel, factors: pd.DataFrame, seed: int
) -> Iterator[tuple[int, Sitter, Shot]]:
    """Yield each row with its head and what the head does, identity by identity."""
    columns = _identity_columns(model, factors)
    group = _number(factors[columns])
    first = np.flatnonzero(~pd.Series(group).duplicated())
    order = np.argsort(group, kind="stable")
    rows_of = np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
    moves = {name: expressions.offsets(model, name) for name in factors["expression"].unique()}
    table = factors[list(IMAGE_FACTORS)].to_dict("records")
    for start in range(0, len(first), TOGETHER):
        batch = slice(start, start + TOGETHER)
        built = heads.build(model, factors.iloc[first[batch]][columns], seed=seed)
        for head, rows in zip(built, rows_of[batch], strict=True):
            sitter = seat(head)
            for row in rows:
                yield row, sitter, _shot(table[row], moves)


def _number(identities: pd.DataFrame) -> np.ndarray:
    """Give equal rows equal numbers, counted as they appear, (n,)."""
    kinds = zip(identities.columns, identities.dtypes, strict=True)
    words = [name for name, kind in kinds if kind.kind not in "iuf"]
    coded = identities.assign(**{name: pd.factorize(identities[name])[0] for name in words})
    return pd.factorize(np.array([row.tobytes() for row in coded.to_numpy(float)], object))[0]


def _shot(row: dict, moves: dict[str, np.ndarray]) -> Shot:
    """Read what a row says about its image."""
    x, y, z = (float(row[f"translation_{axis}_mm"]) / 1000 for axis in "xyz")
    nearer = (DISTANCE_M - z) / DISTANCE_M  # the same place in the image, whatever the distance
    expression = expressions.expression(row["expression"])
    return Shot(
        offsets=moves[row["expression"]],
        wrinkles=np.array(expression.wrinkles, float),
        mouth_opening=expression.mouth_opening,
        turn=geometry.turn(*(float(row[f"rotation_{axis}_deg"]) for axis in "xyz")),
        shift_m=(x * nearer, y * nearer, z),
        light=lighting.key_light(float(row["light_x_deg"]), float(row["light_y_deg"])),
    )


def _cameras(eyes: int) -> list[Camera]:
    """Set up a camera for each eye, left first; they converge on the head's centre."""
    if eyes not in EYES_M:
        raise ValueError(f"eyes is {eyes}; choose from {', '.join(map(str, EYES_M))}")
    focal = DISTANCE_M / FRAME_M
    return [Camera(x, DISTANCE_M, focal, x / FRAME_M, BELOW) for x in EYES_M[eyes]]


@lru_cache(maxsize=256)
def _backdrop(background: int, size_px: int, seed: int) -> np.ndarray:
    """Paint a background once for all its images; not to be written to."""
    painted = backgrounds.make(background, size_px, seed=seed)
    painted.flags.writeable = False
    return painted


def _seen_from(camera: Camera, background: np.ndarray) -> np.ndarray:
    """Shift the background, to a pixel, as its distance asks."""
    size = background.shape[1]
    shift = round(camera.shift_x * BEHIND_M / (DISTANCE_M + BEHIND_M) * size)
    if shift == 0:
        return background
    columns = np.clip(np.arange(size) - shift, 0, size - 1)
    return background[:, columns]


def _landmark_vertices(model: FaceModel) -> np.ndarray:
    """Find the vertex of each landmark, (K,)."""
    z = model.place[:, 2]
    chosen = [
        np.argmax(np.where(model.vertex_parts == eye, z, -np.inf)) for eye in (EYE_LEFT, EYE_RIGHT)
    ]
    for place in LANDMARKS.values():
        away = np.hypot(*(model.place[:, :2] - place).T) - 0.2 * z
        chosen.append(np.argmin(np.where(model.vertex_parts == SKIN, away, np.inf)))
    return np.array(chosen)


def _identity_columns(model: FaceModel, factors: pd.DataFrame) -> list[str]:
    """Name the columns that make a head."""
    needed = ["identity", "gender", "age_years", "ethnicity"]
    needed += [f"shape_{i:03d}" for i in range(len(model.shape_names))]
    needed += [f"albedo_{i:03d}" for i in range(len(ALBEDO))]
    return _present(factors, needed)


def _present(factors: pd.DataFrame, needed: list[str]) -> list[str]:
    missing = [name for name in needed if name not in factors]
    if missing:
        raise ValueError(f"the factors lack the column {missing[0]!r}, which faces are drawn from")
    return needed


def _check(factors: pd.DataFrame) -> None:
    """Refuse a table that no image can be drawn from."""
    _present(factors, list(IMAGE_FACTORS))
    numbers = factors[list(IMAGE_FACTORS[1:])].to_numpy(float)
    for name, column in zip(IMAGE_FACTORS[1:], numbers.T, strict=True):
        if not np.isfinite(column).all():
            raise ValueError(f"the factor {name} holds a value that is not a finite number")
