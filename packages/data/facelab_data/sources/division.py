"""Which photographs go to training, holdout, validation and testing.

A data set's own division is taken over when the row names its column; else people are divided in
the fractions of `Splits`. The images of training people that are held out are chosen evenly over
the first label that varies within people, or by the order of files.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from facelab_data import splits
from facelab_data.sources.photographs import InOrder, Photographs


def divide(
    table: pd.DataFrame,
    identity: np.ndarray,
    levels: Mapping[str, str],
    photographs: Photographs,
    seed: int,
) -> np.ndarray:
    """Take over the data set's own division, or make one.

    Parameters
    ----------
    table : DataFrame
        As from `labels.read`.
    identity : int array, (N,)
    levels : mapping of str
        Factor to ``identity`` or ``image``.

    Returns
    -------
    split : str array, (N,)
        One of `splits.SPLITS`, or empty for an image that is left out.
    """
    first = {
        level: next(
            (
                pd.factorize(table[name])[0]
                for name, kind in photographs.factors.items()
                if (kind, levels[name]) == ("categorical", level)
            ),
            None,
        )
        for level in ("identity", "image")
    }
    if photographs.split:
        split = splits.official(table[photographs.split].to_numpy(dtype=object))
    else:
        # Where nobody is known, every image is a person and its class is that person's.
        strata = first["identity" if photographs.identity else "image"]
        people = splits.Splits(**{**vars(photographs.splits), "holdout": 0.0})
        split = splits.assign(identity, people, seed, strata=strata)
    if photographs.in_order.training:
        return take_in_order(identity, split, photographs.in_order)
    if "holdout" in split:
        return split
    rng = np.random.default_rng(seed)
    held = splits.hold_out(
        identity,
        split == "training",
        photographs.splits.holdout,
        rng,
        balance=first["image"],
    )
    return np.where(held, "holdout", split)


def take_in_order(identity: np.ndarray, split: np.ndarray, counts: InOrder) -> np.ndarray:
    """Give the first images of every training identity to training, the next to holdout.

    What a data set calls a person's test images is holdout here: testing shows other people.

    Parameters
    ----------
    identity : int array, (N,)
        With the images of each identity in the order that shall count.
    split : str array, (N,)
        Images of the other parts stay where they are.

    Returns
    -------
    split : str array, (N,)
        Empty for the images that are left over.

    Raises
    ------
    ValueError
        When an identity has too few images.
    """
    split = np.where(split == "holdout", "training", split)
    mine = split == "training"
    place = pd.Series(identity[mine]).groupby(identity[mine]).cumcount().to_numpy()
    people, available = np.unique(identity[mine], return_counts=True)
    needed = counts.training + counts.holdout
    if len(people) and available.min() < needed:
        who = people[np.argmin(available)]
        raise ValueError(
            f"in_order takes {needed} images of each training identity; {who} has "
            f"{available.min()} (select with min_images: {needed})"
        )
    dealt = np.full(len(place), "", dtype="<U10")
    dealt[place < needed] = "holdout"
    dealt[place < counts.training] = "training"
    taken = split.astype("<U10")
    taken[mine] = dealt
    return taken
