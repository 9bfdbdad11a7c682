"""The stage as a whole: killed, resumed, and shared by two processes."""

import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import psutil
import pytest
import torch
import yaml
from facelab_data import stimuli

from projects import train
from tests.source import PACKAGES, ROOT

TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
ROW = {
    "stimuli": "faces",
    "trunk": "resnet6_thin",
    "weights": "",
    "weights_scale": 1.0,
    "branch": "",
    "size_px": 0,
    "tasks": {
        "identity": {"kind": "categorical", "weight": 1.0, "classes": ""},
        "mood": {"kind": "categorical", "weight": 0.5, "classes": ""},
        "age_years": {"kind": "continuous", "weight": 0.5, "classes": ""},
    },
    "classifier": "joined",
    "seeds": [0],
    "mean": [0.5, 0.5, 0.5],
    "std": [0.25, 0.25, 0.25],
    "views": {"upright": 1.0},
    "batch_size": 2,
    "augment": {
        "crop_area": [0.8, 1.0],
        "crop_aspect": [0.9, 1.2],
        "shift": 0.05,
        "zoom": 0.05,
        "flip": 0.5,
        "grey": 0.1,
        "saturation": 0.1,
        "hue": 0.02,
        "brightness": 0.1,
        "contrast": 0.1,
    },
    "fit": {
        "trained": "all",
        "epochs": 2,
        "optimizer": "sgd",
        "lr": 0.01,
        "momentum": 0.9,
        "weight_decay": 0.001,
        "schedule": "step",
        "warmup": 0.1,
        "drop": 0.1,
        "drop_epochs": 1,
        "label_smoothing": 0.1,
        "checkpoints": [0.0, 2.0],
    },
    "stop": None,
    "save_every_s": 0.0,
}


def write(folder, splits=("training", "training", "training", "holdout"), count=160, **changes):
    """Make a folder in which the stage can run: a stimulus set, and params.yaml with one row."""
    rng = np.random.default_rng(0)
    factors = pd.DataFrame(
        {
            "identity": np.arange(count) // 4 % 5,
            "split": [splits[image % 4] for image in range(count)],
            "mood": np.array(["calm", "happy", "sad"])[np.arange(count) % 3],
            "age_years": rng.uniform(20, 60, size=count),
        }
    )
    kinds = {"identity": "categorical", "mood": "categorical", "age_years": "continuous"}
    levels = dict.fromkeys(kinds, "image") | {"identity": "identity"}
    images = rng.integers(256, size=(count, 16, 16, 3), dtype=np.uint8)
    home = folder / "artifacts" / "draw" / "faces"
    home.mkdir(parents=True, exist_ok=True)
    stimuli.write(home / "stimuli.h5", [images], factors, kinds, levels)
    row = ROW | changes
    (folder / "params.yaml").write_text(
        yaml.safe_dump({"seed": 0, "threads": 1, "networks": {"small": row}}, sort_keys=False)
    )
    return folder


def start(folder, store, launcher=("-m",)):
    path = [str(ROOT), *(str(ROOT / "packages" / package) for package in PACKAGES)]
    env = os.environ | {
        "PYTHONPATH": os.pathsep.join(path),
        "MLFLOW_TRACKING_URI": store,
        "OMP_NUM_THREADS": "1",
    }
    words = [sys.executable, *launcher, "projects.train", "small"]
    return subprocess.Popen(words, cwd=folder, env=env, stderr=subprocess.PIPE, text=True)


def finish(process):
    _, said = process.communicate(timeout=600)
    assert process.returncode == 0, said[-3000:]


def weights(folder):
    content = torch.load(
        folder / "artifacts/train/small/seed-0/epoch-0002.000.pt", weights_only=True
    )
    return content["weights"]


def history(folder):
    return pd.read_csv(folder / "results/train/small/history.csv")


def await_steps(folder, process, count):
    """Wait until the state on disk is `count` steps or more into an epoch."""
    for _ in range(6000):
        assert process.poll() is None, process.stderr.read()[-3000:]
        for path in (folder / "scratch/train/small").glob("*/seed-0.state"):
            try:
                fit = torch.load(path, weights_only=True)["state"]["fit"]
            except (OSError, RuntimeError):  # being replaced
                continue
            if fit["step"] >= count:
                return fit["step"]
        time.sleep(0.05)
    raise TimeoutError


@pytest.fixture(scope="module")
def whole(tmp_path_factory, store):
    """Give the folder of a training that nobody disturbed."""
    folder = write(tmp_path_factory.mktemp("whole"))
    finish(start(folder, store))
    return folder


def test_a_killed_training_ends_where_an_undisturbed_one_does(whole, tmp_path, store):
    """Killed a random moment after the first state within an epoch; the same bits, and tables."""
    folder = write(tmp_path)
    process = start(folder, store)
    step = await_steps(folder, process, 16)
    time.sleep(random.Random(os.getpid()).uniform(0, 0.3))
    process.kill()
    process.wait()
    process.stderr.close()
    assert step % 60 or step == 120, "the state is one from within an epoch"
    assert not (folder / "artifacts/train/small").exists()
    finish(start(folder, store))
    first, second = weights(whole), weights(folder)
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    table = "results/train/small/history.csv"
    assert (folder / table).read_bytes() == (whole / table).read_bytes()


