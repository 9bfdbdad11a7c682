"""Which images a network may learn from, and which it is asked about later.

training
    images a network is fitted to.
holdout
    other images of the people in training: does it know them again?
validation, testing
    people it has never met.
"""

from dataclasses import asdict, dataclass
from itertools import combinations

import numpy as np

SPLITS = ("training", "holdout", "validation", "testing")
# What other people's tables call them.
SPELLINGS = {
    "train": "training",
    "val": "validation",
    "valid": "validation",
    "dev": "validation",
    "test": "testing",
} | {name: name for name in SPLITS}
FEWEST_TO_HOLD_OUT = 4


@dataclass(frozen=True, kw_only=True)
class Splits:
    """How a set is divided.

    Parameters
    ----------
    training, validation, testing : float
        Fractions of the identities; they add up to 1.
    holdout : float
        Fraction of the images of every training identity that training does not see.
    """

    training: float
    validation: float
    testing: float
    holdout: float

    def __post_init__(self) -> None:
        for name, fraction in asdict(self).items():
            if not 0 <= fraction <= 1:
                raise ValueError(f"splits.{name} is {fraction}; a fraction lies between 0 and 1")
        total = self.training + self.validation + self.testing
        if abs(total - 1) > 1e-9:
            raise ValueError(f"splits: training, validation, testing add up to {total:g}, not to 1")
        if self.holdout == 1:
            raise ValueError("splits.holdout is 1, which leaves nothing to train on")


def assign(
    identity: np.ndarray,
    splits: Splits,
    seed: int,
    *,
    strata: np.ndarray | None = None,
    balance: np.ndarray | None = None,
) -> np.ndarray:
    """Divide images so that no person is on two sides.

    Parameters
    ----------
    identity : int array, (N,)
        Whose image it is.
    strata : array, (N,), optional
        A label that is constant within an identity; each part gets its share of each.
    balance : array, (N,), optional
        A label that varies within an identity; held-out images are spread evenly over it.

    Returns
    -------
    split : str array, (N,)
        One of `SPLITS` for each image.

    Raises
    ------
    ValueError
        When there are too few identities for every part to get one.
    """
    people, first, person = np.unique(identity, return_index=True, return_inverse=True)
    labels = np.zeros(len(people), int) if strata is None else np.asarray(strata)[first]
    rng, rng_holdout = np.random.default_rng(seed).spawn(2)
    split = divide(labels, splits, rng)[person]
    held = hold_out(identity, split == "training", splits.holdout, rng_holdout, balance=balance)
    return np.where(held, "holdout", split)


def divide(strata: np.ndarray, splits: Splits, rng: np.random.Generator) -> np.ndarray:
    """Give each identity to training, validation or testing, evenly within every stratum.

    Parameters
    ----------
    strata : array, (I,)
        One label per identity.

    Returns
    -------
    split : str array, (I,)
        Never ``holdout``.
    """
    parts = ("training", "validation", "testing")
    counts = _shares(np.array([getattr(splits, part) for part in parts]), len(strata))
    # Each part's members are spread evenly over the list; walking the list stratum by stratum
    # then spreads them over strata.
    places = np.concatenate([(np.arange(count) + rng.random()) / count for count in counts])
    dealt = np.repeat(parts, counts)[np.argsort(places, kind="stable")]
    shuffled = rng.permutation(len(strata))
    walk = shuffled[np.argsort(np.unique(strata, return_inverse=True)[1][shuffled], kind="stable")]
    split = np.empty_like(dealt)
    split[walk] = dealt
    return split


