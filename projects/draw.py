"""Make the stimulus sets: faces drawn by the generator, photographs brought in, words painted on.

A row of ``stimuli`` that has a ``design`` is drawn by the generator, one that has ``words`` is
another row's set with words on its images, one that has a ``source`` is brought in.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from facelab_data import faces, stimuli, words
from facelab_data.appearance import ALBEDO
from facelab_data.factors import Design, sample
from facelab_data.production import produce
from facelab_data.shards import Pen
from facelab_data.sources.folders import read_folder
from facelab_data.sources.photographs import Photographs
from facelab_data.words import Words
from facelab_viz.pictures import contact_sheet

from projects import stage

SHARD = 64
SHOWN = 48


@dataclass(frozen=True, kw_only=True)
class Generated:
    """A row of ``stimuli`` in params.yaml that the generator draws.

    Attributes
    ----------
    path : str
        The face model.
    size_px : int
    eyes : int
        1, or 2 for a left and a right picture of each face.
    design : Design
        Which faces.
    """

    path: str
    size_px: int
    eyes: int
    design: Design


def main(name: str) -> None:
    """Make the set of the row called `name`, and a sheet to look at."""
    with stage.run("draw", name) as run:
        section, path = f"stimuli.{name}", run.artifacts / "stimuli.h5"
        kind = kind_of(run.peek(section), section)
        row = run.params(kind, section)
        if kind is Generated:
            draw(row, path, run.scratch, run.seed)
        elif kind is Words:
            run.read(row.path)
            words.paint(path, row, run.seed)
        else:
            read_folder(path, row, run.seed)
            run.read(row.path)  # the run's record of what the folder held
        made = stimuli.read(path)
        run.log(count(made))
        run.picture(
            contact_sheet(made.images(choose(made, run.seed)), columns=8), "contact_sheet.png"
        )


def kind_of(row: Mapping, section: str) -> type:
    """Tell what makes a row's set, by the key that only such rows have.

    Raises
    ------
    ValueError
        When it has none of these keys, or several.
    """
    kinds = {"design": Generated, "words": Words, "source": Photographs}
    found = [kinds[key] for key in kinds if key in (row or ())]
    if len(found) != 1:
        raise ValueError(f"params.yaml: {section} has not just one of {', '.join(kinds)}")
    return found[0]


def draw(row: Generated, path: Path, scratch: Path, seed: int) -> None:
    """Draw a design with the generator, on all processors."""
    model = faces.open_model(Path(row.path))
    factors = sample(row.design, model.shape_names, ALBEDO, seed)
    pen = Pen(
        open_model=faces.open_model,
        draw=faces.draw,
        model=Path(row.path),
        size_px=row.size_px,
        eyes=row.eyes,
        seed=seed,
    )
    names = {"shape": model.shape_names, "albedo": ALBEDO}
    about = {"source": "generator", "seed": seed}
    produce(
        path,
        factors,
        pen,
        workers=os.cpu_count() or 1,
        scratch=scratch,
        shard_size=SHARD,
        names=names,
        provenance=about,
    )


def count(made: stimuli.Stimuli) -> dict[str, float]:
    """Count the images, the identities, and the images of each split."""
    splits = made.factors["split"].value_counts()
    return {
        "images": float(len(made.factors)),
        "identities": float(made.factors["identity"].nunique()),
        **{f"images_{split}": float(number) for split, number in splits.items()},
    }


def choose(made: stimuli.Stimuli, seed: int) -> np.ndarray:
    """Choose images for the sheet: as many people as there is room for, at random."""
    shuffled = made.factors.sample(frac=1, random_state=seed)
    first = shuffled.groupby("identity", sort=True).head(1)
    return np.sort(first.index.to_numpy()[:SHOWN])


if __name__ == "__main__":
    stage.start(main)
