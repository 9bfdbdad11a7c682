import os
import subprocess
import sys

import h5py
import numpy as np
import pytest
import torch
import torch.nn as nn
from facelab_probing.hooks import tap
from facelab_probing.recording import record
from facelab_probing.reduction import fit
from facelab_probing.responses import as_tensor

LAYERS = ["0", "1", "3"]
IDS = np.arange(40)

PRELUDE = """
import os, signal, sys
import numpy as np, torch, torch.nn as nn
from pathlib import Path
from facelab_probing.recording import record
torch.set_num_threads(1)

def run(path, count, size_px, width):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(2))
    images = np.random.default_rng(0).integers(0, 256, (32, size_px, size_px, 3), dtype=np.uint8)
    rows = np.arange(count).reshape(-1, 32)
    blocks = ((part, images + np.uint8(part[0])) for part in rows)
    record(net, blocks, ["0", "2"], path, ids=np.arange(count), images_digest="", batch=16)

def child(work):
    process = os.fork()
    if not process:
        sys.stderr = open(os.devnull, "w")
        work()
        os._exit(0)
    return os.wait4(process, 0)
"""

KILLS = """
write, calls = os.pwrite, 0

def fragile(file, data, place):
    global calls
    calls += 1
    if calls == int(kill):
        write(file, bytes(data)[: len(data) // 2], place)
        os.kill(os.getpid(), signal.SIGKILL)
    return write(file, data, place)

os.pwrite = fragile
whole, broken = Path(sys.argv[1]), Path(sys.argv[2])
deaths = 0
for kill in (1, 2, 3, 5, 7, 8):
    deaths += child(lambda: run(broken, 160, 8, 4))[1] == signal.SIGKILL
    assert not broken.exists() and broken.with_name(broken.name + ".partial").exists()
kill = 0
run(broken, 160, 8, 4)
calls_left = calls
run(whole, 160, 8, 4)
print(deaths, calls_left, calls - calls_left)
"""

MEMORY = """
for count in (256, 1024):
    usage = child(lambda: run(Path(sys.argv[1]) / f"{count}.h5", count, 34, 32))[2]
    print(usage.ru_maxrss)
"""


