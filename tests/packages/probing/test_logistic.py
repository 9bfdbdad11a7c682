"""Logistic regression beside scikit-learn: compared by objective, since weights converge slowly."""

import numpy as np
import pytest
from facelab_probing import logistic
from facelab_probing.spectrum import decompose
from sklearn.linear_model import LogisticRegression


def planted(rng, classes, count=400, units=15):
    codes = rng.integers(classes, size=count)
    layer = rng.normal(size=(count, units)) * np.linspace(0.3, 3, units)
    layer += 1.5 * rng.normal(size=(classes, units))[codes]
    return decompose(layer, np.arange(count), 1e-3), codes


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("penalty", [1e-1, 1.0, 100.0, 1e4])
def test_reaches_the_objective_of_scikit_learn(rng, classes, penalty):
    spectrum, codes = planted(rng, classes)
    model = logistic.fit(spectrum, codes, classes)
    ours, _ = logistic.objective(model, penalty, logistic.weights(model, penalty))
    oracle = LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=5000)
    oracle.fit(spectrum.scores, codes)
    theirs = np.vstack([oracle.coef_.T, oracle.intercept_])
    best, _ = logistic.objective(model, penalty, theirs)
    assert ours <= best * (1 + 2e-5)
    shares = logistic.probabilities(model, spectrum.scores, penalty)
    np.testing.assert_allclose(shares, oracle.predict_proba(spectrum.scores), atol=0.02)


def test_the_gradient_is_that_of_the_objective(rng):
    spectrum, codes = planted(rng, 3)
    model = logistic.fit(spectrum, codes, 3)
    theta, step = rng.normal(size=(16, 3)) * 0.1, rng.normal(size=(16, 3)) * 0.05
    up, down = (logistic.objective(model, 5.0, theta + sign * step)[0] for sign in (1, -1))
    slope = (logistic.objective(model, 5.0, theta)[1] * step).sum()
    assert up - down == pytest.approx(2 * slope, rel=0.02)


def test_a_path_ends_where_a_cold_start_does(rng):
    spectrum, codes = planted(rng, 3)
    warm, cold = (logistic.fit(spectrum, codes, 3) for _ in range(2))
    for penalty in (1e4, 1e2, 1.0):
        values = logistic.objective(warm, penalty, logistic.weights(warm, penalty))[0]
    alone = logistic.objective(cold, 1.0, logistic.weights(cold, 1.0))[0]
    assert values == pytest.approx(alone, rel=1e-4)


def test_classes_that_were_not_met_have_no_probability(rng):
    spectrum, codes = planted(rng, 3)
    shares = logistic.probabilities(logistic.fit(spectrum, codes + 1, 5), spectrum.scores, 1.0)
    assert (shares[:, [0, 4]] == 0).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1)


def test_a_single_class_is_certain(rng):
    spectrum, codes = planted(rng, 2)
    model = logistic.fit(spectrum, np.zeros_like(codes), 2)
    np.testing.assert_allclose(logistic.probabilities(model, spectrum.scores, 1.0)[:, 0], 1)
