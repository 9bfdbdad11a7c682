"""Measure what every unit looks at: discrepancy maps of its best images, and the field they give.

What the network says the images show is asked first. Then, for each checkpoint and layer: the
images that excite each unit most, a map of each of them, and the unit's receptive field from these
(Zhou et al. 2015). What is finished is kept when the stage is killed.
"""

import re
import shutil
import zlib
from dataclasses import dataclass
from pathlib import Path
from zipfile import is_zipfile

import numpy as np
import pandas as pd
from facelab_data import stimuli
from facelab_data.aside import aside
from facelab_probing import mapping, portraits
from facelab_probing.occluders import Occluder
from facelab_probing.refinement import Coarse
from facelab_probing.top_images import top_images
from tqdm import tqdm

from projects import stage, trained
from projects.receptive_fields.recognition import recognise
from projects.receptive_fields.summary import ALL, summarise
from projects.receptive_fields.survey import Survey, carry_out
from projects.receptive_fields.thumbnails import keep_thumbnails
from projects.receptive_fields.viewers import ALL as EVERY
from projects.receptive_fields.viewers import Viewer, find, rows_of


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of ``receptive_fields.maps`` in params.yaml.

    Attributes
    ----------
    network, stimuli : str
        Rows of ``networks`` and ``stimuli``.
    splits : tuple of str
        Whose images.
    checkpoints : tuple of str
        ``first`` (untrained, unless it began from weights), ``last``, epochs such as ``5``; or
        ``all``.
    layers : dict of str to str
        Dotted names in order of depth, and what they are called.
    top : int
        Images that a unit's field is measured from: those that excite it most.
    units : int
        Of each layer, drawn at random; 0 for all.
    occluder : Occluder
    coarse : Coarse, optional
        Map coarsely first, and every place only where a unit's drops are large.
    fraction : float
        Of its peak that a map reaches where it counts as part of the segment, or of the area.
    thumbnail_px : int
        Larger side of the pictures that are kept of the best images.
    """

    network: str
    stimuli: str
    splits: tuple[str, ...]
    checkpoints: tuple[str, ...]
    layers: dict[str, str]
    top: int
    units: int
    occluder: Occluder
    coarse: Coarse | None
    fraction: float
    thumbnail_px: int

    def __post_init__(self) -> None:
        for name, least in {"top": 1, "units": 0, "thumbnail_px": 1}.items():
            if (value := getattr(self, name)) < least:
                raise ValueError(f"{name} is {least} or more, not {value}")
        if not 0 < self.fraction <= 1:
            raise ValueError(f"fraction is above 0 and at most 1, not {self.fraction}")
        for name in ("splits", "checkpoints", "layers"):
            if not getattr(self, name):
                raise ValueError(f"{name} names none; at least one is needed")
        if EVERY in self.checkpoints and len(self.checkpoints) > 1:
            raise ValueError(f"'{EVERY}' stands alone, not among {list(self.checkpoints)}")
        _check_occluder(self.occluder, self.coarse)
        _check_labels(self.layers)


def _check_occluder(occluder: Occluder, coarse: Coarse | None) -> None:
    if coarse and occluder.reduction != "at_maximum":
        raise ValueError(f"coarse maps are of drops 'at_maximum', not {occluder.reduction!r}")
    if occluder.stride_px > occluder.size_px:
        told = f"{occluder.stride_px} px from one occluder of {occluder.size_px} px to the next"
        raise ValueError(f"stride_px leaves gaps: {told}; it is size_px or less")


def _check_labels(layers: dict[str, str]) -> None:
    """See that every layer has a name of its own, which can stand in tables, files and charts."""
    for layer, label in layers.items():
        if not layer or not re.fullmatch(r"[\w.\- ]*\w[\w.\- ]*", label):
            wanted = "letters, digits, _, -, . and spaces"
            raise ValueError(f"layer '{layer}' is called '{label}'; names are of {wanted}")
    labels = list(layers.values())
    if twice := [label for label in labels if labels.count(label) > 1]:
        raise ValueError(f"two layers are called '{twice[0]}'; their units would be one layer's")


def main(name: str) -> None:
    """Map the row called `name`; write recognition, the units' fields and the layers' means."""
    with stage.run("receptive_fields-map", name) as run:
        row = run.params(Row, f"receptive_fields.maps.{name}")
        made = stimuli.read(run.read(f"artifacts/draw/{row.stimuli}") / "stimuli.h5")
        paths, rows = find(run, row.network, row.checkpoints), rows_of(made, row.splits)
        weights = run.peek(f"networks.{row.network}")["weights"]

        def viewer(path: Path) -> Viewer:
            net, facts = trained.read(run, path, row.network)
            return Viewer(path=path, net=net, facts=facts, made=made, rows=rows, weights=weights)

        check(viewer(paths[0]), row)
        asked = [recognise(viewer(path)) for path in tqdm(paths, desc="recognising", delay=2)]
        scores, confusion = (
            pd.concat(tables, ignore_index=True).assign(network=row.network)
            for tables in zip(*asked, strict=True)
        )
        run.table(scores, "recognition.csv")
        run.table(confusion, "confusion.csv")
        bar = tqdm(paths, desc=name, unit="network", delay=2)
        units = pd.concat([measure(run, viewer(path), row) for path in bar], ignore_index=True)
        layers = summarise(units)
        run.table(units.assign(network=row.network), "units.csv")
        run.table(layers.assign(network=row.network), "layers.csv")
        report(run, scores, layers)
        if row.coarse:
            run.log({"coarse_error/mean": units["error"].mean()})
            run.log({"coarse_error/largest": units["error"].max()})


def check(viewer: Viewer, row: Row) -> None:
    """Raise ValueError where images, occluder and layers do not go together."""
    for side in viewer.size_px:
        row.occluder.places(side)
    viewer.prepare(row.layers)


def measure(run: stage.Run, viewer: Viewer, row: Row) -> pd.DataFrame:
    """Portray the units of every layer of a network; give their table, a row per unit."""
    home = run.artifacts / viewer.name
    home.mkdir(parents=True, exist_ok=True)
    paths = {layer: home / f"{layer}.h5" for layer in row.layers}
    if not all(path.exists() for path in paths.values()):
        portray(run, viewer, row, paths)
    if not (home / "images.h5").exists():
        ids = np.unique(np.concatenate([portraits.images(path) for path in paths.values()]))
        keep_thumbnails(home / "images.h5", viewer, ids, row.thumbnail_px)
    table = pd.concat(
        [portraits.measures(path).assign(layer=row.layers[layer]) for layer, path in paths.items()],
        ignore_index=True,
    )
    table["ratio"] = table["size_px"] / table["theoretical_px"]
    table["ratio_visible"] = table["size_px"] / table["visible_px"]
    return table.assign(state=viewer.state, seed=viewer.facts["seed"], epoch=viewer.facts["epoch"])


def portray(run: stage.Run, viewer: Viewer, row: Row, paths: dict[str, Path]) -> None:
    """Map units of every layer for their best images, and write the layers' portraits.

    The maps made so far are in the scratch folder until all portraits are written.
    """
    scratch, size_px = run.scratch / viewer.name, viewer.size_px
    scratch.mkdir(parents=True, exist_ok=True)
    best = seek(viewer, row, scratch / "best.npz")
    allowed = viewer.fields(row.layers)
    wanted = []
    for layer in row.layers:
        alone = mapping.break_even(allowed[layer], row.occluder, size_px)
        wanted.append(want(layer, best[layer], row.units, run.seed, alone))
    survey = Survey(
        viewer=viewer,
        wanted=tuple(wanted),
        occluder=row.occluder,
        coarse=row.coarse,
        seed=run.seed,
        folder=scratch / "maps",
    )
    made = carry_out(survey)
    for depth, one in enumerate(wanted):
        label, count = row.layers[one.layer], len(best[one.layer][0])
        portraits.write(
            paths[one.layer],
            one,
            mapping.blocks(made, one.layer),
            allowed[one.layer],
            side_px=size_px,
            fraction=row.fraction,
            attributes={"label": label, "depth": depth, "count": count},
        )
    shutil.rmtree(scratch)


def seek(viewer: Viewer, row: Row, path: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Find the best images of the units of each layer and their responses, (units, k).

    They are kept at `path`, and read again from there.
    """
    if not is_zipfile(path):
        most = min(row.top, len(viewer.rows))
        seen = tqdm(viewer.blocks(), desc="best images", unit="block", delay=2, leave=False)
        found = top_images(viewer.net, seen, list(row.layers), most)
        with aside(path) as part, part.open("wb") as file:
            kept = {layer: np.stack([top.ids, top.responses]) for layer, top in found.items()}
            np.savez(file, **kept)
    with np.load(path) as kept:
        return {layer: (kept[layer][0].astype(int), kept[layer][1]) for layer in row.layers}


