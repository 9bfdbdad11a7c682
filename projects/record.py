"""Record what every layer of a network answers to every image of a set.

The responses are reduced to principal components, fitted on training identities only, as shown
in the first view; other views of the same images share them, so that they can be compared.
A network trained with several seeds gives several recordings, one folder for each view.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from facelab_data import stimuli, views
from facelab_models.network import FaceNet
from facelab_probing import reduction
from facelab_probing.recording import record

from projects import provenance, stage, trained
from projects.material import pixels

BLOCK = 256


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A row of ``recordings`` in params.yaml.

    Attributes
    ----------
    stimuli, network : str
        Rows of ``stimuli`` and ``networks``.
    checkpoint : str
        ``last``; ``first``, the untrained network; or an epoch such as ``0.250``.
    views : tuple of str
        How images are shown, see `facelab_data.views`.
    layers : tuple of str
        Dotted names.
    components : int
        Principal components to keep of each layer; 0 records every unit.
    dtype : str
        float32 or float16.
    """

    stimuli: str
    network: str
    checkpoint: str
    views: tuple[str, ...]
    layers: tuple[str, ...]
    components: int
    dtype: str


def main(name: str) -> None:
    """Record the row called `name`, one file for each view and each seed of its network."""
    with stage.run("record", name) as run:
        row = run.params(Recording, f"recordings.{name}")
        place = run.read(f"artifacts/draw/{row.stimuli}") / "stimuli.h5"
        made, digest = stimuli.read(place), provenance.digest(place)
        networks = run.read(f"artifacts/train/{row.network}")
        for folder in trained.seeds(networks).values():
            path = trained.choose(folder, row.checkpoint)
            net, facts = trained.read(run, path, row.network)
            made_from = {"network": row.network, "epoch": facts["epoch"], "seed": facts["seed"]}
            for view in row.views:
                path = run.artifacts / view / f"{folder.name}.h5"
                captured = listen(net, made, row, path, (digest, made_from, run.scratch))
            run.curves(
                (f"captured_variance/{folder.name}", depth, share)
                for depth, share in enumerate(captured)
            )
            run.log({f"captured_variance_least/{folder.name}": min(captured)})


def listen(
    net: FaceNet,
    made: stimuli.Stimuli,
    row: Recording,
    path: Path,
    about: tuple[str, dict[str, object], Path],
) -> list[float]:
    """Record one view of one network; give the share of each layer's variance that is kept."""
    (digest, made_from, scratch), view = about, path.parent.name
    kept = reduce(net, made, row, scratch / f"{path.stem}.pca.h5") if row.components else None
    labels = {"split": made.factors["split"].to_numpy(dtype=str)}
    for factor, columns in made.outputs.items():
        values = made.factors[list(columns)].to_numpy()
        labels[factor] = values if len(columns) > 1 else values[:, 0]
    labels.setdefault("identity", made.factors["identity"].to_numpy())
    done = record(
        net,
        seen(net, made, view),
        row.layers,
        path,
        ids=np.arange(len(made.factors)),
        images_digest=f"{digest} {view}",
        labels={name: tidy(values) for name, values in labels.items()},
        attributes=made_from | {"view": view, "kinds": made.kinds, "levels": made.levels},
        dtype=row.dtype,
        reduction=kept,
        scratch=scratch,
    )
    shares = [done.components(layer).get("captured", np.ones(1)) for layer in row.layers]
    return [float(share.sum()) for share in shares]


def reduce(net: FaceNet, made: stimuli.Stimuli, row: Recording, path: Path) -> reduction.Reduction:
    """Fit the principal components on the training images, or find those of a killed run."""
    if path.exists():
        return reduction.load(path)
    split = made.factors["split"].to_numpy(dtype=str)
    ids = np.flatnonzero(split == "training")
    found = reduction.fit(
        net,
        seen(net, made, row.views[0], ids),
        row.layers,
        row.components,
        ids=ids,
        identity=made.factors["identity"].to_numpy(),
        split=split,
    )
    reduction.save(found, path)
    return found


def seen(
    net: FaceNet, made: stimuli.Stimuli, view: str, ids: np.ndarray | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Read images as the network takes them, of one eye or two, and show them in a view."""
    ids = np.arange(len(made.factors)) if ids is None else ids
    for start in range(0, len(ids), BLOCK):
        rows = ids[start : start + BLOCK]
        yield rows, views.show(pixels(made, rows, net.eyes), view)


def tidy(values: np.ndarray) -> np.ndarray:
    """Turn a column of text into an array of text, empty where missing; leave numbers be."""
    return np.where(pd.isna(values), "", values).astype(str) if values.dtype == object else values


if __name__ == "__main__":
    stage.start(main)
