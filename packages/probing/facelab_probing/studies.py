"""The studies of one layer: which penalty each decoder of each factor takes.

What is asked of a decoder is a score at a penalty; names, lattices and histories are kept
here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from facelab_probing.tuning import Tuned, TuningConfig, lattice, tune

STEPS_PER_DECADE = {"logistic": 2}  # refitted at every penalty; its score bends slowly
COLUMNS = ["factor", "target", "decoder", "fold", "trial", "penalty", "score"]


@dataclass(frozen=True)
class Studies:
    """How penalties are chosen, and what was tried so far.

    Attributes
    ----------
    config : TuningConfig
    name : str
        Opens the name of every study; unique within a storage, as the layer's path.
    key : str
        Names the data, see `tuning.tune`.
    histories : list of DataFrame
    """

    config: TuningConfig
    name: str
    key: str
    histories: list[pd.DataFrame] = field(default_factory=list)


def choose(
    studies: Studies,
    score_at: Callable[[float], np.ndarray],
    targets: Sequence[str],
    *,
    factor: str,
    decoder: str,
    fold: int = 0,
) -> Tuned:
    """Choose each target's penalty by its validation score.

    Parameters
    ----------
    score_at : callable
        Validation score of every target, (T,), at a penalty.
    fold : int
        The round of a partition that the penalty is for; each has a study of its own.
    """
    steps = studies.config.steps_per_decade
    config = replace(
        studies.config, steps_per_decade=min(steps, STEPS_PER_DECADE.get(decoder, steps))
    )
    penalties = lattice(config)
    tuned = tune(
        lambda step: score_at(float(penalties[step])),
        targets,
        config,
        factor=factor,
        study=f"{studies.name}/{factor}/{decoder}" + f"/{fold}" * (fold > 0),
        key=studies.key,
    )
    studies.histories.append(tuned.history.assign(decoder=decoder, fold=fold)[COLUMNS])
    return tuned


def average(rounds: Sequence[Tuned]) -> Tuned:
    """Sum up what the rounds of a partition chose: median penalties, mean scores."""
    penalties = np.median([tuned.penalties for tuned in rounds], axis=0)
    scores = np.mean([tuned.scores for tuned in rounds], axis=0)
    return Tuned(penalties, scores, pd.concat([tuned.history for tuned in rounds]))


def history(studies: Studies) -> pd.DataFrame:
    """Return all trials as one table: the columns `COLUMNS`."""
    return (
        pd.concat(studies.histories, ignore_index=True)
        if studies.histories
        else pd.DataFrame(columns=COLUMNS)
    )