def python(code, *arguments):
    """Run code in a process of its own; return the numbers that it says."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", PRELUDE + code, *map(str, arguments)]
    told = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    return [int(word) for word in told.stdout.split()]


@pytest.fixture
def net():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(96, 5)
    ).eval()


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (40, 6, 8, 3), dtype=np.uint8)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "units.h5"


def blocks(images, size=10):
    for start in range(0, len(images), size):
        yield IDS[start : start + size], images[start : start + size]


def recorded(net, images, path, layers=LAYERS, **settings):
    settings = {"ids": IDS, "images_digest": "", "batch": 16} | settings
    return record(net, blocks(images), layers, path, **settings)


def test_an_identity_network_returns_its_input(images, path):
    found = recorded(nn.Sequential(nn.Identity()), images, path, ["0"])
    pixels = images.transpose(0, 3, 1, 2).reshape(40, -1) / np.float32(255)
    np.testing.assert_array_equal(found.units("0"), pixels)
    assert found.shapes == {"0": (3, 6, 8)}


def test_a_recording_equals_plain_hooks_exactly(net, images, path):
    found = recorded(net, images, path)
    for start in range(0, 40, 16):
        with torch.no_grad(), tap(net, LAYERS) as outputs:
            net(as_tensor(net, images[start : start + 16]))
        for name in LAYERS:
            units = found.units(name, IDS[start : start + 16])
            assert np.abs(units - outputs[name].flatten(1).numpy()).max() == 0
    assert (found.units("0") < 0).any()  # the in-place layer did not reach it


def test_a_planted_response_is_found_in_its_own_row(images, path):
    images[:] = 0
    images[17, 2, 3] = 255, 0, 0
    units = recorded(nn.Sequential(nn.Identity()), images, path, ["0"]).units("0")
    assert [place.tolist() for place in np.nonzero(units)] == [[17], [2 * 8 + 3]]


def test_the_blocks_and_the_number_of_layers_do_not_matter(net, images, tmp_path):
    one = recorded(net, images, tmp_path / "one.h5")
    parts = record(
        net, blocks(images, 7), ["3"], tmp_path / "two.h5", ids=IDS, images_digest="", batch=16
    )
    np.testing.assert_array_equal(one.units("3"), parts.units("3"))


def test_labels_and_attributes_travel_with_the_units(net, images, path):
    labels = {"identity": IDS % 5, "split": np.array(["training", "testing"])[IDS % 2]}
    found = recorded(net, images, path, labels=labels, attributes={"view": "upright"})
    assert found.attributes == {"view": "upright"}
    assert {name: found.labels[name].tolist() for name in labels} == {
        name: values.tolist() for name, values in labels.items()
    }


def test_half_precision_is_near_and_half_the_size(net, images, tmp_path):
    full = recorded(net, images, tmp_path / "full.h5")
    half = recorded(net, images, tmp_path / "half.h5", dtype="float16")
    np.testing.assert_allclose(half.units("3"), full.units("3"), rtol=1e-3, atol=1e-4)
    with h5py.File(half.path) as file:
        assert file["layers/0000_0/units"].dtype == np.float16


def test_a_response_too_large_for_half_precision_is_named(net, images, path):
    with torch.no_grad():
        net[3].weight *= 1e7
    with pytest.raises(ValueError, match="layer '3' exceeds 65504; record it as float32"):
        recorded(net, images, path, dtype="float16")
    assert np.abs(recorded(net, images, path).units("3")).max() > 65504


def test_a_killed_recording_continues_to_the_same_bytes(tmp_path):
    whole, broken = tmp_path / "whole.h5", tmp_path / "broken.h5"
    deaths, writes_left, writes = python(KILLS, whole, broken)
    assert deaths == 6
    assert writes == 10 * 3  # ten batches of two layers and a counter
    assert writes_left < writes / 2  # what was done was not done again
    assert whole.read_bytes() == broken.read_bytes()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["broken.h5", "whole.h5"]


def test_memory_does_not_grow_with_the_number_of_images(tmp_path):
    few, many = python(MEMORY, tmp_path)
    grown = sum(entry.stat().st_size for entry in tmp_path.iterdir()) / 1024
    assert grown > 100_000  # kB on disk
    assert many < few + 10_000


def interrupted(net, images, path, **settings):
    """Leave a recording unfinished after two batches."""
    with pytest.raises(ValueError, match="ended after 35 of 40 images"):
        record(
            net,
            blocks(images[:35], 5),
            LAYERS,
            path,
            ids=IDS,
            images_digest="",
            batch=16,
            **settings,
        )


def passes(net, images, path, **settings):
    """Count the images that the network sees when it records."""
    seen = []
    handle = net[0].register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    recorded(net, images, path, **settings)
    handle.remove()
    return sum(seen[1:])  # the first is the trial image


def test_only_what_is_missing_is_recorded(net, images, path):
    interrupted(net, images, path)
    assert passes(net, images, path) == 40 - 32  # two batches of 16 were done
    assert passes(net, images, path) == 0
    assert passes(net, images, path, images_digest="others") == 40


def test_an_unfinished_recording_of_something_else_is_discarded(net, images, tmp_path):
    path, fresh = tmp_path / "units.h5", tmp_path / "fresh.h5"
    interrupted(net, images, path)
    with torch.no_grad():
        net[0].bias += 1
    assert passes(net, images, path) == 40
    recorded(net, images, fresh)
    assert path.read_bytes() == fresh.read_bytes()


def test_rubbish_left_behind_is_discarded(net, images, path):
    path.with_name("units.h5.partial").write_bytes(b"rubbish")
    assert recorded(net, images, path).units("3").shape == (40, 5)
    assert [entry.name for entry in path.parent.iterdir()] == ["units.h5"]


def test_the_unfinished_file_lies_in_the_scratch_folder(net, images, tmp_path):
    path, scratch = tmp_path / "out" / "units.h5", tmp_path / "scratch"
    interrupted(net, images, path, scratch=scratch)
    assert len(list(scratch.iterdir())) == 1 and not list(path.parent.iterdir())
    assert passes(net, images, path, scratch=scratch) == 8
    assert not list(scratch.iterdir()) and path.exists()


def reduced(net, images, **settings):
    """Fit three components to the first twenty images, of identities 0 to 4."""
    identity, split = np.r_[IDS[:20] % 5, 5 + IDS[20:] % 5], np.repeat(["training", "testing"], 20)
    settings = {"identity": identity, "split": split} | settings
    labels = {name: settings[name] for name in ("identity", "split")}
    fitting = ((ids, part) for ids, part in blocks(images) if ids[0] < 20)
    return fit(net, fitting, LAYERS, 3, ids=IDS[:20], batch=16, **settings), labels


def test_a_reduction_stores_scores_and_what_it_was_fitted_on(net, images, tmp_path):
    reduction, labels = reduced(net, images)
    full = recorded(net, images, tmp_path / "full.h5")
    found = recorded(net, images, tmp_path / "scores.h5", reduction=reduction, labels=labels)
    assert found.attributes["reduction"]["identities"] == [0, 1, 2, 3, 4]
    for name in LAYERS:
        scores = reduction.project(name, torch.from_numpy(full.units(name))).numpy()
        np.testing.assert_allclose(found.units(name), scores, atol=1e-5)
        np.testing.assert_allclose(
            found.units(name)[:20].var(0, ddof=1), found.components(name)["variance"], rtol=1e-4
        )
    assert found.shapes == full.shapes


def test_a_reduction_that_has_seen_a_test_identity_is_refused(net, images, path):
    reduction, labels = reduced(net, images)
    labels["identity"] = labels["identity"].copy()
    labels["identity"][30] = 2
    with pytest.raises(ValueError, match=r"1 of those fitted on are there \(2\)"):
        recorded(net, images, path, reduction=reduction, labels=labels)


def test_a_reduction_of_another_network_or_other_layers_is_refused(net, images, path):
    reduction, _ = reduced(net, images)
    with pytest.raises(ValueError, match=r"no components for \['2'\]; the reduction has"):
        recorded(net, images, path, ["2"], reduction=reduction)
    with torch.no_grad():
        net[0].bias += 1
    with pytest.raises(ValueError, match="fitted on another network"):
        recorded(net, images, path, reduction=reduction)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"dtype": "float64"}, "unknown dtype 'float64'; choose from float32, float16"),
        ({"layers": ["9"]}, "unknown layer '9'; this network has 0, 1, 2, 3"),
        ({"labels": {"age": np.zeros(3)}}, "label 'age' has 3 rows for 40 images"),
        ({"ids": np.zeros(0, int)}, "ids must be a non-empty list of integers"),
        ({"ids": IDS + 1}, "does not hold the images announced"),
        ({"ids": np.arange(60)}, "does not hold|ended after 40 of 60 images"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(net, images, path, settings, said):
    with pytest.raises(ValueError, match=said) as error:
        recorded(net, images, path, **settings)
    assert "\n" not in str(error.value)
    assert not path.exists()


def test_a_layer_that_changes_its_shape_is_named(net, images, path):
    class Fickle(nn.Module):
        def forward(self, images):
            return images[:, :, :3] if len(images) > 1 else images

    with pytest.raises(
        ValueError, match=r"layer '0' responds with \(3, 3, 8\) to an image at row 0"
    ):
        recorded(nn.Sequential(Fickle()), images, path, ["0"])
