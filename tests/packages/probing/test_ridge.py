"""Ridge regression beside scikit-learn."""

import numpy as np
import pytest
from facelab_probing import ridge
from facelab_probing.spectrum import decompose, project
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler


def images(rng, count, units):
    mixing = rng.normal(size=(units, units)) * np.arange(1, units + 1) ** -0.5
    return rng.normal(size=(count, units)) @ mixing + rng.normal(size=units)


@pytest.mark.parametrize(("count", "units"), [(90, 30), (40, 70)])
@pytest.mark.parametrize("penalty", [1e-3, 1e-1, 10.0, 1e3, 1e6])
def test_equals_scikit_learn_at_every_penalty(rng, count, units, penalty):
    layer = images(rng, count + 20, units)
    targets = layer[:, :3] + rng.normal(size=(count + 20, 3)) + 40
    groups = np.arange(count + 20)
    spectrum = decompose(layer[:count], groups[:count], penalty)
    model = ridge.fit(spectrum, targets[:count])
    scaler = StandardScaler().fit(layer[:count])
    oracle = Ridge(penalty, solver="svd").fit(scaler.transform(layer[:count]), targets[:count])
    expected = oracle.predict(scaler.transform(layer[count:]))
    penalties = np.full(3, penalty)
    held_out = project(spectrum, layer[count:], groups[count:])
    np.testing.assert_allclose(ridge.predict(model, held_out, penalties), expected, rtol=1e-6)
    raw, intercepts = ridge.weights(model, spectrum, penalties)
    np.testing.assert_allclose(layer[count:] @ raw + intercepts, expected, rtol=1e-6)


def test_errors_are_those_of_predictions(rng):
    layer, targets = images(rng, 120, 12), rng.normal(size=(120, 4))
    spectrum = decompose(layer[:80], np.arange(80), 1e-2)
    model = ridge.fit(spectrum, targets[:80])
    held_out, penalties = project(spectrum, layer[80:], np.arange(80, 120)), np.array([1.0, 50.0])
    errors = ridge.errors(model, held_out, targets[80:], penalties)
    for error, penalty in zip(errors, penalties, strict=True):
        lost = targets[80:] - ridge.predict(model, held_out, np.full(4, penalty))
        np.testing.assert_allclose(error, (lost**2).sum(axis=0))


def test_a_penalty_of_its_own_per_target(rng):
    layer, targets = images(rng, 60, 10), rng.normal(size=(60, 2))
    spectrum = decompose(layer, np.arange(60), 1.0)
    model = ridge.fit(spectrum, targets)
    both = ridge.predict(model, spectrum.scores, np.array([1.0, 100.0]))
    for column, penalty in enumerate((1.0, 100.0)):
        alone = ridge.predict(model, spectrum.scores, np.full(2, penalty))
        np.testing.assert_allclose(both[:, column], alone[:, column])


def test_targets_of_other_images_are_refused(rng):
    spectrum = decompose(images(rng, 30, 4), np.arange(30), 1.0)
    with pytest.raises(ValueError, match="targets"):
        ridge.fit(spectrum, np.zeros((29, 1)))
