"""Leaving identities out, beside the folds written out with scikit-learn."""

import numpy as np
import pytest
from facelab_probing import ridge
from facelab_probing.folds import grouped_folds
from facelab_probing.leaveout import cross_decode, cross_fit, gather
from facelab_probing.scores import r_squared
from facelab_probing.tuning import TuningConfig, lattice
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, PredefinedSplit, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

GRID = TuningConfig(
    sampler="grid",
    trials=20,
    penalty_range=(1e-1, 1e5),
    steps_per_decade=2,
    storage="",
    seed=0,
)


def faces(rng, identities, each, units, targets):
    """Units with unlike spreads and means; targets that they hold, with more and more noise."""
    identity = np.repeat(np.arange(identities), each)
    layer = rng.normal(size=(len(identity), units)) * np.logspace(0, -2, units) + 3
    held = layer @ (rng.normal(size=(units, targets)) / layer.std(axis=0)[:, None])
    noise = rng.normal(size=held.shape) * held.std(axis=0) * np.linspace(0.1, 3, targets)
    return layer, held + noise + 10, identity


def by_sklearn(layer, targets, folds, penalty):
    model = make_pipeline(StandardScaler(), Ridge(penalty, solver="svd"))
    return cross_val_predict(model, layer, targets, cv=PredefinedSplit(folds))


@pytest.mark.parametrize(("identities", "each", "units"), [(20, 6, 15), (9, 4, 50)])
def test_curves_equal_explicit_folds(rng, identities, each, units):
    layer, targets, identity = faces(rng, identities, each, units, 3)
    folds = grouped_folds(identity, 4, seed=0)
    penalties = np.array([1e-2, 1.0, 1e2, 1e6])
    curves, _, _ = cross_fit(gather(layer, targets, identity, folds), penalties)
    for curve, penalty in zip(curves, penalties, strict=True):
        expected = r2_score(
            targets, by_sklearn(layer, targets, folds, penalty), multioutput="raw_values"
        )
        np.testing.assert_allclose(curve, expected, rtol=1e-10, atol=1e-10)


def test_a_unit_that_lives_in_one_fold_only_does_not_spoil_the_others(rng):
    """Without that fold its variance is rounding, which must not be divided by."""
    layer, targets, identity = faces(rng, 16, 6, 10, 2)
    folds = grouped_folds(identity, 4, seed=0)
    layer[folds != 1, 4] = 7.0
    curves, _, _ = cross_fit(gather(layer, targets, identity, folds), np.array([1.0]))
    guesses = np.empty_like(targets)
    for fold in range(4):
        kept = np.arange(10) != 4 if fold == 1 else np.ones(10, dtype=bool)
        model = make_pipeline(StandardScaler(), Ridge(1.0, solver="svd"))
        model.fit(layer[folds != fold][:, kept], targets[folds != fold])
        guesses[folds == fold] = model.predict(layer[folds == fold][:, kept])
    np.testing.assert_allclose(curves[0], r_squared(targets, guesses), rtol=1e-10)


def test_the_fit_of_all_images_equals_scikit_learn(rng):
    layer, targets, identity = faces(rng, 20, 6, 12, 3)
    sample = gather(layer, targets, identity, grouped_folds(identity, 4, seed=0))
    _, spectrum, model = cross_fit(sample, np.array([1e-2, 1.0, 1e3]))
    chosen = np.array([1e-2, 1.0, 1e3])
    raw, intercepts = ridge.weights(model, spectrum, chosen)
    scaled = StandardScaler().fit_transform(layer)
    oracle = Ridge(chosen, solver="cholesky").fit(scaled, targets).predict(scaled)
    np.testing.assert_allclose(sample.units @ raw + intercepts, oracle, rtol=1e-9)


def test_predictions_are_those_of_nested_folds_written_out(rng):
    layer, targets, identity = faces(rng, 15, 8, 10, 2)
    found = cross_decode(
        layer, targets, identity, folds=3, tuning=GRID, seed=0, factor="shape", study=""
    )
    for fold in range(3):
        kept = found.folds != fold
        inner = np.unique(found.folds[kept], return_inverse=True)[1]
        scores = [
            r2_score(
                targets[kept],
                by_sklearn(layer[kept], targets[kept], inner, penalty),
                multioutput="raw_values",
            )
            for penalty in lattice(GRID)
        ]
        best = lattice(GRID)[np.argmax(scores, axis=0)]
        np.testing.assert_allclose(found.penalties[fold], best)
        scaler = StandardScaler().fit(layer[kept])
        oracle = Ridge(best, solver="cholesky").fit(scaler.transform(layer[kept]), targets[kept])
        expected = oracle.predict(scaler.transform(layer[~kept]))
        np.testing.assert_allclose(found.predictions[~kept], expected, rtol=1e-9)


def test_noise_of_identities_is_decoded_from_images_but_not_from_identities(rng):
    """A target of identities, unrelated to what else is in the units: the trap beside it."""
    identity = np.repeat(np.arange(64), 32)
    layer = rng.normal(size=(64, 60))[identity] + 0.5 * rng.normal(size=(len(identity), 60))
    targets = rng.normal(size=(64, 1))[identity]
    shuffled = KFold(5, shuffle=True, random_state=0)
    trap = cross_val_predict(RidgeCV(np.logspace(-1, 5, 13)), layer, targets[:, 0], cv=shuffled)
    found = cross_decode(layer, targets, identity, folds=5, tuning=GRID, seed=0, factor="noise")
    assert r2_score(targets[:, 0], trap) > 0.5
    assert r_squared(targets, found.predictions)[0] <= 0


def test_noisy_targets_are_given_stronger_penalties(rng):
    layer, _, identity = faces(rng, 30, 8, 20, 1)
    signal = layer @ (rng.normal(size=(20, 1)) / layer.std(axis=0)[:, None])
    noise = rng.normal(size=(len(layer), 2)) * signal.std() * np.array([0.01, 5.0])
    found = cross_decode(
        layer, signal + noise, identity, folds=4, tuning=GRID, seed=0, factor="pair"
    )
    assert (found.penalties[:, 1] > 10 * found.penalties[:, 0]).all()


def test_the_order_of_the_images_does_not_matter(rng):
    layer, targets, identity = faces(rng, 12, 5, 8, 2)
    order = rng.permutation(len(identity))
    here = cross_decode(layer, targets, identity, folds=3, tuning=GRID, seed=0, factor="age")
    there = cross_decode(
        layer[order], targets[order], identity[order], folds=3, tuning=GRID, seed=0, factor="age"
    )
    np.testing.assert_allclose(there.predictions, here.predictions[order], rtol=1e-9)


def test_the_history_tells_the_fold_and_the_target(rng):
    layer, targets, identity = faces(rng, 12, 5, 8, 2)
    found = cross_decode(layer, targets, identity, folds=3, tuning=GRID, seed=0, factor="age")
    assert set(found.history["fold"]) == {0, 1, 2}
    assert set(found.history["target"]) == {"age_000", "age_001"}


def test_a_fold_that_splits_an_identity_is_refused(rng):
    layer, targets, identity = faces(rng, 6, 4, 3, 1)
    with pytest.raises(ValueError, match="more than one fold"):
        gather(layer, targets, identity, np.arange(len(identity)) % 2)


def test_two_folds_leave_none_to_tune_on(rng):
    layer, targets, identity = faces(rng, 6, 4, 3, 1)
    with pytest.raises(ValueError, match="at least 3"):
        cross_decode(layer, targets, identity, folds=2, tuning=GRID, seed=0, factor="age")
