"""The figures of the receptive field experiment, and a gallery of its units."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from facelab_viz import theme
from facelab_viz.contrasts import contrasts_along
from facelab_viz.curves import curve_over_layers
from facelab_viz.gallery import write
from facelab_viz.panels import finish, grid
from facelab_viz.strips import strips
from tqdm import tqdm

from projects import stage
from projects.receptive_fields.pages import pages
from projects.receptive_fields.sitters import layers_of, sit, spread


@dataclass(frozen=True, kw_only=True)
class Config:
    """Section ``receptive_fields.figures`` of params.yaml.

    Attributes
    ----------
    units, images : int
        Examples in each layer's sheet, and images of each.
    gallery_units : int
        Of each layer in the gallery; 0 for all.
    tile_px : int
        Side of an image there.
    linear_to : float
        The epoch up to which the axis of epochs is linear; logarithmic beyond.
    labels : dict of str to str
        What rows and measures are called in print.
    """

    units: int
    images: int
    gallery_units: int
    tile_px: int
    linear_to: float
    labels: dict[str, str]


def main() -> None:
    """Draw sizes and ratios by layer and over training, a sheet per layer, and the gallery."""
    with stage.run("receptive_fields-figures") as run:
        config = run.params(Config, "receptive_fields.figures")
        mapped = run.read("results/receptive_fields/map")
        portrayed = run.read("artifacts/receptive_fields/map")
        rows = run.peek("receptive_fields.maps")
        table = collect(mapped, rows)
        with theme.apply():
            draw_sizes(run, table, config)
            draw_ratios(run, table, config)
            draw_training(run, table, config)
            for row in rows:
                draw_sheets(run, row, portrayed / row, config)
        hang(run, {row: portrayed / row for row in rows}, table, config)
        run.attach(run.artifacts)


def collect(folder: Path, rows: Iterable[str]) -> pd.DataFrame:
    """Put the layers' means of all rows one below the other."""
    tables = [pd.read_csv(folder / row / "layers.csv").assign(row=row) for row in rows]
    return pd.concat(tables, ignore_index=True)


def ends(table: pd.DataFrame) -> pd.DataFrame:
    """Keep, of each row, the last epoch, and the first where the network was untrained."""
    epochs = table.groupby("row")["epoch"].transform("max")
    return table[table["epoch"].eq(epochs) | table["state"].eq("untrained")]


def draw_sizes(run: stage.Run, table: pd.DataFrame, config: Config) -> None:
    """Draw the sizes of fields by layer, a panel per row: empirical, untrained, theoretical."""
    shown = ends(table)
    empirical = shown[shown["measure"] == "size_px"]
    empirical = empirical.assign(line=empirical["state"].replace("trained", "empirical"))
    theoretical = table[table["measure"] == "theoretical_px"].drop_duplicates(
        ["row", "layer", "seed"]
    )
    shown = pd.concat([empirical, theoretical.assign(line="theoretical")])
    rows = list(dict.fromkeys(table["row"]))
    fig, cells = grid([rows], theme.DOUBLE_MM if len(rows) > 1 else theme.SINGLE_MM, 60)
    for row, ax in cells.items():
        part = alike(shown[shown["row"] == row], "line", shown["line"])
        curve_over_layers(part, "mean", "line", ax, legend=False)
        ax.set_title(config.labels.get(row, row), loc="left")
    from_zero(cells)
    finish(fig, cells, [rows])
    fig.supylabel("receptive field (px)")
    save(run, fig, "size_by_layer")


def draw_ratios(run: stage.Run, table: pd.DataFrame, config: Config) -> None:
    """Draw the ratio of empirical to theoretical sizes by layer, a panel per row."""
    shown = ends(table)
    shown = shown[shown["measure"] == "ratio"]
    rows = list(dict.fromkeys(table["row"]))
    wide = theme.DOUBLE_MM if len(rows) > 1 else theme.SINGLE_MM
    fig, cells = grid([rows], wide, 60, share_y=True)
    for row, ax in cells.items():
        part = alike(shown[shown["row"] == row], "state", shown["state"])
        curve_over_layers(part, "mean", "state", ax, legend=False)
        ax.set_title(config.labels.get(row, row), loc="left")
    from_zero(cells)
    finish(fig, cells, [rows])
    fig.supylabel("empirical / theoretical size")
    save(run, fig, "ratio_by_layer")


def alike(part: pd.DataFrame, by: str, names: pd.Series) -> pd.DataFrame:
    """Give a panel every line that any has, in one order, so that each looks alike in all."""
    nothing = dict.fromkeys(("mean", "low", "high"), np.nan)
    lines = []
    for name in dict.fromkeys(names):
        here = part[part[by] == name]
        lines.append(here if len(here) else part.iloc[:1].assign(**{by: name}, **nothing))
    return pd.concat(lines)


def from_zero(cells: Mapping[str, Any]) -> None:
    """Let every panel begin at 0; only now, for axes that are shared know their top at the end."""
    for ax in cells.values():
        ax.set_ylim(bottom=0)


def draw_training(run: stage.Run, table: pd.DataFrame, config: Config) -> None:
    """Draw the ratio of each layer over training, a panel per row with several checkpoints."""
    several = table.groupby("row")["epoch"].transform("nunique") > 1
    shown = table[several & table["measure"].eq("ratio")]
    if shown.empty:
        return
    labels = config.labels | {"mean": "empirical / theoretical size"}
    wide = theme.DOUBLE_MM if shown["row"].nunique() > 1 else theme.SINGLE_MM
    settings = {"labels": labels, "linear_to": config.linear_to, "panel_mm": 60, "width_mm": wide}
    fig = contrasts_along(shown, "epoch", by="layer", split="row", **settings)
    save(run, fig, "ratio_over_training")


def draw_sheets(run: stage.Run, row: str, folder: Path, config: Config) -> None:
    """Draw some units of each layer at the end of training, from small fields to large ones."""
    for layer in layers_of(folder)[-1]:
        chosen = spread(layer, config.units)
        if len(chosen):
            fig = strips(list(sit(layer, chosen, config.images)), tile_px=config.tile_px)
            save(run, fig, f"units_{row}_{layer.path.stem}")


def hang(run: stage.Run, folders: dict[str, Path], table: pd.DataFrame, config: Config) -> None:
    """Write the gallery."""
    some = {"units": config.gallery_units, "images": config.images, "tile_px": config.tile_px}
    found = tqdm(pages(folders, table, **some), desc="gallery", unit="page", delay=2)
    write(run.artifacts / "gallery", found)


def save(run: stage.Run, fig: object, name: str) -> None:
    """Save a figure for the screen and for print, the same bytes for the same figure."""
    fig.savefig(run.results / f"{name}.png", dpi=200, metadata={"Software": None})
    fig.savefig(run.artifacts / f"{name}.pdf", metadata={"CreationDate": None})


if __name__ == "__main__":
    stage.start(main)
