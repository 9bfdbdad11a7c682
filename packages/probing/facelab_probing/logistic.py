"""Multinomial logistic regression along a path of penalties, each fit started from the last.

For rotated units Z and classes y the weights minimise, as in scikit-learn with C = 1 / α,

    Σ_i −log softmax(z_iᵀ W + b)_{y_i} + ½ α ||W||²

with the intercept b free; two classes have one column of weights. In the eigenbasis of
the units the Hessian is nearly diagonal: λ c + α, where c is the mean of p (1 − p)
(after Böhning 1992, who bounds it from above). Coordinates scaled by (λ c + α)^-½ are
therefore well conditioned for L-BFGS, and a fit starts from the nearest penalty visited. Products
are taken in single precision and summed in double: the objective ends within 1e-5 of its
minimum, relatively, at the weakest penalties and within 1e-7 at strong ones.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import minimize
from scipy.special import softmax

from facelab_probing.spectrum import Spectrum

TOLERANCE = 1e-7  # stop when a step lowers the objective by less than this share of it
ITERATIONS = 500


@dataclass(frozen=True)
class Logistic:
    """All logistic regressions of K classes on one layer; remembers the penalties visited.

    Attributes
    ----------
    values : array, (R,)
        Eigenvalues of the Gram matrix of the z-scored units.
    scores : float32 array, (N, R)
        Fitting images in the spectrum's basis.
    members : float32 array, (N, K')
        1 where the image belongs to the class, for the K' classes met.
    met : int array, (K',)
        Their codes.
    classes : int
        Classes there are, met or not.
    visited : dict
        Weights (R + 1, columns) by penalty, the intercept last.
    """

    values: np.ndarray
    scores: np.ndarray
    members: np.ndarray
    met: np.ndarray
    classes: int
    visited: dict[float, np.ndarray] = field(default_factory=dict)


def fit(spectrum: Spectrum, codes: np.ndarray, classes: int) -> Logistic:
    """Prepare the path; nothing is optimised before a penalty is asked for.

    Parameters
    ----------
    codes : int array, (N,)
        Class of each fitting image, 0 … classes - 1.
    """
    met = np.unique(codes)
    members = np.equal.outer(codes, met).astype(np.float32)
    scores = spectrum.scores.astype(np.float32)
    return Logistic(spectrum.values, scores, members, met, classes)


def probabilities(model: Logistic, scores: np.ndarray, penalty: float) -> np.ndarray:
    """Return the probability of every class for projected images.

    A penalty visited before costs nothing; another costs one warm-started fit.

    Parameters
    ----------
    scores : array, (n, R)
        Images in the basis, from `spectrum.project`.

    Returns
    -------
    probabilities : array, (n, K)
        Rows sum to 1; a class that was not met has 0.
    """
    shares = np.zeros((len(scores), model.classes))
    if len(model.met) == 1:
        shares[:, model.met] = 1
        return shares
    shares[:, model.met] = softmax(_logits(scores, weights(model, penalty)), axis=1)
    return shares


def weights(model: Logistic, penalty: float) -> np.ndarray:
    """Return the weights in the spectrum's basis, (R + 1, columns), intercepts last.

    The columns are the classes met; of two classes, the second.
    """
    if penalty not in model.visited:
        model.visited[penalty] = _descend(model, penalty, _start(model, penalty))
    return model.visited[penalty]


def objective(model: Logistic, penalty: float, theta: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the penalised negative log likelihood and its gradient.

    Parameters
    ----------
    theta : array, (R + 1, columns)
        Weights, intercepts last.
    """
    logits = _logits(model.scores, theta.astype(np.float32))
    logits -= logits.max(axis=1, keepdims=True)
    chosen = np.einsum("nk,nk->n", logits, model.members).sum(dtype=np.float64)
    residuals = np.exp(logits, out=logits)
    totals = residuals.sum(axis=1, keepdims=True)
    likelihood = np.log(totals).sum(dtype=np.float64) - chosen
    residuals /= totals
    residuals -= model.members
    residuals = residuals[:, -theta.shape[1] :]
    gradient = np.empty_like(theta)
    gradient[:-1] = model.scores.T @ residuals + penalty * theta[:-1]
    gradient[-1] = residuals.sum(axis=0, dtype=np.float64)
    return likelihood + penalty / 2 * (theta[:-1] ** 2).sum(), gradient


def _logits(scores: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """Return a logit per class; of two classes the first is the reference."""
    logits = scores @ theta[:-1] + theta[-1]
    return np.hstack([np.zeros_like(logits), logits]) if theta.shape[1] == 1 else logits


def _start(model: Logistic, penalty: float) -> np.ndarray:
    """Return the weights of the nearest penalty visited, or zeros."""
    if model.visited:
        nearest = min(model.visited, key=lambda other: abs(np.log(other / penalty)))
        return model.visited[nearest]
    columns = len(model.met) if len(model.met) > 2 else 1
    return np.zeros((len(model.values) + 1, columns))


def _descend(model: Logistic, penalty: float, start: np.ndarray) -> np.ndarray:
    """Minimise by L-BFGS in the scaled coordinates."""
    if len(model.met) < 2:
        return np.zeros_like(start)
    shares = softmax(_logits(model.scores, start), axis=1)
    curvature = max(float((shares * (1 - shares)).mean()), 1e-4)
    diagonal = np.append(model.values * curvature + penalty, len(model.scores) * curvature)
    scale = 1 / np.sqrt(diagonal)[:, None]

    def scaled(flat: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = objective(model, penalty, flat.reshape(start.shape) * scale)
        return value, (gradient * scale).ravel()

    options = {"maxiter": ITERATIONS, "maxcor": 10, "ftol": TOLERANCE, "gtol": 0.0}
    found = minimize(scaled, (start / scale).ravel(), jac=True, method="L-BFGS-B", options=options)
    return found.x.reshape(start.shape) * scale
