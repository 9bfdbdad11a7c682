"""Balanced designs: which value of a factor goes to which image.

A factor that happens to vary with another in the images cannot be told from it in a network's
code. Nothing here is therefore left to independent draws: categories are dealt out in turn,
continuous factors are stratified and freed of whatever correlation chance has left.
"""

import numpy as np
from scipy.special import ndtr, ndtri
from tqdm import tqdm

STEPS = 5
STEPS_WITHIN = 3
FEWEST_PER_GROUP = 4


def in_turn(parts: np.ndarray, cells: int, rng: np.random.Generator) -> np.ndarray:
    """Deal the cells of a design to items, each equally often (within one) in every part.

    Parameters
    ----------
    parts : array, (I,)
        The part of the set that each item belongs to.

    Returns
    -------
    cell : int array, (I,)
    """
    order = np.argsort(parts, kind="stable")
    cell = np.empty(len(parts), int)
    for part in np.unique(parts):
        members = np.flatnonzero(parts[order] == part)
        cell[order[rng.permutation(members)]] = members % cells
    return cell


def crossed(
    parts: np.ndarray, images: int, levels: tuple[int, int], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Deal two categorical factors to the images of each person, crossed with each other.

    The pairs (a, b) form a torus, which falls into diagonals. Each person walks down a diagonal,
    so meets the levels of either factor equally often (within one); the people of a part take
    consecutive stretches of consecutive diagonals, so that together they cover the torus evenly.

    Parameters
    ----------
    parts : array, (I,)
        The part of the set that each person belongs to.
    images : int
        Images of each person.
    levels : (int, int)
        Number of levels of the two factors.

    Returns
    -------
    a, b : int array, (I, images)
        Each person's images are shuffled.
    """
    length, diagonals = np.lcm(*levels), np.gcd(*levels)
    person = np.argsort(np.argsort(parts, kind="stable"), kind="stable")[:, None]
    image = rng.permuted(np.tile(np.arange(images), (len(parts), 1)), axis=1)
    step = (person // diagonals) * images + image
    diagonal = (person + image // length) % diagonals
    names_a, names_b = (rng.permutation(count) for count in levels)
    return names_a[step % levels[0]], names_b[(step + diagonal) % levels[1]]


def stratified(cells: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw one number in [0, 1) for each item, spread evenly over all items and in every cell.

    Parameters
    ----------
    cells : int array, (I,)
        A label with which the number shall not vary.

    Returns
    -------
    values : (I,), float64
    """
    items = len(cells)
    shuffled = rng.permutation(items)
    inside = shuffled[np.argsort(cells[shuffled], kind="stable")]
    counts = np.bincount(cells)
    # Nearly the middle of each stretch, so that all cells have the same mean; never a tie.
    middle = 0.45 + 0.1 * rng.random(len(counts))
    place = np.concatenate(
        [(np.arange(n) + at) / max(n, 1) for n, at in zip(counts, middle, strict=True)]
    )
    rank = np.empty(items, int)
    rank[inside[np.argsort(place, kind="stable")]] = np.arange(items)
    return (rank + rng.random(items)) / items


def uncorrelated(columns: int, groupings: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Draw columns of numbers in [0, 1) that go neither with each other nor with a grouping.

    Each column is one draw from each of N equal strata. Their order is found by repeating: take
    out the mean of every group, make the columns orthogonal, replace values by ranks (in the
    manner of Iman & Conover 1982, doi 10.1080/03610918208812265).

    Parameters
    ----------
    groupings : list of int array, (N,)
        Labels of the images, the most important grouping first. One whose groups hold fewer than
        four images on average, or that would leave too little freedom, is left to chance.

    Returns
    -------
    values : (N, columns), float64
    """
    images = len(groupings[0])
    codes = _affordable(groupings, columns)
    ranks = np.stack([rng.permutation(images) for _ in range(columns)], axis=1)
    if images >= FEWEST_PER_GROUP * columns:
        for _ in tqdm(range(STEPS), desc="balancing the design", delay=2, leave=False):
            scores = ranks - (images - 1) / 2
            for code in codes * STEPS_WITHIN:
                scores -= _group_means(scores, code)
            ranks = _ranks(_orthogonal(scores))
    return (ranks + rng.random((images, columns))) / images


def truncated_normal(shape: tuple[int, int], limit: float, rng: np.random.Generator) -> np.ndarray:
    """Draw from the standard normal between -`limit` and `limit`; float32."""
    low = ndtr(-limit)
    return ndtri(low + (1 - 2 * low) * rng.random(shape)).astype(np.float32)


def _affordable(groupings: list[np.ndarray], columns: int) -> list[np.ndarray]:
    """Code the groupings as 0, 1, … and keep those that leave a quarter of all freedom."""
    images, kept, spent = len(groupings[0]), [], columns
    for labels in groupings:
        names, code = np.unique(labels, return_inverse=True)
        large = images >= FEWEST_PER_GROUP * len(names)
        if large and spent + len(names) <= 0.75 * images:
            kept.append(code)
            spent += len(names)
    return kept


def _group_means(scores: np.ndarray, code: np.ndarray) -> np.ndarray:
    """Give each row the mean of its group, (N, columns)."""
    sums = np.stack([np.bincount(code, weights=column) for column in scores.T], axis=1)
    return (sums / np.bincount(code)[:, None])[code]


def _orthogonal(scores: np.ndarray) -> np.ndarray:
    """Make the columns orthogonal, changing the first ones least."""
    # einsum adds up in one fixed order, where BLAS would depend on the number of threads.
    lower = np.linalg.cholesky(np.einsum("ni,nj->ij", scores, scores))
    return np.einsum("ni,ji->nj", scores, np.linalg.inv(lower))


def _ranks(scores: np.ndarray) -> np.ndarray:
    """Replace each column by ranks, 0 to N - 1."""
    # Rounding keeps the last bits, which differ between processors, from deciding a rank.
    order = np.argsort(np.round(scores, 9), axis=0, kind="stable")
    ranks = np.empty(scores.shape, int)
    np.put_along_axis(ranks, order, np.arange(len(scores))[:, None], axis=0)
    return ranks
