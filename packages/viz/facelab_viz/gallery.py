"""A gallery to be browsed: a folder of plain HTML pages and pictures that opens from disk.

Pages hold tables or cards (a picture and words). Links are relative and nothing comes from
elsewhere, so the folder can be moved, zipped, or attached to a run. No scripts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from os.path import relpath
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.image import imsave

STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.45 system-ui, "DejaVu Sans", sans-serif; color: #222; background: #fafafa;
  margin: 0 auto; max-width: 1500px; padding: 1.2rem 1.6rem 4rem; }
h1 { font-size: 1.5rem; margin: 0.6rem 0 0.3rem; }
h2 { font-size: 1.1rem; margin: 1.8rem 0 0.4rem; }
p { margin: 0.2rem 0 0.8rem; max-width: 62rem; }
nav { font-size: 0.9rem; display: flex; gap: 1.2rem; flex-wrap: wrap; }
a { color: #0067a5; text-decoration: none; }
a:hover { text-decoration: underline; }
table { border-collapse: collapse; background: #fff; font-variant-numeric: tabular-nums; }
th, td { padding: 0.35rem 0.9rem; border-bottom: 1px solid #e4e4e4; text-align: right; }
th { font-weight: 600; border-bottom: 1px solid #999; }
th:first-child, td:first-child { text-align: left; }
.cards { display: grid; gap: 1rem; margin-top: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(620px, 1fr)); }
figure { margin: 0; background: #fff; border: 1px solid #e4e4e4; border-radius: 4px;
  padding: 0.6rem; }
figure img { display: block; max-width: 100%; height: auto; }
figcaption { display: flex; gap: 1rem; font-size: 0.9rem; padding-bottom: 0.4rem; }
figcaption b { min-width: 5rem; }
@media (max-width: 700px) { .cards { grid-template-columns: 1fr; } }
"""


@dataclass(frozen=True, kw_only=True)
class Card:
    """A picture, (H, W, 3) uint8, its title and a few words."""

    title: str
    words: str
    picture: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of a gallery.

    Attributes
    ----------
    path : str
        Within the gallery, such as ``conv1/index.html``; its pictures lie beside it.
    title, words : str
    links : mapping of str
        Paths of other pages, by what they are called: above the title.
    tables : mapping of DataFrame
        By their heading; a cell of the first column links where `targets` says.
    targets : mapping of str
        Paths of pages, by the words that link to them.
    cards : iterable of Card
    """

    path: str
    title: str
    words: str
    links: Mapping[str, str]
    tables: Mapping[str, pd.DataFrame]
    targets: Mapping[str, str]
    cards: Iterable[Card]


def write(folder: Path, pages: Iterable[Page]) -> None:
    """Write a gallery; the first page asked for is ``index.html`` by its path, if any is.

    Pages and cards are taken one at a time, so memory is that of a picture.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "style.css").write_text(STYLE.lstrip())
    for page in pages:
        place = folder / page.path
        place.parent.mkdir(parents=True, exist_ok=True)
        cards = [_hang(place, number, card) for number, card in enumerate(page.cards)]
        place.write_text(_html(page, cards), encoding="utf-8")


def _hang(place: Path, number: int, card: Card) -> str:
    """Write a card's picture beside its page, and say how it is shown."""
    name = f"{place.stem}-{number:04d}.jpg"
    # Of matplotlib's own words in the file there is one version for each matplotlib.
    imsave(place.with_name(name), card.picture, format="jpg", pil_kwargs={"quality": 88})
    height, width, _ = card.picture.shape
    size = f'width="{width}" height="{height}"'
    return (
        f"<figure><figcaption><b>{escape(card.title)}</b> {escape(card.words)}</figcaption>"
        f'<img src="{escape(name)}" {size} loading="lazy" alt="{escape(card.title)}"></figure>'
    )


def _html(page: Page, cards: Sequence[str]) -> str:
    links = "".join(
        f'<a href="{_from(page, target)}">{escape(words)}</a>'
        for words, target in page.links.items()
    )
    tables = "".join(
        f"<h2>{escape(heading)}</h2>{_table(page, table)}" for heading, table in page.tables.items()
    )
    hung = f'<div class="cards">{"".join(cards)}</div>' if cards else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(page.title)}</title>"
        f'<link rel="stylesheet" href="{_from(page, "style.css")}"></head>\n<body>'
        f"<nav>{links}</nav><h1>{escape(page.title)}</h1><p>{escape(page.words)}</p>\n"
        f"{tables}{hung}</body></html>\n"
    )


def _table(page: Page, table: pd.DataFrame) -> str:
    head = "".join(f"<th>{escape(str(name))}</th>" for name in table.columns)
    rows = []
    for first, *rest in table.itertuples(index=False):
        cells = [_linked(page, str(first)), *(escape(str(cell)) for cell in rest)]
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _linked(page: Page, words: str) -> str:
    if words not in page.targets:
        return escape(words)
    return f'<a href="{_from(page, page.targets[words])}">{escape(words)}</a>'


def _from(page: Page, target: str) -> str:
    """Give the way from a page to another file of the gallery."""
    return escape(Path(relpath(target, Path(page.path).parent)).as_posix())
