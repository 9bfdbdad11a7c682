import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from facelab_data import production, shards, stimuli
from facelab_data.factors import FACTORS, Design, sample
from facelab_data.production import produce
from facelab_data.shards import Pen
from facelab_data.splits import Splits

DESIGN = Design(
    identities=10,
    images_per_identity=8,
    genders=("female", "male"),
    ethnicities=("asian", "caucasian"),
    expressions=("happy", "neutral", "sad"),
    ages_years=(20.0, 60.0),
    shape_sd=1.0,
    albedo_sd=1.0,
    rotation_deg=(10.0, 30.0, 0.0),
    translation_mm=(0.0, 0.0, 0.0),
    light_deg=(30.0, 30.0),
    backgrounds=2,
    splits=Splits(training=0.6, validation=0.2, testing=0.2, holdout=0.125),
)
SHAPES, ALBEDOS = ("chin", "nose"), ("melanin",)


def open_model(path):
    return path.read_bytes()


def scribble(model, factors, *, size_px, eyes, seed):
    """Noise that a row decides, and nothing else."""
    images = []
    for row in factors.itertuples():
        own = [seed, len(model), row.Index, int(1e6 * (row.rotation_y_deg + 100))]
        rng = np.random.default_rng(own)
        images.append(rng.integers(256, size=(eyes, size_px, size_px, 3), dtype=np.uint8))
    return np.stack(images)


def scribble_slowly(model, factors, **options):
    time.sleep(0.02 * len(factors))
    return scribble(model, factors, **options)


def stumble(model, factors, **options):
    if (factors.index == 23).any():
        raise ValueError("the ink is dry")
    return scribble(model, factors, **options)


@pytest.fixture
def factors():
    return sample(DESIGN, SHAPES, ALBEDOS, seed=5)


@pytest.fixture
def pen(tmp_path):
    (tmp_path / "model.npz").write_bytes(b"a face")
    return Pen(
        open_model=open_model,
        draw=scribble,
        model=tmp_path / "model.npz",
        size_px=8,
        eyes=1,
        seed=3,
    )


def make(path, factors, pen, workers=1, shard_size=7):
    options = {"workers": workers, "shard_size": shard_size, "scratch": path.parent / "scratch"}
    produce(path, factors, pen, **options, provenance={"seed": 3})
    return path.read_bytes()


def finished(path):
    return sorted((path.parent / "scratch").glob("*/*.npz"))


def test_the_set_holds_the_images_of_its_rows(tmp_path, factors, pen):
    make(tmp_path / "set.h5", factors, pen)
    read = stimuli.read(tmp_path / "set.h5")
    assert (read.images() == pen(factors)[:, 0]).all()
    pd.testing.assert_frame_equal(read.factors[factors.columns], factors)
    assert read.kinds == {name: factor.kind for name, factor in FACTORS.items()}
    assert read.outputs["shape"] == ("shape_000", "shape_001")
    assert not finished(tmp_path / "set.h5")


def test_processes_and_shards_do_not_matter(tmp_path, factors, pen):
    alone = make(tmp_path / "a.h5", factors, pen)
    assert alone == make(tmp_path / "b.h5", factors, pen, workers=2, shard_size=33)
    assert alone == make(tmp_path / "c.h5", factors, pen, shard_size=1)
    assert alone != make(tmp_path / "d.h5", factors, replace(pen, seed=4))


def test_two_eyes_are_drawn(tmp_path, factors, pen):
    make(tmp_path / "set.h5", factors, replace(pen, eyes=2))
    read = stimuli.read(tmp_path / "set.h5")
    both = replace(pen, eyes=2)(factors)
    assert (read.images(eye="right") == both[:, 1]).all()


