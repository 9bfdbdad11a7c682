"""Reading the MakeHuman head: its mesh, its targets and its catalogue of sliders.

MakeHuman describes a body as one base mesh and many *targets*, files that list
how far each vertex moves when a trait is turned fully on. Only the bust is read
here: head, neck and shoulders with eyes, teeth, tongue and lashes. File units are
decimetres, returned ones metres; x points to the subject's left, y up, z forward.
"""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from facelab_data.rendering.scene import (
    EYE_LEFT,
    EYE_RIGHT,
    LASHES,
    SKIN,
    TEETH_LOWER,
    TEETH_UPPER,
    TONGUE,
)

GROUPS = {
    "body": SKIN,
    "helper-l-eye": EYE_LEFT,
    "helper-r-eye": EYE_RIGHT,
    "helper-upper-teeth": TEETH_UPPER,
    "helper-lower-teeth": TEETH_LOWER,
    "helper-tongue": TONGUE,
    "helper-l-eyelashes-1": LASHES,
    "helper-l-eyelashes-2": LASHES,
    "helper-r-eyelashes-1": LASHES,
    "helper-r-eyelashes-2": LASHES,
}
UPPER_LASHES = ("helper-l-eyelashes-2", "helper-r-eyelashes-2")
BUST_BOTTOM_DM, BUST_HALF_WIDTH_DM = 2.7, 2.95
FACE_FOLDERS = (
    "head", "forehead", "eyebrows", "eyes", "nose", "mouth", "cheek", "chin", "ears", "neck"
)  # fmt: skip
# Where the head sits on the body, and traits that the macro targets already carry.
NOT_A_FACE_TRAIT = ("neck-trans", "head-trans", "measure", "head-age", "head-angle", "head-fat")


class Bust(NamedTuple):
    """The mesh of head and shoulders.

    Attributes
    ----------
    vertices : (n, 3) float64, m
    quads : (q, 4) int, corners into `vertices`
    parts : (q,) int, the renderer's part of each quad
    upper_lashes : (q,) bool
    uv : (n, 2) float64, texture coordinates, v up; at a seam those of one side
    source : (n,) int, vertex numbers in the file
    source_count : int, vertices in the file
    """

    vertices: np.ndarray
    quads: np.ndarray
    parts: np.ndarray
    upper_lashes: np.ndarray
    uv: np.ndarray
    source: np.ndarray
    source_count: int


class Slider(NamedTuple):
    """One trait that can be turned two ways; `negative` is empty if there is one way only."""

    name: str
    negative: tuple[Path, ...]
    positive: tuple[Path, ...]


def read_bust(folder: Path) -> Bust:
    """Read the bust out of ``3dobjs/base.obj``."""
    vertices, uv, groups = _read_obj(folder / "3dobjs" / "base.obj")
    centres = vertices[groups["body"][:, :, 0]].mean(axis=1)
    kept = (centres[:, 1] > BUST_BOTTOM_DM) & (np.abs(centres[:, 0]) < BUST_HALF_WIDTH_DM)
    groups["body"] = groups["body"][kept]
    corners = np.concatenate([groups[name] for name in GROUPS])
    sizes = [len(groups[name]) for name in GROUPS]
    source, quads = np.unique(corners[:, :, 0], return_inverse=True)
    quads = quads.reshape(-1, 4)
    vertex_uv = np.zeros((len(source), 2))
    for corner in range(4):
        vertex_uv[quads[:, corner]] = uv[corners[:, corner, 1]]
    return Bust(
        vertices=vertices[source] * 0.1,
        quads=quads,
        parts=np.repeat(list(GROUPS.values()), sizes),
        upper_lashes=np.repeat([name in UPPER_LASHES for name in GROUPS], sizes),
        uv=vertex_uv,
        source=source,
        source_count=len(vertices),
    )


def read_target(path: Path, bust: Bust) -> np.ndarray:
    """Read how far each vertex of the bust moves, (n, 3) float64, m."""
    opener = gzip.open if path.suffix == ".gz" else open
    moves = np.zeros((bust.source_count, 3))
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            words = line.split()
            if words and not words[0].startswith("#"):
                moves[int(words[0])] = [float(word) for word in words[1:4]]
    return moves[bust.source] * 0.1


def read_sliders(folder: Path) -> list[Slider]:
    """List the traits of face and neck in ``targets/target.json``, in its order."""
    catalogue = json.loads((folder / "targets" / "target.json").read_text(encoding="utf-8"))
    return [
        slider
        for area in FACE_FOLDERS
        for slider in _sliders_of(catalogue[area]["categories"], folder / "targets" / area)
        if not slider.name.startswith(NOT_A_FACE_TRAIT)
    ]


def _sliders_of(categories: list[dict], folder: Path) -> Iterator[Slider]:
    for category in categories:
        if "opposites" in category:
            ends = category["opposites"]
            sides = [side for side in ("left", "right", "unsided") if ends[f"positive-{side}"]]
            negative, positive = (
                tuple(folder / f"{ends[f'{end}-{side}']}.target.gz" for side in sides)
                for end in ("negative", "positive")
            )
            yield Slider(category["name"], negative, positive)
        elif len(category["targets"]) == 1:
            path = folder / f"{category['targets'][0]}.target.gz"
            yield Slider(category["name"], (), (path,))


def _read_obj(path: Path) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Read vertices, texture coordinates and, by group, corners (q, 4, 2): vertex and uv."""
    vertices, uv, groups, group = [], [], {}, ""
    for line in path.read_text(encoding="utf-8").splitlines():
        match line.split():
            case ["v", *numbers]:
                vertices.append([float(number) for number in numbers[:3]])
            case ["vt", *numbers]:
                uv.append([float(number) for number in numbers[:2]])
            case ["g", name]:
                group = name
            case ["f", *corners]:
                numbers = [[int(number) - 1 for number in c.split("/")[:2]] for c in corners]
                groups.setdefault(group, []).append(numbers)
    return (
        np.array(vertices),
        np.array(uv),
        {name: np.array(corners) for name, corners in groups.items() if name in GROUPS},
    )
