"""Choosing penalties with Optuna, where a trial reads an exact score instead of refitting.

Penalties lie on a lattice, a fixed number of steps per decade: between two steps the
validation score of a ridge decoder hardly moves, and a penalty met twice costs nothing.
One study serves one decoder and one factor. A trial's value is the mean validation score
of all outputs of the factor at the trial's penalty; every output keeps the penalty, among
all trials, that was best for itself. So that outputs which differ from the mean are served
too, the first trials are laid evenly over the range (see `SAMPLERS`), and the sampler
continues from there.

A study in a storage is finished where it was left, trial by trial as if never interrupted,
but only for the data that it was begun with: it never goes on tuning across fits.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import numpy as np
import optuna
import pandas as pd
from optuna.distributions import IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from facelab_probing.storages import open_storage


@dataclass(frozen=True)
class Sampler:
    """How penalties are proposed: the share of trials laid evenly, then a sampler by seed."""

    even: float
    make: Callable[[int], optuna.samplers.BaseSampler]


SAMPLERS: dict[str, Sampler] = {
    "tpe": Sampler(0.5, lambda seed: optuna.samplers.TPESampler(seed=seed, n_startup_trials=4)),
    "random": Sampler(0.0, lambda seed: optuna.samplers.RandomSampler(seed=seed)),
    "grid": Sampler(1.0, lambda seed: optuna.samplers.RandomSampler(seed=seed)),
}


@dataclass(frozen=True, kw_only=True)
class TuningConfig:
    """How penalties are chosen.

    Attributes
    ----------
    sampler : str
        A key of `SAMPLERS`.
    trials : int
        Penalties that a study looks at; it ends sooner when the lattice is exhausted.
    penalty_range : tuple of float
        Weakest and strongest penalty, for z-scored units and summed squared errors.
    steps_per_decade : int
        Resolution of the lattice of penalties.
    storage : str
        Where studies are kept: "" for memory, the path of a journal file, or the URL of
        a database.
    seed : int
    """

    sampler: str
    trials: int
    penalty_range: tuple[float, float]
    steps_per_decade: int
    storage: str
    seed: int


@dataclass(frozen=True)
class Tuned:
    """What tuning found.

    Attributes
    ----------
    penalties, scores : array, (T,)
        Best penalty of each target, and its validation score (NaN where undefined).
    history : DataFrame
        Columns trial, factor, target, penalty, score; a row per trial and target.
    """

    penalties: np.ndarray
    scores: np.ndarray
    history: pd.DataFrame


def lattice(config: TuningConfig) -> np.ndarray:
    """Return the penalties that a trial may suggest, from weak to strong, (A,)."""
    low, high = config.penalty_range
    if not 0 < low <= high:
        raise ValueError(f"penalty_range ({low}, {high}) must be positive and in order")
    if config.steps_per_decade < 1 or config.trials < 1:
        raise ValueError(
            f"steps_per_decade {config.steps_per_decade} and trials {config.trials} must be >= 1"
        )
    steps = int(np.floor(np.log10(high / low) * config.steps_per_decade + 1e-9))
    return low * 10 ** (np.arange(steps + 1) / config.steps_per_decade)


def tune(
    score_at: Callable[[int], np.ndarray],
    targets: Sequence[str],
    config: TuningConfig,
    *,
    factor: str,
    study: str,
    key: str,
) -> Tuned:
    """Choose each target's penalty by its validation score.

    Parameters
    ----------
    score_at : callable
        Validation score of every target, (T,), at a step of the `lattice`; asked at most
        once per step.
    targets : sequence of str
        Names of the T targets.
    factor : str
        Written into the history.
    study : str
        Name of the study, unique within the storage.
    key : str
        Names the data; a stored study that was begun with another key is refused.
    """
    penalties = lattice(config)
    even = _even_steps(config, len(penalties))
    with _quiet():
        opened = _open(config, study, key)
        read = {_step(t): np.array(json.loads(t.user_attrs["scores"])) for t in _completed(opened)}
        budget = len(even) if config.sampler == "grid" else config.trials
        for number in range(len(_completed(opened)), budget):
            if len(read) == len(penalties):
                break
            trial, step = _suggest(opened, config, number, even, len(penalties) - 1)
            if step not in read:
                read[step] = np.asarray(score_at(step), dtype=np.float64)
            # Kept as text: Optuna copies a list number by number. In memory `read` is enough.
            kept = {"scores": json.dumps(read[step].tolist())} if config.storage else {}
            _tell(opened, trial, (step, read[step]), kept, len(penalties) - 1)
        visited = [_step(trial) for trial in _completed(opened)]
    return _summary(visited, read, penalties, targets, factor)


def _even_steps(config: TuningConfig, steps: int) -> list[int]:
    """Lay a sampler's first trials evenly, strong penalties first: weak ones start from them."""
    if config.sampler not in SAMPLERS:
        raise ValueError(f"unknown sampler {config.sampler!r}; choose from {', '.join(SAMPLERS)}")
    count = min(int(np.ceil(SAMPLERS[config.sampler].even * config.trials)), steps)
    return np.unique(np.linspace(0, steps - 1, count).round().astype(int))[::-1].tolist()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna from reporting every trial."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def _open(config: TuningConfig, study: str, key: str) -> optuna.Study:
    """Create the study, or find the one begun with the same data and settings."""
    opened = optuna.create_study(
        storage=open_storage(config.storage),
        study_name=study or None,
        direction="maximize",
        load_if_exists=True,
    )
    settings = {name: value for name, value in asdict(config).items() if name != "storage"}
    full = f"{key} {settings}"
    if opened.user_attrs.get("key", full) != full:
        raise ValueError(
            f"study {study!r} in {config.storage} was begun with other data or settings; "
            "name another study or remove it"
        )
    opened.set_user_attr("key", full)
    for trial in opened.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        opened.tell(trial.number, state=TrialState.FAIL)  # cut short by a kill
    return opened


