import h5py
import numpy as np
import pytest
import torch
import torch.nn as nn
from facelab_probing.hooks import tap
from facelab_probing.reduction import fit, load, save
from facelab_probing.responses import as_tensor, fingerprint
from sklearn.decomposition import PCA

SPLITS = np.array(["training"] * 48 + ["holdout"] * 8 + ["validation"] * 8 + ["testing"] * 16)
IDENTITIES = np.r_[np.arange(48) % 8, np.arange(8), 8 + np.arange(8) % 2, 10 + np.arange(16) % 4]
TRAINING = np.arange(48)


@pytest.fixture
def net():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(64, 5)
    ).eval()


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (80, 6, 6, 3), dtype=np.uint8)


def blocks(images, ids, size=20):
    for start in range(0, len(ids), size):
        yield ids[start : start + size], images[ids[start : start + size]]


def fitted(net, images, ids=TRAINING, **settings):
    settings = {"components": 10, "identity": IDENTITIES, "split": SPLITS} | settings
    return fit(net, blocks(images, ids), ["0", "3"], ids=ids, batch=16, **settings)


def responses(net, images, layers):
    with torch.no_grad(), tap(net, layers) as outputs:
        net(as_tensor(net, images))
    return {name: output.flatten(1) for name, output in outputs.items()}


def test_all_layers_are_reduced_in_one_pass(net, images):
    calls = []
    net[0].register_forward_pre_hook(lambda _, inputs: calls.append(len(inputs[0])))
    reduction = fitted(net, images)
    assert sum(calls) == 48 + 1  # and the trial image
    assert list(reduction.axes) == ["0", "3"]
    assert reduction.identities.tolist() == list(range(8))
    assert reduction.network == fingerprint(net)


def test_few_images_give_ordinary_pca_of_the_responses(net, images):
    reduction = fitted(net, images)
    held = responses(net, images[48:], ["0", "3"])
    for name, units in responses(net, images[:48], ["0", "3"]).items():
        oracle = PCA(min(10, units.shape[1]), svd_solver="full").fit(units.numpy())
        axes = reduction.axes[name]
        np.testing.assert_allclose(axes.variance, oracle.explained_variance_, rtol=1e-4)
        scores = reduction.project(name, held[name]).numpy()
        np.testing.assert_allclose(
            np.abs(scores), np.abs(oracle.transform(held[name].numpy())), rtol=1e-3, atol=1e-4
        )
    assert reduction.axes["3"].reason == "10 components asked for, but the layer has 5 units"


def test_many_images_are_merged_a_few_at_a_time(net, images, monkeypatch):
    exact = fitted(net, images, components=4)
    monkeypatch.setattr("facelab_probing.reduction.EXACT_ROWS", 0)
    streamed = fitted(net, images, components=4)
    assert streamed.axes["0"].captured.sum() == pytest.approx(
        exact.axes["0"].captured.sum(), abs=0.05
    )
    assert not torch.equal(streamed.axes["0"].components, exact.axes["0"].components)


@pytest.mark.parametrize(("image", "kind"), [(50, "holdout"), (60, "validation"), (79, "testing")])
def test_an_image_of_another_split_is_refused_by_name(net, images, image, kind):
    with pytest.raises(ValueError, match=rf"1 of 49 are not, .* image {image} \({kind}\)"):
        fitted(net, images, np.r_[TRAINING, image])


def test_a_training_identity_that_is_also_tested_is_refused_by_name(net, images):
    leaky = IDENTITIES.copy()
    leaky[[60, 70]] = 3, 5
    with pytest.raises(ValueError, match=r"2 of those fitted on are there \(3, 5\)"):
        fitted(net, images, identity=leaky)
    fitted(net, images, TRAINING[leaky[:48] < 3], identity=leaky)


def test_held_out_images_never_move_the_components(net, images, rng):
    one = fitted(net, images)
    images[48:] = rng.integers(0, 256, images[48:].shape)
    assert fitted(net, images).digest() == one.digest()


@pytest.mark.parametrize(
    ("ids", "components", "said"),
    [
        (np.arange(0), 4, "no images to fit on"),
        (np.array([99]), 4, "run from 99 to 99; the set has 80"),
        (TRAINING, 0, "components is 0"),
    ],
)
def test_a_fit_to_nothing_is_refused(net, images, ids, components, said):
    with pytest.raises(ValueError, match=said):
        fitted(net, images, ids, components=components)


def test_a_layer_that_is_not_finite_is_named(net, images):
    with torch.no_grad():
        net[3].bias[0] = np.nan
    with pytest.raises(ValueError, match="layer '3': a response is not a finite number"):
        fitted(net, images)


def test_a_reduction_read_back_is_the_one_written(net, images, tmp_path):
    written = fitted(net, images)
    for name in ("one.h5", "two.h5"):
        save(written, tmp_path / name)
    found = load(tmp_path / "one.h5")
    units = responses(net, images, ["0", "3"])
    for name in found.axes:
        assert torch.equal(found.project(name, units[name]), written.project(name, units[name]))
        assert found.axes[name].reason == written.axes[name].reason
    assert found.digest() == written.digest()
    assert found.identities.tolist() == written.identities.tolist()
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.h5", "two.h5"]


def test_files_that_are_no_reduction_are_refused_in_one_line(net, images, tmp_path):
    with pytest.raises(FileNotFoundError, match="no reduction at"):
        load(tmp_path / "none.h5")
    cut, foreign = tmp_path / "cut.h5", tmp_path / "foreign.h5"
    save(fitted(net, images), cut)
    cut.write_bytes(cut.read_bytes()[:-100])
    h5py.File(foreign, "w").close()
    for path in (cut, foreign):
        with pytest.raises(ValueError, match="is not a whole facelab reduction") as error:
            load(path)
        assert "\n" not in str(error.value)
