"""A head of a few boxes in MakeHuman's files, small enough to know by heart.

The body is a box of 5 x 5 squares a side about the middle of the skull; eyes, teeth and tongue
are boxes of six squares; each lash is one square. File units are decimetres.
"""

import gzip
import json
from pathlib import Path

import numpy as np
from facelab_data.makehuman import FACE_FOLDERS, GROUPS
from facelab_data.morphable import EASE
from PIL import Image

SKULL_DM, HALF_DM, SQUARES = (0.0, 7.65, 0.5), 1.0, 5
BOXES = {
    "helper-l-eye": (0.3, 7.3, 1.2),
    "helper-r-eye": (-0.3, 7.3, 1.2),
    "helper-upper-teeth": (0.0, 6.75, 1.1),
    "helper-lower-teeth": (0.0, 6.68, 1.1),
    "helper-tongue": (0.0, 6.7, 0.95),
}
LASHES = {"l-eyelashes-1": -0.2, "l-eyelashes-2": 0.2, "r-eyelashes-1": -0.2, "r-eyelashes-2": 0.2}
BELOW_DM = 2.0  # where a square of the body lies that is not part of the bust
MOVED = 0  # the vertex that targets move, and how far: (0.1, 0.2, 0.3) dm unless told


class Obj:
    """A mesh in the making: lines of an OBJ file."""

    def __init__(self):
        self.numbers, self.lines = {}, []

    def corner(self, point):
        point = tuple(round(float(x), 6) + 0.0 for x in point)
        if point not in self.numbers:
            self.numbers[point] = len(self.numbers) + 1
            self.lines.append("v {} {} {}".format(*point))
            self.lines.append(f"vt {0.25 if point[0] > 0 else 0.75} 0.5")
        return self.numbers[point]

    def box(self, centre, half, squares):
        for axis in range(3):
            for side in (-1, 1):
                for i in range(squares):
                    for j in range(squares):
                        steps = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)][::side]
                        corners = [self._point(axis, side, s, squares) for s in steps]
                        self.face([np.array(centre) + half * c for c in corners])

    def face(self, points):
        corners = [self.corner(point) for point in points]
        self.lines.append("f " + " ".join(f"{n}/{n}" for n in corners))

    @staticmethod
    def _point(axis, side, step, squares):
        a, b = (2 * s / squares - 1 for s in step)
        return np.roll([side, a, b], axis)


def write_mesh(mpfb):
    obj = Obj()
    obj.lines.append("# a comment\ng body")
    obj.box(SKULL_DM, HALF_DM, SQUARES)
    obj.face([(x, BELOW_DM, z) for x, z in ((-1, -1), (-1, 1), (1, 1), (1, -1))])
    for group, centre in BOXES.items():
        obj.lines.append(f"g {group}")
        obj.box(centre, 0.1 if "eye" in group else 0.03, 1)
    for group, up in LASHES.items():
        side = 1 if group.startswith("l") else -1
        obj.lines.append(f"g helper-{group}")
        square = [(0.25, 0), (0.35, 0), (0.35, 0.05), (0.25, 0.05)]
        obj.face([(side * x, 7.3 + up + y, 1.4) for x, y in square])
    obj.lines.append("g joint-nobody-needs")
    obj.face([(x, 9, z) for x, z in ((0, 0), (0, 1), (1, 1), (1, 0))])
    (mpfb / "3dobjs").mkdir(parents=True)
    (mpfb / "3dobjs" / "base.obj").write_text("\n".join(obj.lines))
    return len(obj.numbers)


def write_target(path, moves=((MOVED, 0.1, 0.2, 0.3),)):
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "# a comment\n\n" + "".join("{} {} {} {}\n".format(*move) for move in moves)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode(), mtime=0))
    else:
        path.write_text(text)


def write_catalogue(targets):
    """List one trait of two ends and one of a single end per area; some that are not wanted."""
    catalogue = {}
    for area in FACE_FOLDERS:
        sides = {"left": "", "right": ""}
        ends = {f"negative-{s}": name for s, name in sides.items()}
        ends |= {f"positive-{s}": name for s, name in sides.items()}
        ends |= {"negative-unsided": f"{area}-less", "positive-unsided": f"{area}-more"}
        catalogue[area] = {
            "categories": [
                {"name": f"{area}-less-more", "opposites": ends, "targets": ["a", "b"]},
                {"name": f"{area}-alone", "targets": [f"{area}-alone"]},
                {"name": f"{area}-many", "targets": ["c", "d"]},
            ]
        }
        for name in (f"{area}-less", f"{area}-more", f"{area}-alone"):
            sign = -1 if name.endswith("less") else 1
            write_target(targets / area / f"{name}.target.gz", [(MOVED, 0, sign * 0.1, 0)])
    catalogue["head"]["categories"].append({"name": "head-age", "targets": ["head-age-incr"]})
    (targets / "target.json").write_text(json.dumps(catalogue))


def write_masks(textures):
    """White where u is below a half: the subject's left."""
    textures.mkdir()
    mask = np.zeros((32, 32), np.uint8)
    mask[:, :16] = 255
    for name in ("lips", "inside-mouth", "ears", "eyelids"):
        shown = mask if name == "lips" else 0 * mask
        Image.fromarray(shown).save(textures / f"mpfb_{name}.jpg", quality=95)


def write(folder: Path) -> Path:
    """Write all files that a bake reads; returns the folder."""
    mpfb = folder / "mpfb2"
    count = write_mesh(mpfb)
    shift = [(i, 0, 0.5, 0) for i in range(count)]  # as if the whole head sat higher
    targets = mpfb / "targets"
    for gender in ("female", "male"):
        for age in ("baby", "child", "young", "old"):
            for ethnicity in ("african", "asian", "caucasian"):
                name = f"{ethnicity}-{gender}-{age}.target.gz"
                write_target(targets / "macrodetails" / name, [*shift, (MOVED, 0.1, 0.7, 0.3)])
            for body in ("averagemuscle-{}weight", "{}muscle-averageweight"):
                for end in ("min", "max"):
                    name = f"universal-{gender}-{age}-{body.format(end)}.target.gz"
                    write_target(targets / "macrodetails" / name)
    write_catalogue(targets)
    write_target(targets / "head" / "head-age-incr.target.gz")
    for side in "lr":
        write_target(targets / "eyes" / f"{side}-eye-bag-incr.target.gz")
        write_target(targets / "asym" / f"asym-nose-1-{side}.target.gz", [(MOVED, 0.1, 0, 0)])
    write_target(targets / "asym" / "asym-nose-1-r.target.gz", [(MOVED, -0.1, 0, 0)])
    for action in {"jawOpen", *EASE}:
        write_target(folder / "faceunits01" / "targets" / "faceunits" / f"{action}.target")
    write_masks(mpfb / "textures")
    return folder


assert set(GROUPS) == {"body", *BOXES, *(f"helper-{name}" for name in LASHES)}
