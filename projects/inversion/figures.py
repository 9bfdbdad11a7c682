"""The figures of the inversion experiment, from its tables alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from facelab_viz import theme
from facelab_viz.contrasts import contrast_along, contrasts_along
from facelab_viz.curves import curve_over_layers
from facelab_viz.panels import finish, grid

from projects import stage


@dataclass(frozen=True, kw_only=True)
class Config:
    """Section ``inversion.figures`` of params.yaml.

    Attributes
    ----------
    linear_to : float
        The epoch up to which the axis of epochs is linear; logarithmic beyond.
    layers : dict of str to str
        What layers are called in print.
    labels : dict of str to str
        What networks, views and measures are called in print.
    """

    linear_to: float
    layers: dict[str, str]
    labels: dict[str, str]


def main() -> None:
    """Draw accuracy and gap over training, accuracy by angle, and the gap by layer."""
    with stage.run("inversion-figures") as run:
        config = run.params(Config, "inversion.figures")
        compared = run.read("results/inversion/compare")
        related = run.read("results/inversion/relate")
        networks = run.peek("inversion.comparisons")
        recorded = run.params(tuple[str, ...], "inversion.recordings")
        with theme.apply():
            draw_training(run, collect(compared, networks, "curves"), config)
            draw_gap(run, collect(compared, networks, "gap"), config)
            draw_angles(run, collect(compared, networks, "angles"), config)
            draw_layers(run, collect(related, recorded, "layers"), config)


def collect(folder: Path, rows: Iterable[str], title: str) -> pd.DataFrame:
    """Put the tables of all rows one below the other."""
    return pd.concat([pd.read_csv(folder / row / f"{title}.csv") for row in rows])


def draw_training(run: stage.Run, table: pd.DataFrame, config: Config) -> None:
    """Draw accuracy upright and inverted over the epochs, a panel per network."""
    labels = config.labels | {"mean": "accuracy"}
    fig = contrasts_along(
        table, "epoch", by="view", labels=labels, linear_to=config.linear_to, seeds=True
    )
    save(run, fig, "accuracy_over_training")


def draw_gap(run: stage.Run, table: pd.DataFrame, config: Config) -> None:
    """Draw the gap of each network over the epochs."""
    labels = config.labels | {"mean": "accuracy upright − inverted"}
    fig = theme.figure(theme.SINGLE_MM, 70)
    table = table[table["what"] == "gap"]
    settings = {"labels": labels, "reference": 0.0, "linear_to": config.linear_to}
    contrast_along(table, "epoch", by="network", ax=fig.add_subplot(), **settings)
    save(run, fig, "gap_over_training")


def draw_angles(run: stage.Run, table: pd.DataFrame, config: Config) -> None:
    """Draw the accuracy of each network over the angle by which images are turned."""
    table = table[table["view"].ne("flip")]
    labels = config.labels | {"mean": "accuracy"}
    fig = theme.figure(theme.SINGLE_MM, 70)
    ax = contrast_along(
        table, "angle_deg", by="network", ax=fig.add_subplot(), labels=labels, reference=0.0
    )
    ax.set_xticks(sorted(table["angle_deg"].unique()))
    save(run, fig, "accuracy_by_angle")


def draw_layers(run: stage.Run, table: pd.DataFrame, config: Config) -> None:
    """Draw how well identity is read from each layer upright and inverted, a panel per network."""
    labels = config.labels | config.layers | {"mean": "accuracy above chance"}
    networks = list(dict.fromkeys(table["network"]))
    fig, cells = grid([networks], theme.DOUBLE_MM, 55, share_y=True)
    shown = table[table["what"].isin(("upright", "inverted"))]
    for network, ax in cells.items():
        part = shown[shown["network"] == network]
        curve_over_layers(part, "mean", "what", ax, labels=labels, legend=False)
        ax.set_title(labels.get(network, network), loc="left")
    finish(fig, cells, [networks])
    fig.supylabel(labels["mean"])
    save(run, fig, "identity_by_layer")


def save(run: stage.Run, fig: object, name: str) -> None:
    """Save a figure for the screen and for print, the same bytes for the same figure."""
    fig.savefig(run.results / f"{name}.png", dpi=200, metadata={"Software": None})
    fig.savefig(run.artifacts / f"{name}.pdf", metadata={"CreationDate": None})


if __name__ == "__main__":
    stage.start(main)
