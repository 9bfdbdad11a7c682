"""The figures of the inversion experiment, from its tables alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from facelab_viz import theme
from facelab_viz.contrasts import contrast_along, contrasts_along
from facelab_viz.curves import curve_over_layers
from facelab_viz.matrices import confusions
from facelab_viz.panels import finish, grid

from projects import stage

WHOLE = (-0.05, 1.05)  # the range of an accuracy, with a margin


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
    """Draw accuracy and gap over training, accuracy by angle, confusions, and layer by layer."""
    with stage.run("inversion-figures") as run:
        config = run.params(Config, "inversion.figures")
        compared = run.read("results/inversion/compare")
        related = run.read("results/inversion/relate")
        networks = run.peek("inversion.comparisons")
        recorded = run.params(tuple[str, ...], "inversion.recordings")
        with theme.apply():
            draw_training(run, collect(compared, networks, "curves"), config)
            gaps = [collect(compared, networks, title) for title in ("gap", "ranks")]
            draw_gap(run, *gaps, config)
            draw_angles(run, collect(compared, networks, "angles"), config)
            draw_confusions(run, collect(compared, networks, "confusions"), config)
            layers = collect(related, recorded, "layers")
            draw_layers(run, layers, config)
            draw_resemblance(run, layers, config)


def collect(folder: Path, rows: Iterable[str], title: str) -> pd.DataFrame:
    """Put the tables of all rows one below the other."""
    return pd.concat([pd.read_csv(folder / row / f"{title}.csv") for row in rows])


def draw_training(run: stage.Run, table: pd.DataFrame, config: Config) -> None:
    """Draw accuracy upright and inverted over the epochs, a panel per network."""
    labels = config.labels | {"mean": "accuracy"}
    fig = contrasts_along(
        table, "epoch", by="view", labels=labels, linear_to=config.linear_to, seeds=True
    )
    fig.axes[0].set_ylim(*WHOLE)
    save(run, fig, "accuracy_over_training")


def draw_gap(run: stage.Run, table: pd.DataFrame, ranks: pd.DataFrame, config: Config) -> None:
    """Draw the gap of each network over the epochs, in accuracy and in rank."""
    gaps = {"accuracy": table[table["what"] == "gap"], "rank": ranks}
    both = pd.concat([gap.assign(measure=measure) for measure, gap in gaps.items()])
    labels = config.labels | {"mean": "upright − inverted"}
    settings = {"labels": labels, "reference": 0.0, "linear_to": config.linear_to}
    fig = contrasts_along(both, "epoch", by="network", split="measure", panel_mm=60, **settings)
    save(run, fig, "gap_over_training")


def draw_angles(run: stage.Run, table: pd.DataFrame, config: Config) -> None:
    """Draw the accuracy of each network over the angle by which images are turned."""
    table = table[table["view"].ne("flip")]
    labels = config.labels | {"mean": "accuracy", "angle_deg": "angle (°)"}
    fig = theme.figure(theme.SINGLE_MM, 70)
    ax = contrast_along(
        table, "angle_deg", by="network", ax=fig.add_subplot(), labels=labels, reference=0.0
    )
    ax.set(xticks=sorted(table["angle_deg"].unique()), ylim=WHOLE)
    save(run, fig, "accuracy_by_angle")


def draw_confusions(run: stage.Run, table: pd.DataFrame, config: Config) -> None:
    """Draw who is taken for whom, upright above and inverted beneath."""
    save(run, confusions(table, labels=config.labels), "confusions")


def draw_layers(run: stage.Run, table: pd.DataFrame, config: Config) -> None:
    """Draw how well identity is read from each layer upright and inverted, a panel per network."""
    shown = {"upright": "upright", "inverted": "inverted"}
    save(run, by_layer(table, shown, "accuracy above chance", config), "identity_by_layer")


def draw_resemblance(run: stage.Run, table: pd.DataFrame, config: Config) -> None:
    """Draw whether upright patterns are more like the same person's inverted than like others'."""
    shown = {"same": "the same person inverted", "others": "others inverted"}
    save(run, by_layer(table, shown, "correlation of patterns", config), "resemblance_by_layer")


def by_layer(table: pd.DataFrame, shown: Mapping[str, str], measure: str, config: Config) -> object:
    """Draw some rows of ``layers.csv`` over the layers, a panel per network."""
    networks = list(dict.fromkeys(table["network"]))
    fig, cells = grid([networks], theme.DOUBLE_MM, 55, share_y=True)
    table = table[table["what"].isin(shown)]
    for network, ax in cells.items():
        part, labels = table[table["network"] == network], config.layers | dict(shown)
        curve_over_layers(part, "mean", "what", ax, labels=labels, legend=False)
        ax.set_title(config.labels.get(network, network), loc="left")
    finish(fig, cells, [networks])
    fig.supylabel(measure)
    return fig


def save(run: stage.Run, fig: object, name: str) -> None:
    """Save a figure for the screen and for print, the same bytes for the same figure."""
    fig.savefig(run.results / f"{name}.png", dpi=200, metadata={"Software": None})
    fig.savefig(run.artifacts / f"{name}.pdf", metadata={"CreationDate": None})


if __name__ == "__main__":
    stage.start(main)
