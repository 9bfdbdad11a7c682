"""One decomposition of a layer's units, shared by every decoder and every penalty.

The units of the fitting images are z-scored (units that do not vary are dropped) and
rotated onto the eigenvectors of their Gram matrix. In that basis a ridge penalty only
adds to the eigenvalues, so any number of penalties and targets costs one decomposition.

Images enter together with their groups (identities): images that are to be held out may
not share a group with the fitting images, and `project` refuses those that do.

Axes: N images, U units, R directions, T targets, K classes, A penalties.
"""

from dataclasses import dataclass

import numpy as np

GRAM_LIMIT = 1e-8  # below this penalty / λ_max the squared condition number costs 6 digits
DEAD = 1e-7  # standard deviation / |mean| that single precision cannot tell from a constant


@dataclass(frozen=True)
class Spectrum:
    """A layer's fitting images in the basis of their principal directions.

    Attributes
    ----------
    mean : array, (U,)
        Mean of each unit over the fitting images.
    axes : array, (U, R)
        Takes centred units to the basis; z-scoring is included, dead units have zeros.
    values : array, (R,)
        Eigenvalues of the Gram matrix of the z-scored units.
    scores : array, (N, R)
        The fitting images in the basis.
    groups : array
        The identities met, each once.
    alive : int
        Units that vary.
    """

    mean: np.ndarray
    axes: np.ndarray
    values: np.ndarray
    scores: np.ndarray
    groups: np.ndarray
    alive: int


def decompose(units: np.ndarray, groups: np.ndarray, smallest_penalty: float) -> Spectrum:
    """Z-score and rotate the units of the images to be fitted.

    The eigenvectors come from the Gram matrix; where there are fewer images than units, or
    `smallest_penalty` is under 1e-8 of the largest eigenvalue, from a singular value
    decomposition, which does not square the condition number.

    Parameters
    ----------
    units : array, (N, U)
    groups : array, (N,)
        Identity of each image.
    smallest_penalty : float
        The weakest ridge penalty that will be asked for.
    """
    units = check(units, groups)
    mean, centred, scale, alive = centre(units)
    zscored = centred[:, alive] / scale[alive]
    values, vectors = _eigenbasis(zscored, smallest_penalty)
    axes = np.zeros((units.shape[1], len(values)))
    axes[alive] = vectors / scale[alive, None]
    return Spectrum(mean, axes, values, centred @ axes, np.unique(groups), int(alive.sum()))


def project(
    spectrum: Spectrum, units: np.ndarray, groups: np.ndarray, *, may_overlap: bool = False
) -> np.ndarray:
    """Bring held-out images into the basis.

    Parameters
    ----------
    units : array, (n, U)
    groups : array, (n,)
    may_overlap : bool
        Allow groups that were fitted. What is computed from them is then no test of
        generalisation; meant for predictions to look at, and for identity itself.

    Returns
    -------
    scores : array, (n, R)

    Raises
    ------
    ValueError
        If a group was among the fitting images.
    """
    units = check(units, groups)
    if not may_overlap:
        require_disjoint(spectrum.groups, groups)
    return (units - spectrum.mean) @ spectrum.axes


def require_disjoint(fitted: np.ndarray, held_out: np.ndarray) -> None:
    """Raise if an identity is on both sides.

    Image-level splits let a decoder recognise identities instead of reading the factor: a
    target that is noise per identity then scores R² > 0.5.
    """
    shared = np.intersect1d(fitted, held_out)
    if len(shared):
        names = ", ".join(str(name) for name in shared[:5]) + (" …" if len(shared) > 5 else "")
        raise ValueError(
            f"{len(shared)} identities are both fitted and scored ({names}); split by identity"
        )


def check(units: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return the units in double precision; raise if they are not (N, U), finite, one per group."""
    units = np.asarray(units, dtype=np.float64)
    if units.ndim != 2 or len(units) != len(groups) or not len(units):
        raise ValueError(f"units {units.shape} must be (images, units) with {len(groups)} groups")
    if not np.isfinite(units).all():
        raise ValueError(
            f"units hold {int((~np.isfinite(units)).sum())} values that are not finite"
        )
    return units


def centre(units: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return each unit's mean, the centred units, their standard deviation (over N) and life."""
    mean = units.mean(axis=0)
    centred = units - mean
    scale = np.sqrt(np.einsum("nu,nu->u", centred, centred) / len(units))
    return mean, centred, scale, scale > DEAD * np.abs(mean)


def eigenbasis_of_gram(gram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return eigenvalues (rounding below zero removed) and eigenvectors, (R,) and (U, R)."""
    values, vectors = np.linalg.eigh(gram)
    return np.maximum(values, 0), vectors


def _eigenbasis(zscored: np.ndarray, smallest_penalty: float) -> tuple[np.ndarray, np.ndarray]:
    if len(zscored) > zscored.shape[1]:
        values, vectors = eigenbasis_of_gram(zscored.T @ zscored)
        if smallest_penalty >= GRAM_LIMIT * values.max(initial=0):
            return values, vectors
    _, singular, rows = np.linalg.svd(zscored, full_matrices=False)
    return singular**2, rows.T