def _suggest(
    study: optuna.Study, config: TuningConfig, number: int, even: list[int], last: int
) -> tuple[optuna.Trial | None, int]:
    """Return the next step, and the open trial if a sampler proposed it."""
    if number < len(even):
        return None, even[number]
    # A sampler per trial: what it proposes depends on the trials so far, not on when they ran.
    study.sampler = SAMPLERS[config.sampler].make(config.seed + number)
    trial = study.ask()
    return trial, trial.suggest_int("step", 0, last)


def _tell(
    study: optuna.Study,
    trial: optuna.Trial | None,
    found: tuple[int, np.ndarray],
    kept: dict[str, str],
    last: int,
) -> None:
    """Enter a trial's step and scores, undefined ones as chance."""
    step, value = found[0], float(np.nan_to_num(found[1]).mean())
    if trial is None:
        distributions = {"step": IntDistribution(0, last)}
        made = {"params": {"step": step}, "distributions": distributions, "value": value}
        study.add_trial(create_trial(**made, user_attrs=kept))
    else:
        for name, text in kept.items():
            trial.set_user_attr(name, text)
        study.tell(trial, value)


def _completed(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def _step(trial: FrozenTrial) -> int:
    return int(trial.params["step"])


def _summary(
    visited: list[int],
    read: dict[int, np.ndarray],
    penalties: np.ndarray,
    targets: Sequence[str],
    factor: str,
) -> Tuned:
    """Keep each target's best trial; of equals the strongest penalty."""
    scores = np.array([read[step] for step in visited])
    history = pd.DataFrame(
        {
            "trial": np.repeat(np.arange(len(visited)), len(targets)),
            "factor": factor,
            "target": np.tile(np.array(targets, dtype=object), len(visited)),
            "penalty": np.repeat(penalties[visited], len(targets)),
            "score": scores.ravel(),
        }
    )
    distinct = sorted(set(visited), reverse=True)
    ranked = np.array([read[step] for step in distinct])
    best = np.nan_to_num(ranked, nan=-np.inf).argmax(axis=0)
    return Tuned(
        penalties[np.array(distinct)[best]], ranked[best, np.arange(len(targets))], history
    )