def hold_out(
    identity: np.ndarray,
    eligible: np.ndarray,
    fraction: float,
    rng: np.random.Generator,
    *,
    balance: np.ndarray | None = None,
) -> np.ndarray:
    """Choose the images of each identity that training shall not see.

    An identity with four images or more gives at least one; what is lost to rounding in one
    identity is made up for in the next.

    Parameters
    ----------
    eligible : bool array, (N,)
        The images to choose among.
    balance : array, (N,), optional
        A label over which the chosen images are spread evenly.

    Returns
    -------
    held : bool array, (N,)
    """
    held = np.zeros(len(identity), bool)
    rows = np.flatnonzero(eligible)
    if fraction == 0 or not len(rows):
        return held
    labels = np.zeros(len(identity), int) if balance is None else np.asarray(balance)
    codes = np.unique(labels, return_inverse=True)[1]
    tally = _Tally(codes, np.bincount(codes[rows], minlength=codes.max() + 1))
    rows = rows[np.argsort(identity[rows], kind="stable")]
    starts = np.unique(identity[rows], return_index=True)[1][1:]
    owed = 0.0
    for images in np.split(rows, starts):
        owed += fraction * len(images)
        fewest = int(len(images) >= FEWEST_TO_HOLD_OUT)
        count = min(max(int(owed + 1e-9), fewest), len(images) - 1)
        owed -= count
        held[tally.choose(rng.permutation(images), count)] = True
    return held


def official(labels: np.ndarray) -> np.ndarray:
    """Read a data set's own division, however it is spelt.

    Raises
    ------
    ValueError
        When a label is none that `SPELLINGS` knows.
    """
    names = [SPELLINGS.get(str(label).strip().lower(), "") for label in labels]
    if "" in names:
        label = labels[names.index("")]
        raise ValueError(f"unknown split {str(label)!r}; known are {', '.join(sorted(SPELLINGS))}")
    return np.array(names)


def check_disjoint(groups_a: np.ndarray, groups_b: np.ndarray, between: str) -> None:
    """Make sure that two sets of images share no identity.

    Parameters
    ----------
    between : str
        What the two sets are, for the message: ``"training and testing"``.

    Raises
    ------
    ValueError
        Naming the identities that are in both.
    """
    shared = np.intersect1d(groups_a, groups_b)
    if len(shared):
        names = ", ".join(map(str, shared[:5])) + (", …" if len(shared) > 5 else "")
        raise ValueError(f"{between} share {len(shared)} identities: {names}")


def check(identity: np.ndarray, split: np.ndarray) -> None:
    """Make sure that training (with holdout), validation and testing show different people.

    Raises
    ------
    ValueError
        Naming the two parts and the identities they share, or a split that does not exist.
    """
    official(np.unique(split))
    part = np.where(split == "holdout", "training", split)
    for a, b in combinations(("training", "validation", "testing"), 2):
        check_disjoint(identity[part == a], identity[part == b], f"{a} and {b}")


class _Tally:
    """How many images of each label have been chosen so far."""

    def __init__(self, codes: np.ndarray, available: np.ndarray) -> None:
        self.codes = codes
        self.available = np.maximum(available, 1)
        self.taken = np.zeros(len(available))

    def choose(self, images: np.ndarray, count: int) -> np.ndarray:
        """Take `count` of the images, each time one whose label was taken from least."""
        left = list(images)
        chosen = []
        for _ in range(count):
            codes = self.codes[left]
            position = int(np.argmin(self.taken[codes] / self.available[codes]))
            self.taken[codes[position]] += 1
            chosen.append(left.pop(position))
        return np.array(chosen, int)


def _shares(fractions: np.ndarray, identities: int) -> np.ndarray:
    """Divide a number by largest remainder, with at least one for every part that has a share."""
    wanted = fractions > 0
    if identities < wanted.sum():
        raise ValueError(f"{identities} identities cannot fill {wanted.sum()} splits")
    exact = fractions * identities
    counts = np.maximum(np.floor(exact + 1e-9).astype(int), wanted)
    while counts.sum() < identities:
        counts[np.argmax(exact - counts)] += 1
    while counts.sum() > identities:
        counts[np.argmax(np.where(counts > 1, counts - exact, -np.inf))] -= 1
    return counts
