"""Linear discriminant analysis with every ridge penalty from one decomposition.

Classes are taken as Gaussians that share a covariance. Its estimate is the within-class
scatter S of N images with a ridge penalty α, rescaled so that its trace stays,

    C(α) = (S + α I) / (N + α / τ),   τ = tr(S) / (N U),

which is the usual shrinkage estimate with shrinkage s = α / (α + N τ): α → 0 is the
unpenalised analysis, α → ∞ compares distances to the class means. An image x belongs to
class k with a probability proportional to

    π_k exp(xᵀ C⁻¹ μ_k − ½ μ_kᵀ C⁻¹ μ_k)

(Hastie, Tibshirani & Friedman 2009, sections 4.3 and 4.3.1). In the eigenbasis of S the
penalty only adds to the eigenvalues, so all penalties are closed form.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from facelab_probing.spectrum import Spectrum, eigenbasis_of_gram


@dataclass(frozen=True)
class Discriminant:
    """All discriminant analyses of K classes on one layer, whatever the penalty.

    Attributes
    ----------
    values : array, (R,)
        Eigenvalues of the within-class scatter.
    vectors : array, (R, R)
        Its eigenvectors, in the basis of the layer's spectrum.
    means : array, (R, K)
        Class means along them.
    priors : array, (K,)
        Share of each class among the fitting images; 0 for a class not met.
    images : int
        Fitting images.
    spread : float
        Mean within-class variance of a unit, τ.
    """

    values: np.ndarray
    vectors: np.ndarray
    means: np.ndarray
    priors: np.ndarray
    images: int
    spread: float


def fit(spectrum: Spectrum, codes: np.ndarray, classes: int) -> Discriminant:
    """Decompose the within-class scatter of the fitting images.

    The scatter is the total one, diagonal in the spectrum, less that of the class means:
    no image is visited twice.

    Parameters
    ----------
    codes : int array, (N,)
        Class of each fitting image, 0 … classes - 1.
    classes : int
        Classes there are, met or not.
    """
    images = len(codes)
    counts = np.bincount(codes, minlength=classes)
    members = np.equal.outer(np.arange(classes), codes).astype(float)
    means = (members @ spectrum.scores) / np.maximum(counts, 1)[:, None]
    between = means * np.sqrt(counts)[:, None]
    scatter = np.diag(spectrum.values) - between.T @ between
    values, vectors = eigenbasis_of_gram(scatter)
    spread = values.sum() / (images * max(spectrum.alive, 1))
    return Discriminant(values, vectors, vectors.T @ means.T, counts / images, images, spread)


def probabilities(model: Discriminant, scores: np.ndarray, penalty: float) -> np.ndarray:
    """Return the probability of every class for projected images.

    Parameters
    ----------
    scores : array, (n, R)
        Images in the basis, from `spectrum.project`.

    Returns
    -------
    probabilities : array, (n, K)
        Rows sum to 1; a class that was not met has 0.
    """
    linear, constant = rules(model, penalty)
    met = model.priors > 0
    shares = np.zeros((len(scores), len(met)))
    shares[:, met] = softmax(scores @ linear[:, met] + constant[met], axis=1)
    return shares


def rules(model: Discriminant, penalty: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the linear rules in the spectrum's basis: weights (R, K) and constants (K,)."""
    precision = (model.images + penalty / max(model.spread, 1e-300)) / (model.values + penalty)
    weighted = precision[:, None] * model.means
    with np.errstate(divide="ignore"):
        priors = np.log(model.priors)
    return model.vectors @ weighted, priors - (model.means * weighted).sum(axis=0) / 2
