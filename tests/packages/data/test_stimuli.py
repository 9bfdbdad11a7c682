import hashlib
import subprocess
import sys
import time
import tracemalloc

import h5py
import numpy as np
import pandas as pd
import pytest
from facelab_data import stimuli

KINDS = {"identity": "categorical", "mood": "categorical", "age_years": "continuous"}
LEVELS = {"identity": "identity", "mood": "image", "age_years": "identity"}
COUNT, SHAPE = 70, (6, 5, 3)


@pytest.fixture
def factors():
    identity = np.arange(COUNT) // 7
    return pd.DataFrame(
        {
            "identity": identity,
            "mood": np.array(["glad", "sad", "calm"])[np.arange(COUNT) % 3],
            "age_years": 20.0 + identity,
            "split": np.where(identity < 8, "training", "testing"),
        }
    )


@pytest.fixture
def pixels(rng):
    return rng.integers(256, size=(COUNT, *SHAPE), dtype=np.uint8)


def halves(pixels):
    return [pixels[:33], pixels[33:]]


@pytest.fixture
def path(tmp_path, pixels, factors):
    path = tmp_path / "stimuli.h5"
    about = {"seed": 1, "origin": "test"}
    stimuli.write(path, halves(pixels), factors, KINDS, LEVELS, provenance=about)
    return path


def test_a_set_that_is_read_is_the_set_that_was_written(path, pixels, factors):
    read = stimuli.read(path)
    pd.testing.assert_frame_equal(read.factors[factors.columns], factors)
    assert (read.images() == pixels).all()
    assert (read.kinds, read.levels) == (KINDS, LEVELS)
    assert read.outputs == {name: (name,) for name in KINDS}
    assert (read.size_px, read.eyes) == ((6, 5), ("left",))
    assert read.provenance == {"seed": 1, "origin": "test"}


@pytest.mark.parametrize("rows", [[3], [], [69, 0, 1, 2, 40, 40, 39], list(range(69, -1, -1))])
def test_images_come_in_the_order_asked_for(path, pixels, rows):
    rows = np.array(rows, int)
    assert (stimuli.read(path).images(rows) == pixels[rows]).all()


def test_blocks_are_the_images_in_pieces(path, pixels, rng):
    read = stimuli.read(path)
    rows = rng.permutation(COUNT)[:50]
    blocks = list(read.blocks(16, rows))
    assert [len(ids) for ids, _ in blocks] == [16, 16, 16, 2]
    assert (np.concatenate([ids for ids, _ in blocks]) == rows).all()
    assert (np.concatenate([images for _, images in blocks]) == pixels[rows]).all()
    assert sum(len(ids) for ids, _ in read.blocks(32)) == COUNT


def test_rows_that_do_not_exist_are_refused(path):
    read = stimuli.read(path)
    with pytest.raises(ValueError, match=r"no image 70 in .*stimuli.h5; it has 0 … 69"):
        read.images(np.array([1, 70]))
    with pytest.raises(ValueError, match="rows are image ids, not bool"):
        read.images(np.ones(COUNT, bool))
    with pytest.raises(ValueError, match="no 'right' eye in"):
        read.images(np.array([1]), eye="right")


def test_two_eyes_are_kept_apart(tmp_path, pixels, factors):
    both = np.stack([pixels, 255 - pixels], axis=1)
    stimuli.write(tmp_path / "two.h5", halves(both), factors, KINDS, LEVELS)
    read = stimuli.read(tmp_path / "two.h5")
    assert (read.images(np.array([5, 3])) == pixels[[5, 3]]).all()
    assert (read.images(np.array([5, 3]), eye="right") == 255 - pixels[[5, 3]]).all()
    assert sum(images.sum(dtype=int) for _, images in read.blocks(9, eye="right")) == (
        (255 - pixels).sum(dtype=int)
    )


def test_the_same_content_gives_the_same_bytes(tmp_path, path, pixels, factors):
    time.sleep(1.1)  # a time stamp would show
    again = tmp_path / "elsewhere" / "again.h5"
    about = {"origin": "test", "seed": 1}
    stimuli.write(again, np.array_split(pixels, 9), factors, KINDS, LEVELS, provenance=about)
    one, two = (hashlib.sha256(file.read_bytes()).hexdigest() for file in (path, again))
    assert one == two


