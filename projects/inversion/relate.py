"""Where in the network does inversion hurt: who is it, from each layer, upright and inverted?

Decoders of identity are fitted to upright faces of people the network was not trained on, and
asked about other images of them in every recorded view.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from facelab_probing import recordings
from facelab_probing.intervals import mean_over_identities, paired_differences
from facelab_probing.transfer import TransferConfig, resemblance, transfer_identity
from tqdm import tqdm

from projects import stage

UPRIGHT = "upright"
Views = Mapping[str, recordings.Recording]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Section ``inversion.relate`` of params.yaml.

    Attributes
    ----------
    inverted : str
        The recorded view that is held against upright.
    decoding : TransferConfig
    """

    inverted: str
    decoding: TransferConfig


def main(name: str) -> None:
    """Relate the views of the recording called `name`, layer by layer."""
    with stage.run("inversion-relate", name) as run:
        config = run.params(Config, "inversion.relate")
        seen = load(run.read(f"artifacts/record/{name}"), config.inverted)
        layers = seen[0][UPRIGHT].layers
        values = measure(seen, layers, config, run.seed)
        np.savez(run.artifacts / "values.npz", **values)
        tables = relate(values, layers)
        for title, table in tables.items():
            run.table(table.assign(network=name), f"{title}.csv")
        gap = tables["layers"][tables["layers"]["what"] == "gap"]
        run.curves((f"gap/{name}", depth, value) for depth, value in enumerate(gap["mean"]))
        run.log({f"gap_{name}/{layers[-1]}": float(gap[name].iloc[-1]) for name in ("mean", "low")})


def load(folder: Path, inverted: str) -> list[Views]:
    """Open both views of every training seed.

    Raises
    ------
    FileNotFoundError
        When a view was not recorded; names those that were.
    """
    for view in (UPRIGHT, inverted):
        if not any((folder / view).glob("seed-*.h5")):
            there = ", ".join(sorted(path.name for path in folder.iterdir() if path.is_dir()))
            raise FileNotFoundError(f"{folder} has no view '{view}'; it has {there}")
    names = sorted(
        (p.name for p in (folder / UPRIGHT).glob("seed-*.h5")), key=lambda n: int(n[5:-3])
    )
    return [
        {view: recordings.read(folder / view / name) for view in (UPRIGHT, inverted)}
        for name in names
    ]


def measure(
    seen: list[Views], layers: tuple[str, ...], config: Config, seed: int
) -> dict[str, np.ndarray]:
    """Give what is measured for every testing identity.

    Returns
    -------
    values : dict of array, (S, L, G)
        ``upright`` and ``inverted``: accuracy of reading identity, chance 0. ``same`` and
        ``others``: correlation of a face's pattern with its own inverted one, and with others'.
    """
    found: dict[str, list[list[np.ndarray]]] = {}
    for number, pair in enumerate(seen):
        identity, split = (pair[UPRIGHT].labels[name] for name in ("identity", "split"))
        testing = split == "testing"
        rows: dict[str, list[np.ndarray]] = {}
        for layer in tqdm(layers, desc=f"seed {number + 1} of {len(seen)}", unit="layer"):
            units = {view: recording.units(layer) for view, recording in pair.items()}
            read = transfer_identity(
                units, identity, split, config.decoding, seed=seed, name=f"{layer}/{number}"
            )
            alike = resemblance(*(u[testing] for u in units.values()), identity[testing])
            here = {"upright": read[UPRIGHT], "inverted": read[config.inverted], **alike}
            for what, value in here.items():
                rows.setdefault(what, []).append(value)
        for what, value in rows.items():
            found.setdefault(what, []).append(value)
    return {what: np.array(value) for what, value in found.items()}


def relate(values: Mapping[str, np.ndarray], layers: tuple[str, ...]) -> pd.DataFrame:
    """Tabulate each measure over layers, with its interval over identities and seeds.

    Parameters
    ----------
    values : mapping of array, (S, L, G)
        As `measure` gives them.

    Returns
    -------
    tables : dict of DataFrame
        ``layers``: ``what`` is upright, inverted, their paired difference ``gap``, same, others,
        or the paired difference of these two, ``resemblance``.
    """
    people = next(iter(values.values())).shape[2]
    recall, correlation = (-1 / (people - 1), 1.0), (-1.0, 1.0)  # none right, with chance at 0
    within = {"upright": recall, "inverted": recall, "same": correlation, "others": correlation}
    parts = {
        what: mean_over_identities(array, within=within[what]) for what, array in values.items()
    }
    for what, (first, second) in {
        "gap": ("upright", "inverted"),
        "resemblance": ("same", "others"),
    }.items():
        parts[what] = paired_differences(values[first], values[second], seeds_are_paired=True)
    tables = [table.assign(what=what, layer=layers) for what, table in parts.items()]
    return {"layers": pd.concat(tables, ignore_index=True)}


if __name__ == "__main__":
    stage.start(main)
