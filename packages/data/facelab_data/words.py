"""Words painted on the images of a stimulus set, as a second thing to read off them.

An image then shows an object (or a face) and a word that have nothing to do with each other, which
asks a network two unrelated questions (after Scholte, Losch et al. 2018, arXiv 1706.01757). Words
are dealt out so that they tell nothing about the object: equally often, within one, in every part
of the set and in every category of it. Size, place and colour of a word depend on the seed, the
number of the image and the word only.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFont
from tqdm import tqdm

from facelab_data import stimuli, tables
from facelab_data.designs import in_turn

BLOCK = 64  # images in memory
SMALLEST_PX = 4
BOLD = 40  # a stroke of one pixel is added for so many pixels of size
FACTORS = {
    "word": "categorical",
    "word_size_px": "continuous",
    "word_x_px": "continuous",
    "word_y_px": "continuous",
}


@dataclass(frozen=True, kw_only=True)
class Words:
    """A stimulus set to paint on, and how.

    Parameters
    ----------
    path : str
        The folder of the set, ``artifacts/draw/<row>``.
    within : str
        The factor in whose categories the words are dealt evenly; empty for the parts of the set
        alone.
    words : tuple of str
    letter_size : (float, float)
        Least and greatest size of the letters, as fractions of the image's height; a word that
        would not fit is made smaller.
    colour : (int, int)
        Least and greatest value of red, green and blue.
    """

    path: str
    within: str
    words: tuple[str, ...]
    letter_size: tuple[float, float]
    colour: tuple[int, int]

    def __post_init__(self) -> None:
        low, high = self.letter_size
        if len(set(self.words)) < max(len(self.words), 2) or not all(map(str.strip, self.words)):
            raise ValueError(f"words are {self.words}; needed are two or more, all different")
        if not 0 < low <= high <= 1:
            raise ValueError(f"letter_size is {self.letter_size}; fractions in order are needed")
        if not 0 <= self.colour[0] <= self.colour[1] <= 255:
            raise ValueError(f"colour is {self.colour}; values of 0 to 255 in order are needed")


def paint(path: Path, words: Words, seed: int) -> None:
    """Write a set again with a word on every image.

    What was known of an image stays: its factors, identity and split. New are ``word`` and, in
    pixels, ``word_size_px`` (of the letters), ``word_x_px`` and ``word_y_px`` (of its middle).

    Parameters
    ----------
    path : Path
        The set to write.

    Raises
    ------
    FileNotFoundError, ValueError
        When there is no set, it has no such factor or words already, or a word does not fit.
    """
    made = stimuli.read(Path(words.path, "stimuli.h5"))
    with h5py.File(made.path, "r") as file:
        table = tables.load(file["factors"])
    taken = [name for name in FACTORS if name in made.factors]
    if taken:
        raise ValueError(f"{made.path} has a factor {taken[0]!r} already")
    plan = arrange(made, words, seed)
    stimuli.write(
        path,
        _painted(made, plan),
        made.factors.assign(**{name: plan[name] for name in FACTORS}),
        dict(table.kinds) | FACTORS,
        dict(table.levels) | dict.fromkeys(FACTORS, "image"),
        units=dict(table.units) | dict.fromkeys(list(FACTORS)[1:], "px"),
        names=table.names,
        missing=table.missing,
        provenance={
            "source": "words",
            "seed": seed,
            "row": asdict(words),
            "images": made.provenance,
        },
    )


def arrange(made: stimuli.Stimuli, words: Words, seed: int) -> pd.DataFrame:
    """Decide which word each image gets, how large, where and in which colour.

    Returns
    -------
    plan : DataFrame
        A row per image: the factors of `FACTORS`, ``left`` and ``top`` of the ink in pixels, and
        ``colour``.
    """
    parts = made.factors["split"].astype(str)
    if words.within:
        if words.within not in made.factors:
            there = ", ".join(made.factors.columns)
            raise ValueError(f"within: no factor {words.within!r} in {made.path}; it has {there}")
        parts = parts + "\n" + made.factors[words.within].astype(str)
    codes = np.unique(parts.to_numpy(dtype=str), return_inverse=True)[1]
    dealt = in_turn(codes, len(words.words), np.random.default_rng(seed))
    rows = [
        _place(words, words.words[word], made.size_px, np.random.default_rng([seed, image]))
        for image, word in enumerate(dealt)
    ]
    return pd.DataFrame(rows)


def letter(image: np.ndarray, plan: dict) -> np.ndarray:
    """Paint one word.

    Parameters
    ----------
    image : (H, W, 3), uint8
    plan : dict
        A row of what `arrange` gives.

    Returns
    -------
    image : (H, W, 3), uint8
        A new one.
    """
    size = int(plan["word_size_px"])
    left, top, _, _ = _ink(plan["word"], size)
    painted = Image.fromarray(image)
    ImageDraw.Draw(painted).text(
        (plan["left"] - left, plan["top"] - top),
        plan["word"],
        fill=plan["colour"],
        font=_font(size),
        stroke_width=_stroke(size),
    )
    return np.array(painted)


def _painted(made: stimuli.Stimuli, plan: pd.DataFrame) -> Iterator[np.ndarray]:
    """Paint the images a block at a time, (n, eyes, H, W, 3); both eyes see the same word."""
    rows_of = plan.to_dict("records")
    with tqdm(total=len(plan), desc="painting words", unit="image", delay=2) as bar:
        for start in range(0, len(plan), BLOCK):
            rows = np.arange(start, min(start + BLOCK, len(plan)))
            eyes = [
                [letter(image, rows_of[row]) for row, image in zip(rows, seen, strict=True)]
                for seen in (made.images(rows, eye) for eye in made.eyes)
            ]
            yield np.stack([np.stack(eye) for eye in eyes], axis=1)
            bar.update(len(rows))


def _place(
    words: Words, word: str, size_px: tuple[int, int], rng: np.random.Generator
) -> dict[str, object]:
    """Draw size, place and colour of a word; all of its ink lies inside."""
    height, width = size_px
    size = max(round(rng.uniform(*words.letter_size) * height), SMALLEST_PX)
    while True:
        left, top, right, bottom = _ink(word, size)
        spare_x, spare_y = width - (right - left), height - (bottom - top)
        if spare_x >= 0 and spare_y >= 0:
            break
        size -= 1
        if size < SMALLEST_PX:
            raise ValueError(f"the word {word!r} does not fit into {width} by {height} pixels")
    x, y = int(rng.integers(spare_x + 1)), int(rng.integers(spare_y + 1))
    low, high = words.colour
    return {
        "word": word,
        "word_size_px": float(size),
        "word_x_px": x + (right - left) / 2,
        "word_y_px": y + (bottom - top) / 2,
        "left": x,
        "top": y,
        "colour": tuple(int(value) for value in rng.integers(low, high + 1, 3)),
    }


@cache
def _ink(word: str, size: int) -> tuple[int, int, int, int]:
    """Measure the box of a word drawn at the origin: left, top, right, bottom."""
    left, top, right, bottom = _font(size).getbbox(word, stroke_width=_stroke(size))
    return int(np.floor(left)), int(np.floor(top)), int(np.ceil(right)), int(np.ceil(bottom))


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Load the font that Pillow carries with it, so that all machines draw alike."""
    return ImageFont.load_default(size)


def _stroke(size: int) -> int:
    return round(size / BOLD)