def test_a_file_cut_short_anywhere_is_noticed(path):
    whole = path.read_bytes()
    for length in [0, 7, 500, len(whole) // 2, len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"stimuli.h5 is no HDF5 file, or was cut") as error:
            stimuli.read(path)
        assert "\n" not in str(error.value)


def remove_images(file):
    del file["images"]


def remove_a_factor(file):
    del file["factors/split"]


def shorten_a_factor(file):
    remove_a_factor(file)
    file["factors/split"] = np.zeros(3, int)


def shorten_the_images(file):
    few = file["images"][:9]
    del file["images"]
    file["images"] = few


def change_the_version(file):
    file.attrs["version"] = 99


def strip_the_attributes(file):
    del file["factors/mood"].attrs["kind"]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (remove_images, "it has no 'images'"),
        (remove_a_factor, "no column 'split'"),
        (shorten_a_factor, "different lengths"),
        (shorten_the_images, "images are uint8"),
        (change_the_version, "its version is 99, not 1"),
        (strip_the_attributes, "kind"),
    ],
)
def test_a_set_that_contradicts_itself_is_refused_in_one_line(path, damage, message):
    with h5py.File(path, "r+") as file:
        damage(file)
    with pytest.raises(ValueError, match=rf"stimuli.h5 is no stimulus set: .*{message}") as error:
        stimuli.read(path)
    assert "\n" not in str(error.value)


def test_other_files_and_no_file_are_refused(tmp_path):
    (tmp_path / "table.csv").write_text("a,b")
    with pytest.raises(ValueError, match=r"table.csv is no HDF5 file"):
        stimuli.read(tmp_path / "table.csv")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = [1]
    with pytest.raises(ValueError, match="its version is None"):
        stimuli.read(tmp_path / "other.h5")
    with pytest.raises(FileNotFoundError, match="no stimulus set at"):
        stimuli.read(tmp_path / "none.h5")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: [x[:69]], "69 images for 70 rows"),
        (lambda x: [x, x[:1]], "images 70 … 70"),
        (lambda x: [x[:30], x[30:, :4]], "images 30 … 69"),
        (lambda x: [x / 255], "images are float64"),
        (lambda x: [x[..., 0]], "images are uint8"),
        (lambda x: [], "there are no images"),
    ],
)
def test_images_that_do_not_fit_the_table_leave_nothing_behind(
    tmp_path, pixels, factors, change, message
):
    with pytest.raises(ValueError, match=message):
        stimuli.write(tmp_path / "s.h5", change(pixels), factors, KINDS, LEVELS)
    assert not list(tmp_path.iterdir())


def test_an_error_while_drawing_keeps_the_old_set(path, pixels, factors):
    def fail():
        yield pixels[:10]
        raise RuntimeError("no more ink")

    before = path.read_bytes()
    with pytest.raises(RuntimeError, match="no more ink"):
        stimuli.write(path, fail(), factors, KINDS, LEVELS)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_gives_one_line_and_leaves_nothing(tmp_path):
    full = (
        "import resource, pathlib, sys, numpy as np, pandas as pd\n"
        "from facelab_data import stimuli\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "table = pd.DataFrame({'identity': range(64), 'split': ['training'] * 64})\n"
        "images = (np.zeros((8, 64, 64, 3), np.uint8) for _ in range(8))\n"
        "try:\n"
        "    stimuli.write(pathlib.Path(sys.argv[1]), images, table, {}, {})\n"
        "except OSError as error:\n"
        "    sys.exit(str(error))\n"
    )
    target = tmp_path / "s.h5"
    run = subprocess.run([sys.executable, "-c", full, str(target)], capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr.strip() == f"[Errno 27] cannot write {target}: File too large"
    assert not list(tmp_path.iterdir())


def test_thousands_of_names_and_a_long_provenance_fit(tmp_path, pixels, factors):
    names = tuple(f"person number {number:06d}" for number in range(10_000))
    stimuli.write(
        tmp_path / "s.h5",
        [pixels],
        factors.assign(file=[f"ä/{row}.png" for row in range(COUNT)]),
        KINDS,
        LEVELS,
        names={"identity": names},
        provenance={"note": "x" * 100_000},
    )
    read = stimuli.read(tmp_path / "s.h5")
    assert read.names["identity"] == names
    assert len(read.provenance["note"]) == 100_000
    assert read.factors["file"].tolist()[-1] == "ä/69.png"
    assert "file" not in read.outputs


def test_memory_does_not_grow_with_the_number_of_images(tmp_path):
    def peak(count):
        table = pd.DataFrame({"identity": np.arange(count) % 9, "split": "training"})
        blocks = (np.zeros((10, 64, 64, 3), np.uint8) for _ in range(count // 10))
        tracemalloc.start()
        stimuli.write(tmp_path / "s.h5", blocks, table, {}, {})
        for _ in stimuli.read(tmp_path / "s.h5").blocks(10):
            pass
        return tracemalloc.get_traced_memory()[1], tracemalloc.stop()

    block = 10 * 64 * 64 * 3
    peak(100)  # what is imported on the way does not count
    assert peak(1000)[0] - peak(100)[0] < block