def interrupted(monkeypatch, path, factors, pen):
    """Produce a set, but fail when everything has been drawn."""
    with monkeypatch.context() as patch:
        patch.setattr(stimuli, "write", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            make(path, factors, pen)
    return finished(path)


def count_drawn(monkeypatch):
    drawn = []
    draw = shards.draw
    monkeypatch.setattr(
        shards, "draw", lambda pen, path, rows: drawn.append(len(rows)) or draw(pen, path, rows)
    )
    return drawn


def test_finished_shards_are_used_again_and_damaged_ones_drawn_again(
    tmp_path, monkeypatch, factors, pen
):
    path = tmp_path / "set.h5"
    whole = make(tmp_path / "whole.h5", factors, pen)
    kept = interrupted(monkeypatch, path, factors, pen)
    assert len(kept) == 12
    kept[3].write_bytes(kept[3].read_bytes()[:-100])
    kept[4].unlink()
    drawn = count_drawn(monkeypatch)
    assert make(path, factors, pen) == whole
    assert drawn == [7, 7]


@pytest.mark.parametrize("changed", ["seed", "factors", "model", "code"])
def test_shards_of_another_set_are_not_used(tmp_path, monkeypatch, factors, pen, changed):
    path = tmp_path / "set.h5"
    interrupted(monkeypatch, path, factors, pen)
    if changed == "seed":
        pen = replace(pen, seed=4)
    elif changed == "factors":
        factors = factors.assign(light_x_deg=factors["light_x_deg"] + 1)
    elif changed == "model":
        pen.model.write_bytes(b"another face")
    else:
        pen = replace(pen, draw=scribble_slowly)
    drawn = count_drawn(monkeypatch)
    make(path, factors, pen)
    assert sum(drawn) == len(factors)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_image_that_cannot_be_drawn_is_named(tmp_path, factors, pen, workers):
    path = tmp_path / "set.h5"
    message = r"^cannot draw image 23: ValueError: the ink is dry$"
    with pytest.raises(RuntimeError, match=message):
        make(path, factors, replace(pen, draw=stumble), workers=workers)
    assert not path.exists()
    assert finished(path)


def test_a_disk_too_small_is_noticed_before_anything_is_drawn(tmp_path, monkeypatch, factors, pen):
    usage = type("Usage", (), {"free": 20_000})
    monkeypatch.setattr(production.shutil, "disk_usage", lambda _: usage)
    drawn = count_drawn(monkeypatch)
    with pytest.raises(OSError, match=r"cannot draw to .*: 0.0 GB are needed") as error:
        make(tmp_path / "set.h5", factors, pen)
    assert "\n" not in str(error.value)
    assert not drawn
    assert not (tmp_path / "set.h5").exists()


def test_a_place_that_cannot_be_written_is_reported_in_one_line(tmp_path, factors, pen):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file") as error:
        make(tmp_path / "file" / "set.h5", factors, pen)
    assert "\n" not in str(error.value)


def test_two_at_once_are_refused(tmp_path, factors, pen):
    folder = tmp_path / "scratch" / f"set-{production._fingerprint(factors, pen, 7)}"
    with production._claim(folder), pytest.raises(RuntimeError, match="another process"):
        make(tmp_path / "set.h5", factors, pen)


def test_impossible_numbers_of_workers_are_refused(tmp_path, factors, pen):
    with pytest.raises(ValueError, match="workers is 0, shard_size 7"):
        make(tmp_path / "set.h5", factors, pen, workers=0)


def produce_slowly(folder):
    """Run by the tests below in a process of its own."""
    path = Path(folder)
    pen = Pen(
        open_model=open_model,
        draw=scribble_slowly,
        model=path / "model.npz",
        size_px=8,
        eyes=1,
        seed=3,
    )
    make(path / "set.h5", sample(DESIGN, SHAPES, ALBEDOS, seed=5), pen, workers=2)


def start(folder):
    code = f"from {__name__} import produce_slowly; produce_slowly({str(folder)!r})"
    return subprocess.Popen(
        [sys.executable, "-c", code], start_new_session=True, stderr=subprocess.DEVNULL
    )


def test_a_run_that_was_killed_goes_on_where_it_was_and_makes_the_same_set(
    tmp_path, monkeypatch, factors, pen
):
    path = tmp_path / "set.h5"
    run = start(tmp_path)
    deadline = time.monotonic() + 60
    while len(finished(path)) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    kept = sum(shards.load(shard, pen.shape(7)) is not None for shard in finished(path))
    assert 3 <= kept < 12
    assert not path.exists()
    drawn = count_drawn(monkeypatch)
    resumed = make(path, factors, replace(pen, draw=scribble_slowly))
    assert len(drawn) == 12 - kept
    monkeypatch.undo()
    assert resumed == make(tmp_path / "fresh.h5", factors, pen)
