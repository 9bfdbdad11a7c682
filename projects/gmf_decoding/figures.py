"""The figures of the decoding experiment, from its tables alone.

Networks that saw other images cannot be compared, so each set of stimuli has figures of its
own. Those of the first set in ``gmf_decoding.recordings`` bear the plain names.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from facelab_viz import theme
from facelab_viz.curves import factors_over_layers
from facelab_viz.matrices import layer_by_factor

from projects import stage


@dataclass(frozen=True, kw_only=True)
class Config:
    """Section ``gmf_decoding.figures`` of params.yaml.

    Attributes
    ----------
    layers : dict of str to str
        What layers are called in print.
    labels : dict of str to str
        What networks, factors and measures are called in print.
    """

    layers: dict[str, str]
    labels: dict[str, str]


def main() -> None:
    """Draw every factor over the layers, beside the untrained network, and the table of values."""
    with stage.run("gmf_decoding-figures") as run:
        config = run.params(Config, "gmf_decoding.figures")
        recordings = run.params(tuple[str, ...], "gmf_decoding.recordings")
        folder = run.read("results/gmf_decoding/decode")
        seen = {name: run.params(str, f"recordings.{name}.stimuli") for name in recordings}
        labels = config.labels | config.layers
        with theme.apply():
            for number, (stimuli, names) in enumerate(group(seen).items()):
                table = pd.concat(pd.read_csv(folder / name / "summary.csv") for name in names)
                suffix = f"_{stimuli}" if number else ""
                fig = factors_over_layers(table, low="low", high="high", order=names, labels=labels)
                save(run, fig, f"factors_over_layers{suffix}")
                first = table[table["network"] == names[0]]
                fig = layer_by_factor(first, labels=labels).figure
                save(run, fig, f"layer_by_factor{suffix}")


def group(seen: Mapping[str, str]) -> dict[str, list[str]]:
    """Give the recordings of each set of stimuli, in order.

    >>> group({"identity": "faces", "celeba": "photographs", "untrained": "faces"})
    {'faces': ['identity', 'untrained'], 'photographs': ['celeba']}
    """
    found: dict[str, list[str]] = {}
    for name, stimuli in seen.items():
        found.setdefault(stimuli, []).append(name)
    return found


def save(run: stage.Run, fig: object, name: str) -> None:
    """Save a figure for the screen and for print, the same bytes for the same figure."""
    fig.savefig(run.results / f"{name}.png", dpi=200, metadata={"Software": None})
    fig.savefig(run.artifacts / f"{name}.pdf", metadata={"CreationDate": None})


if __name__ == "__main__":
    stage.start(main)
