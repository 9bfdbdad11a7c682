"""Ridge with a penalty per target over folds of identities, beside three peers; and the leak."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from facelab_probing import ridge
from facelab_probing.folds import grouped_folds
from facelab_probing.leaveout import cross_fit, gather
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, PredefinedSplit, cross_val_predict
from sklearn.preprocessing import StandardScaler

from benchmarks.table import Row, at_least, missing
from benchmarks.timing import compare, peer, take_turns

LOOP, LEAVE_ONE_OUT, HIMALAYA = (
    "scikit-learn Ridge, penalties × folds", "scikit-learn RidgeCV, image left out", "himalaya",
)  # fmt: skip
FACTORS = {LOOP: 6, HIMALAYA: 10}
CLOSE = 1e-6
FOLDS = 5
PENALTIES = 10.0 ** np.arange(8)


@dataclass(frozen=True, kw_only=True)
class Size:
    """Identities, images of each, units and targets; people and pictures of the leak."""

    identities: int
    each: int
    units: int
    targets: int
    leak: tuple[int, int]
    repeats: int


FULL = Size(identities=256, each=16, units=512, targets=100, leak=(64, 32), repeats=5)
TOY = Size(identities=20, each=4, units=8, targets=3, leak=(12, 8), repeats=1)


class Task(NamedTuple):
    """Units (N, U), targets (N, T), identity and fold of each image."""

    units: np.ndarray
    targets: np.ndarray
    identity: np.ndarray
    folds: np.ndarray


class Found(NamedTuple):
    """What a decoder found: penalties (T,) and weights of raw units (U, T)."""

    penalties: np.ndarray
    weights: np.ndarray


def measure(size: Size) -> list[Row]:
    """Compare time, penalties chosen and weights; then show what a split by image leaks."""
    task, found = draw(size), {}
    decoders = {"facelab": _facelab, LOOP: _loop, LEAVE_ONE_OUT: _leave_one_out}
    himalaya = peer("himalaya.ridge")
    if himalaya:
        decoders[HIMALAYA] = lambda task: _himalaya(himalaya, task)

    def job(name: str) -> Callable[[], None]:
        return lambda: found.update({name: decoders[name](task)})

    seconds = take_turns({name: job(name) for name in decoders}, size.repeats)
    ours = seconds.pop("facelab")
    told = f"{len(task.units)} × {size.units}, {size.targets} targets, {len(PENALTIES)} penalties"
    told += f", {FOLDS} folds"
    rows = []
    for name, theirs in seconds.items():
        ratio, apart = compare(theirs, ours), _apart(found["facelab"], found[name])
        held = {"ratio": ratio}
        if name in FACTORS:  # speed counts only where the answer is the same
            held = at_least(FACTORS[name], ratio)
            held["target"] += ", same penalties and weights"
            same = _same(found["facelab"], found[name]).all()
            held["met"] = bool(held["met"] and same and apart <= CLOSE)
        rows.append(
            Row(
                job="ridge, a penalty per target",
                size=told,
                facelab=f"{np.median(ours):.2f} s",
                peer=name,
                theirs=f"{np.median(theirs):.2f} s",
                agreement=_told(found["facelab"], found[name], apart),
                **held,
            )
        )
    if not himalaya:
        rows.append(missing("ridge, a penalty per target", told, HIMALAYA))
    return [*rows, _leak(*size.leak)]


def _facelab(task: Task) -> Found:
    sample = gather(task.units, task.targets, task.identity, task.folds)
    curves, spectrum, model = cross_fit(sample, PENALTIES)
    penalties = PENALTIES[curves.argmax(axis=0)]
    return Found(penalties, ridge.weights(model, spectrum, penalties)[0])


def _loop(task: Task) -> Found:
    """Do what most scripts do: refit for every penalty and fold, all targets at once."""
    errors = np.zeros((len(PENALTIES), task.targets.shape[1]))
    for fold in range(FOLDS):
        held = task.folds == fold
        scaler = StandardScaler().fit(task.units[~held])
        fitted, scored = scaler.transform(task.units[~held]), scaler.transform(task.units[held])
        for number, penalty in enumerate(PENALTIES):
            guess = Ridge(penalty).fit(fitted, task.targets[~held]).predict(scored)
            errors[number] += ((task.targets[held] - guess) ** 2).sum(axis=0)
    penalties = PENALTIES[errors.argmin(axis=0)]
    scaler = StandardScaler().fit(task.units)
    model = Ridge(penalties).fit(scaler.transform(task.units), task.targets)
    return Found(penalties, model.coef_.T / scaler.scale_[:, None])


def _leave_one_out(task: Task) -> Found:
    """Take scikit-learn's own way to a penalty per target, which cannot respect identities."""
    scaler = StandardScaler().fit(task.units)
    model = RidgeCV(PENALTIES, alpha_per_target=True)
    model.fit(scaler.transform(task.units), task.targets)
    return Found(model.alpha_, model.coef_.T / scaler.scale_[:, None])


