"""The gallery of the units: a page for each network and moment of training, one for each layer."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from facelab_probing import portraits
from facelab_viz import strips
from facelab_viz.gallery import Card, Page

from projects.receptive_fields.sitters import Layer, layers_of, sit, spread

INDEX = "index.html"
LEGEND = (
    "Each unit: the images that excite it most, from left to right; how much its response falls "
    "where each part is hidden (dark: not at all); what reaches the set fraction of the largest "
    "fall. To the right the mean of these maps around the place where the unit responds, white "
    "round its area, blue round the field that the architecture allows. Sizes in pixels, corrected "
    "for the occluder, ± standard error over the images."
)


def pages(
    folders: Mapping[str, Path], tables: pd.DataFrame, *, units: int, images: int, tile_px: int
) -> Iterator[Page]:
    """Lay out the gallery: an index, a page per network and epoch, a page per layer.

    Parameters
    ----------
    folders : mapping of Path
        The portraits of each row of ``receptive_fields.maps``.
    tables : DataFrame
        Means of the layers, as `summary.summarise` gives them, with a column ``row``.
    units, images : int
        Of each layer, 0 for all; of each unit.
    """
    found = {row: layers_of(folder) for row, folder in folders.items()}
    yield _front(found, tables)
    for row, moments in found.items():
        for layers in moments:
            title = _title(tables, row, layers[0].epoch)
            yield _moment((row, title), layers, tables, (units, images, tile_px))
            for place, layer in enumerate(layers):
                around = layers[max(place - 1, 0) : place], layers[place + 1 : place + 2]
                yield _layer((row, title), layer, around, (units, images, tile_px))


def _home(row: str, epoch: float) -> str:
    return f"{row}/epoch-{epoch:g}"


def _title(tables: pd.DataFrame, row: str, epoch: float) -> str:
    """Say which network this is, and when: given weights have seen more than epoch 0."""
    here = tables[tables["row"].eq(row) & tables["epoch"].eq(epoch)]
    given = epoch == 0 and here["state"].eq("trained").all()
    return f"{row}, with the weights it was given" if given else f"{row}, epoch {epoch:g}"


def _means(tables: pd.DataFrame, row: str, epoch: float, of: str = "mean") -> pd.DataFrame:
    """Give a layer per line and a measure per column, over all seeds."""
    here = tables[
        tables["row"].eq(row) & tables["epoch"].eq(epoch) & tables["seed"].astype(str).eq("all")
    ]
    # A single unit has no interval: kept as nan, else its layer would be missing.
    return here.pivot_table(index="layer", columns="measure", values=of, sort=False, dropna=False)


def _front(found: Mapping[str, Sequence], tables: pd.DataFrame) -> Page:
    lines, targets = [], {}
    for row, moments in found.items():
        for layers in moments:
            epoch = layers[0].epoch
            ratio = _means(tables, row, epoch)["ratio"]
            title = _title(tables, row, epoch)
            targets[title] = f"{_home(row, epoch)}/{INDEX}"
            spans = f"{ratio.iloc[0]:.2f} … {ratio.iloc[-1]:.2f}"
            lines.append({"network": title, "layers": len(layers), "ratio, first … last": spans})
    return Page(
        path=INDEX,
        title="What units look at",
        words="Empirical receptive fields of every layer; the ratio is theirs to the theoretical.",
        links={},
        tables={"Networks": pd.DataFrame(lines)},
        targets=targets,
        cards=(),
    )


def _moment(of: tuple[str, str], layers: Sequence[Layer], tables: pd.DataFrame, how: tuple) -> Page:
    (row, title), (_, images, tile_px) = of, how
    home = _home(row, layers[0].epoch)
    means, low, high = (_means(tables, row, layers[0].epoch, of) for of in ("mean", "low", "high"))
    shown = pd.DataFrame(
        {
            "layer": means.index,
            "empirical (px)": means["size_px"].map("{:.1f}".format).to_numpy(),
            "theoretical (px)": means["theoretical_px"].map("{:.0f}".format).to_numpy(),
            "ratio": means["ratio"].map("{:.2f}".format).to_numpy(),
            "95 % interval": [
                f"{a:.2f} … {b:.2f}" for a, b in zip(low["ratio"], high["ratio"], strict=True)
            ],
        }
    )
    return Page(
        path=f"{home}/{INDEX}",
        title=title,
        words="Means over units and training seeds, and the unit of the first seed whose field is "
        "in the middle. " + LEGEND,
        links={"all networks": INDEX},
        tables={"Layers": shown},
        targets={layer.label: f"{home}/{_file(layer)}" for layer in layers},
        cards=(
            Card(title=f"{layer.label}, {card.title}", words=card.words, picture=card.picture)
            for layer in layers
            for card in _cards(layer, spread(layer, 3)[1:2], images, tile_px)
        ),
    )


def _layer(
    of: tuple[str, str], layer: Layer, around: tuple[Sequence, Sequence], how: tuple
) -> Page:
    (row, title), (units, images, tile_px) = of, how
    home = _home(row, layer.epoch)
    before, after = around
    links = {"all networks": INDEX, title: f"{home}/{INDEX}"}
    links |= {f"← {other.label}": f"{home}/{_file(other)}" for other in before}
    links |= {f"{other.label} →": f"{home}/{_file(other)}" for other in after}
    with portraits.opened(layer.path) as album:
        portrayed, count = len(album.table), int(album.facts["count"])
    rows = np.arange(min(units or portrayed, portrayed))
    return Page(
        path=f"{home}/{_file(layer)}",
        title=f"{layer.label}: {len(rows)} of its {count} units",
        words=LEGEND,
        links=links,
        tables={},
        targets={},
        cards=_cards(layer, rows, images, tile_px),
    )


def _cards(layer: Layer, rows: np.ndarray, images: int, tile_px: int) -> Iterator[Card]:
    for sitter in sit(layer, rows, images):
        title, _, words = sitter.caption.partition(": ")
        yield Card(title=title, words=words, picture=strips.whole(sitter, tile_px))


def _file(layer: Layer) -> str:
    """Name a layer's page; its label may hold signs that paths do not."""
    return f"{layer.path.stem}.html"