def test_two_processes_that_were_killed_end_where_one_does(whole, tmp_path, store):
    """The second of two is killed: torchrun ends the first; both go on from its last state."""
    folder = write(tmp_path)
    process = start(folder, store, TORCHRUN)
    await_steps(folder, process, 16)
    workers = psutil.Process(process.pid).children(recursive=True)
    second = next(worker for worker in workers if worker.environ().get("RANK") == "1")
    os.kill(second.pid, signal.SIGKILL)
    process.communicate(timeout=120)
    assert process.returncode != 0
    assert not any(worker.is_running() for worker in workers)
    assert not (folder / "artifacts/train/small").exists()
    finish(start(folder, store, TORCHRUN))
    found = weights(folder)
    for name, value in weights(whole).items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-5)
    theirs, ours = history(folder), history(whole)
    assert theirs.drop(columns="value").equals(ours.drop(columns="value"))
    loss = ours["measure"] == "loss"
    np.testing.assert_allclose(theirs["value"][loss], ours["value"][loss], rtol=1e-3)


def test_seeds_side_by_side_come_out_as_in_turn(run_here, tracked, monkeypatch):
    found, networks = [], []
    for workers in (1, 2):
        monkeypatch.setattr(train, "side_by_side", lambda _, workers=workers: workers)
        found.append(run_here(seeds=[3, 0], count=40, save_every_s=300.0))
        home = tracked / "artifacts/train/small"
        networks.append({str(path): path.read_bytes() for path in sorted(home.rglob("*.pt"))})
    pd.testing.assert_frame_equal(*found, check_exact=True)
    assert list(found[0]["seed"].unique()) == [3, 0]
    assert len(networks[0]) == 4
    assert networks[0] == networks[1]


@pytest.mark.parametrize(
    ("trainings", "processors", "at_once"),
    [(1, 2, 1), (2, 2, 2), (3, 2, 3), (4, 2, 2), (5, 2, 3), (3, 64, 3), (7, 4, 7), (3, 1, 1)],
)
def test_trainings_fill_the_processors(trainings, processors, at_once, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert train.side_by_side(trainings) == at_once


def test_a_joined_classifier_is_scored_both_ways(whole):
    found = history(whole)
    measured = found[found["split"] == "holdout"].groupby("task")["measure"].agg(set)
    both = {"loss", "accuracy", "accuracy_among_own"}
    assert measured.to_dict() == {"identity": both, "mood": both, "age_years": {"loss", "r2"}}
    names = torch.load(whole / "artifacts/train/small/seed-0/epoch-0000.000.pt", weights_only=True)[
        "facts"
    ]["classes"]
    assert names == {"identity": ["0", "1", "2", "3", "4"], "mood": ["calm", "happy", "sad"]}


@pytest.fixture
def run_here(tracked):
    """Give a maker of runs of the stage in this process."""

    def run(**changes):
        write(tracked, **changes)
        train.main("small")
        return history(tracked)

    return run


def test_a_training_ends_early_and_keeps_its_last_network(run_here, tracked):
    stop = {"metric": "age_years/training_loss", "at": 1000.0, "patience_epochs": None}
    found = run_here(stop=stop, count=40, save_every_s=300.0)
    assert found["epoch"].max() == 1
    kept = [path.name for path in (tracked / "artifacts/train/small/seed-0").iterdir()]
    assert sorted(kept) == ["epoch-0000.000.pt", "epoch-0001.000.pt"]


def test_a_network_that_is_only_looked_at_needs_no_training_images(run_here):
    fit = ROW["fit"] | {"epochs": 0, "checkpoints": [0.0]}
    found = run_here(splits=("testing",) * 4, count=40, fit=fit)
    assert set(found["split"]) == {"testing"}
    assert set(found["epoch"]) == {0}


def test_a_network_that_is_to_learn_needs_training_images(run_here):
    with pytest.raises(ValueError, match=r"has no training images with a label for identity, moo"):
        run_here(splits=("testing",) * 4, count=40)


def test_a_network_begins_from_the_weights_of_another(whole, run_here, tracked):
    path = whole / "artifacts/train/small/seed-0/epoch-0002.000.pt"
    fit = ROW["fit"] | {"epochs": 0, "checkpoints": [0.0]}
    found = run_here(fit=fit, weights=str(path))
    before = history(whole)
    before = before[(before["epoch"] == 2) & (before["split"] == "holdout")]
    after = found[found["split"] == "holdout"]
    assert after["value"].to_numpy() == pytest.approx(before["value"].to_numpy(), rel=1e-6)


def test_a_network_may_branch_and_see_images_in_another_size(run_here):
    changes = {"branch": "block2.conv", "size_px": 24, "classifier": "separate"}
    found = run_here(count=40, **changes)
    assert np.isfinite(found[found["measure"] == "loss"]["value"]).all()


def test_a_network_is_trained_on_the_views_it_is_given(run_here):
    first = run_here(count=40)
    assert not first["value"].equals(run_here(count=40, views={"flip": 1.0})["value"])
