"""The figures of the decoding experiment, from its tables alone."""

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
        table = pd.concat(pd.read_csv(folder / name / "summary.csv") for name in recordings)
        labels = config.labels | config.layers
        with theme.apply():
            fig = factors_over_layers(
                table, low="low", high="high", order=recordings, labels=labels
            )
            save(run, fig, "factors_over_layers")
            first = table[table["network"] == recordings[0]]
            save(run, layer_by_factor(first, labels=labels).figure, "layer_by_factor")


def save(run: stage.Run, fig: object, name: str) -> None:
    """Save a figure for the screen and for print, the same bytes for the same figure."""
    fig.savefig(run.results / f"{name}.png", dpi=200, metadata={"Software": None})
    fig.savefig(run.artifacts / f"{name}.pdf", metadata={"CreationDate": None})


if __name__ == "__main__":
    stage.start(main)