def _himalaya(module: object, task: Task) -> Found:
    """Let himalaya choose, on units z-scored once: it does not do so fold by fold."""
    scaler = StandardScaler().fit(task.units)
    model = module.RidgeCV(alphas=PENALTIES, cv=PredefinedSplit(task.folds), fit_intercept=True)
    model.fit(scaler.transform(task.units), task.targets)
    return Found(model.best_alphas_, model.coef_ / scaler.scale_[:, None])


def _told(ours: Found, theirs: Found, apart: float) -> str:
    same = int(_same(ours, theirs).sum())
    verdict = "" if apart <= CLOSE else " (more than 1e-06)"
    return f"{same} of {len(ours.penalties)} penalties, weights of those ≤ {apart:.0e}{verdict}"


def _apart(ours: Found, theirs: Found) -> float:
    """Give the largest difference between weights, over the largest weight, at equal penalties."""
    same = _same(ours, theirs)
    if not same.any():
        return float("nan")
    apart = np.abs(ours.weights - theirs.weights)[:, same].max()
    return float(apart / np.abs(ours.weights[:, same]).max())


def _same(ours: Found, theirs: Found) -> np.ndarray:
    """Say for which targets both chose the same penalty, (T,); himalaya rounds its own."""
    return np.isclose(ours.penalties, theirs.penalties, rtol=1e-9, atol=0)


def _leak(identities: int, each: int) -> Row:
    """Decode noise that is constant within an identity: there is nothing to find."""
    rng = np.random.default_rng(0)
    identity = np.repeat(np.arange(identities), each)
    units = (rng.normal(size=(identities, 128)))[identity] + rng.normal(size=(len(identity), 128))
    targets = rng.normal(size=(identities, 1))[identity]
    sample = gather(units, targets, identity, grouped_folds(identity, FOLDS, seed=0))
    ours = float(cross_fit(sample, PENALTIES)[0].max())
    by_image = KFold(FOLDS, shuffle=True, random_state=0)
    theirs = max(
        r2_score(targets, cross_val_predict(Ridge(penalty), units, targets, cv=by_image))
        for penalty in PENALTIES
    )
    return Row(
        job="decode noise that is constant within an identity",
        size=f"{identities} identities × {each}, 128 units",
        facelab=f"R² {ours:.3f}",
        peer="scikit-learn KFold over images",
        theirs=f"R² {theirs:.3f}",
        target="facelab ≤ 0, peer > 0.5",
        met=ours <= 0 < 0.5 < theirs,
    )


def draw(size: Size) -> Task:
    """Draw units of unlike variance, and targets that they hold under more and more noise."""
    rng = np.random.default_rng(0)
    identity = np.repeat(np.arange(size.identities), size.each)
    shape = len(identity), size.units
    units = rng.normal(size=shape) * np.linspace(2, 0.2, size.units) + rng.normal(size=size.units)
    weights = rng.normal(size=(size.units, size.targets)) / units.std(axis=0)[:, None]
    noise = rng.normal(size=(len(identity), size.targets)) * np.logspace(0, 3, size.targets)
    return Task(units, units @ weights + noise, identity, grouped_folds(identity, FOLDS, seed=0))
