"""Discriminant analysis beside scikit-learn and beside its limits."""

import numpy as np
import pytest
from facelab_probing import discriminant
from facelab_probing.spectrum import decompose
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis


@pytest.fixture
def planted(rng):
    codes = np.repeat([0, 1, 2], [80, 60, 40])
    layer = rng.normal(size=(180, 10)) @ rng.normal(size=(10, 10))
    layer += 2 * rng.normal(size=(3, 10))[codes]
    return layer, codes, decompose(layer, np.arange(180), 1e-9)


def test_without_penalty_equals_scikit_learn(planted):
    layer, codes, spectrum = planted
    model = discriminant.fit(spectrum, codes, 3)
    # scikit-learn divides the scatter by N - K in its SVD solver, by N in "lsqr"
    oracle = LinearDiscriminantAnalysis(solver="lsqr").fit(layer, codes)
    shares = discriminant.probabilities(model, spectrum.scores, 1e-9)
    np.testing.assert_allclose(shares, oracle.predict_proba(layer), atol=1e-6)


def test_a_penalty_is_a_shrinkage_of_the_zscored_covariance(planted):
    layer, codes, spectrum = planted
    model, penalty = discriminant.fit(spectrum, codes, 3), 50.0
    zscored = (layer - layer.mean(0)) / layer.std(0)
    means = np.array([zscored[codes == k].mean(0) for k in range(3)])
    within = np.cov((zscored - means[codes]).T, bias=True)
    tau = np.trace(within) / 10
    share = penalty / (penalty + 180 * tau)
    precision = np.linalg.inv((1 - share) * within + share * tau * np.eye(10))
    logits = zscored @ precision @ means.T - np.einsum("ku,uv,kv->k", means, precision, means) / 2
    logits += np.log(np.bincount(codes) / 180)
    expected = np.exp(logits - logits.max(1, keepdims=True))
    expected /= expected.sum(1, keepdims=True)
    shares = discriminant.probabilities(model, spectrum.scores, penalty)
    np.testing.assert_allclose(shares, expected, atol=1e-8)


def test_classes_that_were_not_met_have_no_probability(planted):
    _, codes, spectrum = planted
    shares = discriminant.probabilities(
        discriminant.fit(spectrum, codes + 1, 5), spectrum.scores, 1.0
    )
    assert (shares[:, [0, 4]] == 0).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1)


def test_more_units_than_images_need_only_a_penalty(rng):
    layer, codes = rng.normal(size=(30, 80)), np.tile([0, 1], 15)
    layer[:, 0] += 6 * codes
    spectrum = decompose(layer, np.arange(30), 1.0)
    shares = discriminant.probabilities(discriminant.fit(spectrum, codes, 2), spectrum.scores, 10.0)
    assert np.isfinite(shares).all()
    assert (shares.argmax(1) == codes).all()
