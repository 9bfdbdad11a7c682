"""Ridge regression of many targets, each with its own penalty, from one decomposition.

For z-scored units Z and centred targets Y,

    W = argmin_W ||Z W − Y||² + Σ_t α_t ||W_t||²  =  V (Λ + α_t)⁻¹ Vᵀ Zᵀ Y_t,   ZᵀZ = V Λ Vᵀ,

the intercept being the mean of the targets. After the moments Vᵀ Zᵀ Y are taken, a
penalty costs one product and needs no fitting image (Hoerl & Kennard 1970, section 3).

Axes as in `spectrum`: N images, U units, R directions, T targets, A penalties.
"""

from dataclasses import dataclass

import numpy as np

from facelab_probing.spectrum import Spectrum

TOGETHER = 8  # penalties in one product


@dataclass(frozen=True)
class Ridge:
    """All ridge regressions of T targets on one layer, whatever the penalty.

    Attributes
    ----------
    values : array, (R,)
        Eigenvalues of the Gram matrix of the z-scored units.
    moments : array, (R, T)
        Products of the rotated units with the centred targets.
    means : array, (T,)
        Means of the targets.
    """

    values: np.ndarray
    moments: np.ndarray
    means: np.ndarray


def fit(spectrum: Spectrum, targets: np.ndarray) -> Ridge:
    """Take the moments of the targets of the fitting images.

    Parameters
    ----------
    targets : array, (N, T)
        A row per fitting image, without missing values.
    """
    targets = np.asarray(targets, dtype=np.float64)
    if targets.ndim != 2 or len(targets) != len(spectrum.scores):
        raise ValueError(
            f"targets {targets.shape} must be (images, targets) with {len(spectrum.scores)} images"
        )
    means = targets.mean(axis=0)
    return Ridge(spectrum.values, spectrum.scores.T @ (targets - means), means)


def predict(ridge: Ridge, scores: np.ndarray, penalties: np.ndarray) -> np.ndarray:
    """Predict every target of projected images.

    Parameters
    ----------
    scores : array, (n, R)
        Images in the basis, from `spectrum.project`.
    penalties : array, (T,)

    Returns
    -------
    predictions : array, (n, T)
    """
    return scores @ _rotated_weights(ridge, penalties) + ridge.means


def weights(
    ridge: Ridge, spectrum: Spectrum, penalties: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the regression in raw units: weights (U, T) and intercepts (T,)."""
    raw = spectrum.axes @ _rotated_weights(ridge, penalties)
    return raw, ridge.means - spectrum.mean @ raw


def errors(
    ridge: Ridge, scores: np.ndarray, targets: np.ndarray, penalties: np.ndarray
) -> np.ndarray:
    """Sum the squared errors on held-out images at every penalty.

    Where it saves work, the held-out images are first reduced to R rows (Q of their QR
    decomposition preserves lengths), so that a penalty costs R × R × T.

    Parameters
    ----------
    scores : array, (n, R)
    targets : array, (n, T)
    penalties : array, (A,)

    Returns
    -------
    errors : array, (A, T)
    """
    rows, directions = scores.shape
    truth = targets - ridge.means
    beyond = np.zeros(truth.shape[1])
    if len(penalties) * truth.shape[1] * (rows - directions) > 2 * rows * directions:
        q, scores = np.linalg.qr(scores)
        within = q.T @ truth
        beyond = np.maximum((truth**2).sum(axis=0) - (within**2).sum(axis=0), 0)
        truth = within
    summed = []
    for some in np.array_split(penalties, max(1, len(penalties) // TOGETHER)):
        rotated = _rotated_weights(ridge, some[:, None, None]).transpose(1, 0, 2)
        missed = (scores @ rotated.reshape(directions, -1)).reshape(len(truth), len(some), -1)
        missed -= truth[:, None]
        summed.append(np.einsum("nat,nat->at", missed, missed))
    return np.concatenate(summed) + beyond


def _rotated_weights(ridge: Ridge, penalties: np.ndarray) -> np.ndarray:
    return ridge.moments / (ridge.values[:, None] + penalties)
