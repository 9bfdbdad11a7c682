import numpy as np
import pytest
import torch
from facelab_probing.principal import Stream
from sklearn.decomposition import PCA, IncrementalPCA


def spectrum(rng, rows=300, units=120, fall=0.7, rank=80):
    """Rows whose variances fall as a power law, with a mean, in float32."""
    strengths = np.arange(1, rank + 1) ** -fall
    units = rng.normal(size=(rows, rank)) * strengths @ rng.normal(size=(rank, units))
    return (units + rng.normal(size=units.shape[1])).astype(np.float32)


def axes_of(data, components, rows, step=None):
    stream = Stream(data.shape[1], components, rows)
    for part in torch.from_numpy(data).split(step or len(data)):
        stream.add(part)
    return stream.axes()


def aligned(axes, components):
    """Cosine of each component with its namesake, whatever the sign."""
    return np.abs((axes.components.numpy() * components).sum(1))


def captured(axes, data):
    """Share of the variance of `data` that the components carry, measured on the data."""
    centred = data.astype(float) - data.mean(0, dtype=float)
    components = axes.components.numpy().astype(float)
    return ((centred @ components.T) ** 2).sum() / (centred**2).sum()


@pytest.mark.parametrize("fall", [0.3, 0.7, 1.5])
def test_equals_scikit_learn_on_the_same_batches(rng, fall):
    data = spectrum(rng, fall=fall)
    axes = axes_of(data, 10, 50)
    oracle = IncrementalPCA(10)
    for part in np.split(data, range(50, 300, 50)):
        oracle.partial_fit(part)
    np.testing.assert_allclose(axes.variance, oracle.explained_variance_, rtol=1e-4)
    np.testing.assert_allclose(axes.captured, oracle.explained_variance_ratio_, rtol=1e-4)
    np.testing.assert_allclose(aligned(axes, oracle.components_), 1, rtol=1e-4)
    np.testing.assert_allclose(
        np.abs(axes.project(torch.from_numpy(data)).numpy()),
        np.abs(oracle.transform(data)),
        atol=1e-4 * np.sqrt(axes.variance[0]),
    )


@pytest.mark.parametrize("shape", [(60, 200), (200, 60)])
def test_a_single_batch_is_ordinary_pca(rng, shape):
    data = spectrum(rng, *shape)
    axes, oracle = axes_of(data, 12, len(data)), PCA(12, svd_solver="full").fit(data)
    np.testing.assert_allclose(axes.variance, oracle.explained_variance_, rtol=1e-5)
    np.testing.assert_allclose(aligned(axes, oracle.components_), 1, rtol=1e-5)


def test_data_of_low_rank_are_described_exactly(rng):
    data = spectrum(rng, rank=6)
    axes = axes_of(data, 8, 40)
    assert axes.components.shape == (6, 120)
    assert axes.reason == (
        "8 components asked for, but 300 images span only 6 dimensions of this layer"
    )
    rebuilt = axes.project(torch.from_numpy(data)) @ axes.components + axes.mean
    np.testing.assert_allclose(rebuilt.numpy(), data, atol=1e-5 * np.abs(data).max())


def test_a_planted_direction_is_the_first_component(rng):
    direction = np.zeros(30)
    direction[[3, 7]] = 0.6, -0.8
    data = 10 * rng.normal(size=(200, 1)) * direction + rng.normal(size=(200, 30))
    axes = axes_of(data.astype(np.float32), 3, 25)
    assert abs(axes.components[0].numpy() @ direction) > 0.99
    assert axes.components[0, 7] > 0.5  # its largest entry is made positive
    assert axes.captured[0] > 10 * axes.captured[1]


def test_noise_has_no_first_component(rng):
    axes = axes_of(rng.normal(size=(2000, 10)).astype(np.float32), 10, 500)
    assert axes.captured.max() < 0.13
    assert axes.captured.sum() == pytest.approx(1, abs=1e-5)


def test_components_are_orthonormal_and_signed(rng):
    components = axes_of(spectrum(rng), 20, 30).components.numpy()
    np.testing.assert_allclose(components @ components.T, np.eye(20), atol=1e-5)
    assert (components[np.arange(20), np.abs(components).argmax(1)] > 0).all()


def test_mean_and_variance_are_those_of_numpy(rng):
    data = spectrum(rng) + 5
    axes = axes_of(data, 4, 33)
    np.testing.assert_allclose(axes.mean.numpy(), data.mean(0, dtype=float), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(axes.unit_variance, data.var(0, ddof=1, dtype=float), rtol=1e-5)


def test_the_order_of_batches_hardly_matters(rng):
    data = spectrum(rng)
    whole = captured(axes_of(data, 10, 50), data)
    for _ in range(5):
        parts = np.split(data, range(50, 300, 50))
        shuffled = np.concatenate([parts[i] for i in rng.permutation(6)])
        assert abs(captured(axes_of(shuffled, 10, 50), data) - whole) < 1e-3


@pytest.mark.parametrize("step", [1, 7, 64, 299])
def test_how_many_rows_come_at_a_time_does_not_matter(rng, step):
    data = spectrum(rng)
    one, other = axes_of(data, 10, 50), axes_of(data, 10, 50, step)
    np.testing.assert_array_equal(one.components.numpy(), other.components.numpy())


@pytest.mark.parametrize("rows", [37, 64, 299])
def test_a_ragged_last_batch_is_allowed(rng, rows):
    data = spectrum(rng)
    exact = PCA(20, svd_solver="full").fit(data).explained_variance_ratio_.sum()
    assert exact - captured(axes_of(data, 20, rows), data) < 0.005


def test_fewer_units_or_images_than_components_keep_all_and_say_why(rng):
    narrow = axes_of(spectrum(rng, units=5), 8, 50)
    assert narrow.components.shape == (5, 5)
    assert narrow.reason == "8 components asked for, but the layer has 5 units"
    short = axes_of(spectrum(rng, rows=6), 8, 50)
    assert short.components.shape == (5, 120)
    assert "6 images span only 5 dimensions" in short.reason
    assert axes_of(spectrum(rng), 8, 50).reason == ""


def test_a_constant_layer_scores_zero():
    axes = axes_of(np.ones((20, 7), np.float32), 3, 10)
    assert (axes.project(torch.ones(4, 7)) == 0).all()
    assert axes.captured.tolist() == [0]


def test_small_and_large_sums_agree(rng, monkeypatch):
    data = spectrum(rng, units=9000)
    exact = axes_of(data, 10, 50)
    monkeypatch.setattr("facelab_probing.principal.SMALL", 0)
    single = axes_of(data, 10, 50)
    np.testing.assert_allclose(single.variance, exact.variance, rtol=1e-5)
    np.testing.assert_allclose(aligned(single, exact.components.numpy()), 1, rtol=1e-4)


def test_what_cannot_be_described_is_refused():
    with pytest.raises(ValueError, match="at least 2 rows, not 1"):
        axes_of(np.ones((1, 4), np.float32), 2, 10)
    with pytest.raises(ValueError, match="not a finite number"):
        axes_of(np.full((4, 4), np.nan, np.float32), 2, 10)
