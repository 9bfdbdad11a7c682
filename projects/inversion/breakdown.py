"""Accuracy and gap taken apart: by class, by identity, by who is taken for whom.

All of it is about the last checkpoint; shares are over training seeds.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from facelab_probing.confusions import blind, coincidence, confusion
from facelab_probing.intervals import keep_within, mean_over_identities

from projects.inversion.answers import Answers


def by_class(answers: Answers, pair: Sequence[int]) -> pd.DataFrame:
    """Give the accuracy of each class in the first view, in the second, and the gap."""
    names = np.array(answers.classes)
    present, member = np.unique(answers.truth, return_inverse=True)
    return _by("class", names[present], member, answers, pair)


def by_identity(answers: Answers, pair: Sequence[int]) -> pd.DataFrame:
    """Give the accuracy on the images of each identity in both views, and the gap."""
    present, member = np.unique(answers.identity, return_inverse=True)
    return _by("identity", present, member, answers, pair)


def confusions(answers: Answers, pair: Sequence[int]) -> pd.DataFrame:
    """List who is taken for whom in both views; what never happened has no row.

    Returns
    -------
    table : DataFrame
        Columns ``view, class, named, share``: of the answers about a class, over seeds, the share
        that gave each name.
    """
    names = np.array(answers.classes)
    parts = []
    for place in pair:
        counts = _counts(answers, place).sum(axis=0)
        truth, named = np.nonzero(counts)
        share = counts[truth, named] / counts.sum(axis=1)[truth]
        columns = {"class": names[truth], "named": names[named], "share": share}
        parts.append(pd.DataFrame(columns).assign(view=answers.views[place]))
    return pd.concat(parts, ignore_index=True)[["view", "class", "named", "share"]]


def mistakes(answers: Answers, pair: Sequence[int]) -> pd.DataFrame:
    """Sum up what wrong answers have in common in both views.

    Returns
    -------
    table : DataFrame
        Columns ``view, what, mean, low, high, blind``. ``what`` is ``coincidence``, how often two
        mistakes about different classes give the same name, beside that of blind guesses among
        the names of the task; and of a joined classifier ``elsewhere``, the share of answers that
        name a class of another task. Intervals are over seeds, and over classes or identities.
    """
    own, parts = answers.own, []
    joined = own.stop - own.start < len(answers.classes)
    _, member = np.unique(answers.identity, return_inverse=True)
    for place in pair:
        named = answers.named[:, -1, place]
        together = np.array([coincidence(counts) for counts in _counts(answers, place)])
        tables = {"coincidence": keep_within(mean_over_identities(together[:, None]), 0, 1)}
        if joined:
            outside = ((named < own.start) | (named >= own.stop)).astype(float)
            shares = np.array([np.bincount(member, each) for each in outside])
            shares /= np.bincount(member)
            tables["elsewhere"] = mean_over_identities(shares[:, None], within=(0.0, 1.0))
        parts += [
            table.assign(view=answers.views[place], what=what) for what, table in tables.items()
        ]
    whole = pd.concat(parts, ignore_index=True)
    whole["blind"] = np.where(whole["what"] == "coincidence", blind(own.stop - own.start), np.nan)
    return whole[["view", "what", "mean", "low", "high", "blind"]]


def _by(
    what: str, names: np.ndarray, member: np.ndarray, answers: Answers, pair: Sequence[int]
) -> pd.DataFrame:
    """Average right answers within groups of images; `member` numbers each image's group."""
    right = (answers.named[:, -1] == answers.truth).mean(axis=0)
    images = np.bincount(member)
    first, second = (np.bincount(member, right[place]) / images for place in pair)
    columns = {answers.views[pair[0]]: first, answers.views[pair[1]]: second}
    return pd.DataFrame({what: names, **columns, "gap": first - second, "n": images})


def _counts(answers: Answers, place: int) -> np.ndarray:
    """Count true classes by names in one view, for each seed: (S, C, C)."""
    named, size = answers.named[:, -1, place], len(answers.classes)
    return np.array([confusion(answers.truth, each, size) for each in named])