def want(
    layer: str, best: tuple[np.ndarray, np.ndarray], most: int, seed: int, alone: float
) -> mapping.Wanted:
    """Draw units of a layer, alike for every network of a row, and take their best images.

    Where a unit that is never below 0 answers 0, it has nothing to lose; one such image is enough
    to say so.
    """
    rng = np.random.default_rng([seed, zlib.crc32(layer.encode())])
    units = mapping.choose(len(best[0]), most, rng)
    ids, responses = (each[units] for each in best)
    lowest = np.where(ids < 0, np.inf, responses).min(axis=1, keepdims=True)
    silent = (responses == 0) & (lowest == 0)  # the last ones, for the best come first
    ids[:, 1:][silent[:, 1:]] = -1
    return mapping.Wanted(layer=layer, units=units, ids=ids, alone=alone)


def report(run: stage.Run, scores: pd.DataFrame, layers: pd.DataFrame) -> None:
    """Send accuracy, sizes and ratios to the run: curves over training, the last as the result."""
    last = layers["epoch"].max()
    whole = layers[(layers["seed"] == ALL) & layers["measure"].isin(("size_px", "ratio"))]
    points = [
        (f"{each.measure}/{each.layer}", each.epoch, each.mean) for each in whole.itertuples()
    ]
    accuracy = scores.groupby(["task", "epoch"], sort=False)["accuracy"].mean()
    points += [(f"accuracy/{task}", epoch, mean) for (task, epoch), mean in accuracy.items()]
    run.curves((name, round(epoch), mean) for name, epoch, mean in points if epoch < last)
    final = {name: mean for name, epoch, mean in points if epoch == last and np.isfinite(mean)}
    run.log(final, step=round(last))


if __name__ == "__main__":
    stage.start(main)
