"""One decomposition, and the wall between identities."""

import numpy as np
import pytest
from facelab_probing.spectrum import decompose, project, require_disjoint


@pytest.mark.parametrize("shape", [(60, 8), (8, 60)])
def test_the_basis_diagonalises_the_gram_matrix_of_zscored_units(rng, shape):
    units = rng.normal(size=shape) @ rng.normal(size=(shape[1], shape[1]))
    spectrum = decompose(units, np.arange(len(units)), 1e-3)
    zscored = (units - units.mean(0)) / units.std(0)
    gram = spectrum.scores.T @ spectrum.scores
    np.testing.assert_allclose(gram, np.diag(spectrum.values), atol=1e-8 * gram.max())
    np.testing.assert_allclose(spectrum.values.sum(), (zscored**2).sum())


def test_dead_units_have_no_say(rng):
    units = rng.normal(size=(40, 6))
    units[:, 2], units[:, 4] = 0.0, 7.3
    spectrum = decompose(units, np.arange(40), 1.0)
    assert spectrum.alive == 4
    assert (spectrum.axes[[2, 4]] == 0).all()
    assert np.isfinite(spectrum.scores).all()


def test_scaling_and_shifting_a_unit_changes_nothing(rng):
    units = rng.normal(size=(40, 5))
    other = units * [1, 100, 0.01, 3, 1] + [0, 5, 0, -9, 1]
    values = [decompose(each, np.arange(40), 1.0).values for each in (units, other)]
    np.testing.assert_allclose(*values)


def test_identities_that_were_fitted_are_refused_by_name(rng):
    units, groups = rng.normal(size=(20, 3)), np.repeat(np.arange(5), 4)
    spectrum = decompose(units, groups, 1.0)
    with pytest.raises(ValueError, match=r"1 identities are both fitted and scored \(3\)"):
        project(spectrum, units[:2], np.array([3, 9]))
    project(spectrum, units[:2], np.array([3, 9]), may_overlap=True)
    require_disjoint(np.arange(5), np.arange(5, 9))


@pytest.mark.parametrize("fault", [np.nan, np.inf])
def test_units_that_are_not_finite_are_refused(rng, fault):
    units = rng.normal(size=(20, 3))
    units[4, 1] = fault
    with pytest.raises(ValueError, match="1 values that are not finite"):
        decompose(units, np.arange(20), 1.0)
