"""Hundreds of Optuna trials on a shared decomposition, beside one trial that refits."""

from dataclasses import dataclass

import numpy as np
from facelab_probing.leaveout import cross_fit, gather
from facelab_probing.tuning import TuningConfig, lattice, tune
from sklearn.linear_model import Ridge
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks import decoding
from benchmarks.table import Row, at_least
from benchmarks.timing import compare, take_turns

REFIT = "one refit over the folds (scikit-learn Ridge)"


@dataclass(frozen=True, kw_only=True)
class Size:
    """Trials, steps of the lattice (more than trials, so that none is spared), and the task.

    A study ends when its lattice is exhausted: on a coarse one 200 trials would be 57.
    """

    trials: int
    steps_per_decade: int
    task: decoding.Size
    repeats: int


FULL = Size(trials=200, steps_per_decade=50, task=decoding.FULL, repeats=5)
TOY = Size(trials=10, steps_per_decade=4, task=decoding.TOY, repeats=1)


def measure(size: Size) -> list[Row]:
    """Compare a study of many trials with the single trial of a script that refits."""
    task = decoding.draw(size.task)
    sample = gather(task.units, task.targets, task.identity, task.folds)
    config = TuningConfig(
        sampler="tpe",
        trials=size.trials,
        penalty_range=(1.0, 1e7),
        steps_per_decade=size.steps_per_decade,
        storage="",
        seed=0,
    )
    curves = cross_fit(sample, lattice(config))[0]
    names = [str(target) for target in range(curves.shape[1])]

    def study() -> int:
        found = tune(curves.__getitem__, names, config, factor="factor", study="", key="")
        return found.history["trial"].nunique()

    def refit() -> None:
        model = make_pipeline(StandardScaler(), Ridge(1.0))
        cross_val_predict(model, task.units, task.targets, cv=PredefinedSplit(task.folds))

    if (made := study()) != size.trials:
        raise RuntimeError(f"the study made {made} trials, not {size.trials}: refine its lattice")
    seconds = take_turns({"study": study, "refit": refit}, size.repeats)
    told = f"{len(task.units)} × {size.task.units}, {size.task.targets} targets"
    return [
        Row(
            job=f"{size.trials} Optuna trials (TPE) on the decomposition",
            size=told,
            facelab=f"{np.median(seconds['study']):.2f} s",
            peer=REFIT,
            theirs=f"{np.median(seconds['refit']):.2f} s",
            **at_least(1, compare(seconds["refit"], seconds["study"])),
        )
    ]
