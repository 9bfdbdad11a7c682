"""Multinomial logistic regression along a path of penalties, beside scikit-learn's."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from facelab_probing import logistic
from facelab_probing.spectrum import decompose
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from benchmarks.table import Row, at_least
from benchmarks.timing import compare, take_turns

COLD, WARM = "scikit-learn lbfgs, each anew", "scikit-learn lbfgs, each from the last"
CLASSES = 7
PENALTIES = 10.0 ** np.arange(4, -3, -1)
ITERATIONS = 1000

Path = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, kw_only=True)
class Size:
    """Images and units."""

    images: int
    units: int
    repeats: int


FULL = Size(images=4096, units=512, repeats=5)
TOY = Size(images=140, units=6, repeats=1)


def measure(size: Size) -> list[Row]:
    """Compare time at the objective reached: a fit that stops early is not a faster fit."""
    units, codes = _task(size)
    found: dict[str, Path] = {}
    solvers = {"facelab": _facelab, COLD: _cold, WARM: _warm}

    def job(name: str) -> Callable[[], None]:
        return lambda: found.update({name: solvers[name](units, codes)})

    seconds = take_turns({name: job(name) for name in solvers}, size.repeats)
    ours = seconds.pop("facelab")
    reached = {name: _objectives(path, units, codes) for name, path in found.items()}
    rows = []
    for name, theirs in seconds.items():
        excess = float((reached["facelab"] / reached[name] - 1).max())
        held = at_least(4, compare(theirs, ours))
        if name == COLD:
            held["target"] += ", objective no worse"
            held["met"] = held["met"] and excess <= logistic.TOLERANCE * 100
        else:
            held = {"ratio": held["ratio"]}
        rows.append(
            Row(
                job="logistic regression",
                size=f"{size.images} × {size.units}, {CLASSES} classes, {len(PENALTIES)} penalties",
                facelab=f"{np.median(ours):.2f} s",
                peer=name,
                theirs=f"{np.median(theirs):.2f} s",
                agreement=_told(reached["facelab"], reached[name]),
                **held,
            )
        )
    return rows


def _told(ours: np.ndarray, theirs: np.ndarray) -> str:
    """Say how far each solver's objectives lie above the lower of the two, at the worst."""
    best = np.minimum(ours, theirs)
    above = [float((values / best - 1).max()) for values in (ours, theirs)]
    return f"objective above the lower ≤ {above[0]:.0e}, peer's ≤ {above[1]:.0e}"


def _facelab(units: np.ndarray, codes: np.ndarray) -> Path:
    spectrum = decompose(units, np.arange(len(units)), PENALTIES.min())
    model = logistic.fit(spectrum, codes, CLASSES)
    path = []
    for penalty in PENALTIES:
        theta = logistic.weights(model, penalty)
        weights = spectrum.axes @ theta[:-1]
        path.append((weights, theta[-1] - spectrum.mean @ weights))
    return path


def _cold(units: np.ndarray, codes: np.ndarray) -> Path:
    scaler = StandardScaler().fit(units)
    scaled = scaler.transform(units)
    fits = [_solver(penalty).fit(scaled, codes) for penalty in PENALTIES]
    return [_raw(one, scaler) for one in fits]


def _warm(units: np.ndarray, codes: np.ndarray) -> Path:
    scaler = StandardScaler().fit(units)
    scaled = scaler.transform(units)
    model, path = _solver(1.0).set_params(warm_start=True), []
    for penalty in PENALTIES:
        path.append(_raw(model.set_params(C=1 / penalty).fit(scaled, codes), scaler))
    return path


def _solver(penalty: float) -> LogisticRegression:
    return LogisticRegression(C=1 / penalty, max_iter=ITERATIONS)


def _raw(model: LogisticRegression, scaler: StandardScaler) -> tuple[np.ndarray, np.ndarray]:
    weights = model.coef_.T / scaler.scale_[:, None]
    return weights, model.intercept_ - scaler.mean_ @ weights


def _objectives(path: Path, units: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Compute the penalised negative log likelihood of each fit, in double precision."""
    scale, rows = units.std(axis=0), np.arange(len(units))
    values = []
    for penalty, (weights, intercepts) in zip(PENALTIES, path, strict=True):
        logits = units @ weights + intercepts
        likelihood = (logsumexp(logits, axis=1) - logits[rows, codes]).sum()
        values.append(likelihood + penalty / 2 * ((weights * scale[:, None]) ** 2).sum())
    return np.array(values)


def _task(size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Draw units of falling variance and classes that they hold in part."""
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.normal(size=(size.units, size.units)))[0]
    units = rng.normal(size=(size.images, size.units)) * np.arange(1, size.units + 1) ** -0.5 @ turn
    held = units @ rng.normal(size=(size.units, CLASSES)) / units.std(axis=0).mean()
    held /= held.std() / 2
    return units, (held + rng.gumbel(size=held.shape)).argmax(axis=1)
