from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from facelab_data import stimuli, words
from facelab_data.words import Words, arrange, letter, paint

LIST = ("apple", "boat", "cloud", "drum", "eagle")


@pytest.fixture
def grey(tmp_path):
    """Give a function that writes 120 dark images of six objects, with factors of all kinds."""

    def write(eyes=1, size=56):
        rng = np.random.default_rng(1)
        factors = pd.DataFrame(
            {
                "identity": np.arange(120),
                "split": np.repeat(["training", "validation"], 60),
                "object": np.tile(["bird", "car", "dog", "ear", "fox", "gate"], 20),
                "light": rng.normal(size=120),
                "mood": pd.array([None, "sad", "glad"] * 40, dtype="str"),
            }
        )
        images = np.full((120, eyes, size, size, 3), 20, np.uint8)
        images[..., 0] = np.arange(120)[:, None, None, None] // 2
        kinds = {"object": "categorical", "light": "continuous", "mood": "categorical"}
        stimuli.write(
            tmp_path / "plain" / "stimuli.h5",
            [images],
            factors,
            kinds,
            dict.fromkeys(kinds, "image"),
            units={"light": "deg"},
            missing=("mood",),
        )
        return Words(
            path=str(tmp_path / "plain"),
            within="object",
            words=LIST,
            letter_size=(0.15, 0.3),
            colour=(122, 255),
        )

    return write


@pytest.fixture
def painted(grey, tmp_path):
    """Give a function that paints, and reads both sets."""

    def make(seed=0, eyes=1, **changes):
        wanted = replace(grey(eyes), **changes)
        paint(tmp_path / "words.h5", wanted, seed)
        return stimuli.read(tmp_path / "plain" / "stimuli.h5"), stimuli.read(tmp_path / "words.h5")

    return make


def test_what_was_known_of_an_image_stays(painted):
    before, after = painted()
    columns = before.factors.columns.tolist()
    pd.testing.assert_frame_equal(after.factors[columns], before.factors)
    assert set(after.kinds) - set(before.kinds) == set(words.FACTORS)
    assert after.kinds["word"] == "categorical"
    assert after.provenance["images"] == before.provenance


def test_words_are_dealt_evenly_in_every_part_and_object(painted):
    _, after = painted()
    factors = after.factors
    counts = pd.crosstab([factors["split"], factors["object"]], factors["word"]).to_numpy()
    assert (counts == 2).all()


def test_words_that_do_not_divide_are_even_within_one(painted):
    _, after = painted(words=LIST[:3])
    factors = after.factors
    for by in (["split"], ["split", "object"]):
        counts = pd.crosstab([factors[name] for name in by], factors["word"]).to_numpy()
        assert counts.max() - counts.min() <= 1


def test_without_a_factor_words_are_even_over_the_parts(painted):
    _, after = painted(within="")
    counts = pd.crosstab(after.factors["split"], after.factors["word"]).to_numpy()
    assert (counts == 12).all()


def test_the_ink_lies_where_the_factors_say_and_all_of_it_inside(grey):
    wanted = grey()
    plan = arrange(stimuli.read(wanted_file(wanted)), wanted, 0)
    for row in plan.to_dict("records"):
        wide = np.zeros((56, 56, 3), np.uint8)
        ink = letter(wide, row).any(axis=2)
        y, x = np.nonzero(ink)
        assert abs((x.min() + x.max() + 1) / 2 - row["word_x_px"]) <= 1
        assert abs((y.min() + y.max() + 1) / 2 - row["word_y_px"]) <= 1
        # The same ink on a frame with a margin: nothing was cut off.
        margin = np.zeros((96, 96, 3), np.uint8)
        moved = row | {"left": row["left"] + 20, "top": row["top"] + 20}
        assert letter(margin, moved).any(axis=2).sum() == ink.sum()


def wanted_file(wanted):
    return words.Path(wanted.path, "stimuli.h5")


def test_colours_sizes_and_places_fill_their_ranges(grey):
    wanted = replace(grey(), words=("I", "i"))
    plan = arrange(stimuli.read(wanted_file(wanted)), wanted, 0)
    colours = np.array(plan["colour"].tolist())
    assert colours.min() in range(122, 126)
    assert colours.max() in range(252, 256)
    assert np.abs(np.corrcoef(colours.T)[np.triu_indices(3, 1)]).max() < 0.25
    assert plan["word_size_px"].min() == round(0.15 * 56)
    assert plan["word_size_px"].max() == round(0.3 * 56)
    for name in ("left", "top"):
        assert plan[name].min() <= 2
        assert plan[name].max() >= 36


def test_long_words_are_made_smaller_until_they_fit(grey):
    wanted = replace(grey(), words=("a" * 12, "b"))
    plan = arrange(stimuli.read(wanted_file(wanted)), wanted, 0)
    sizes = plan.groupby("word")["word_size_px"].max()
    assert sizes["a" * 12] < sizes["b"]
    with pytest.raises(ValueError, match=r"'c+' does not fit into 56 by 56 pixels"):
        arrange(stimuli.read(wanted_file(wanted)), replace(wanted, words=("c" * 99, "d")), 0)


def test_an_image_is_painted_alike_whatever_else_is_in_the_set(grey):
    wanted = replace(grey(), words=("same", "size"))
    made = stimuli.read(wanted_file(wanted))
    plan = arrange(made, wanted, 0)
    few = arrange(replace(made, factors=made.factors.iloc[:40]), wanted, 0)
    alike = (few["word"] == plan["word"][:40]).to_numpy()
    assert 0 < alike.sum() < 40
    assert few[alike].equals(plan[:40][alike])
    assert (few["colour"] == plan["colour"][:40]).all()
    assert not (arrange(made, wanted, 1)["colour"] == plan["colour"]).any()


def test_the_same_seed_gives_the_same_bytes(painted, tmp_path):
    painted()
    first = (tmp_path / "words.h5").read_bytes()
    painted()
    assert (tmp_path / "words.h5").read_bytes() == first
    painted(seed=1)
    assert (tmp_path / "words.h5").read_bytes() != first


def test_pixels_without_ink_are_left_alone_and_both_eyes_see_the_word(painted):
    before, after = painted(eyes=2)
    for eye in before.eyes:
        plain, lettered = before.images(eye=eye), after.images(eye=eye)
        changed = (plain != lettered).any(axis=-1)
        share = changed.mean(axis=(1, 2))
        assert (share > 0.01).all()
        assert (share < 0.6).all()
    assert (after.images() == after.images(eye="right")).all()


def test_impossible_requests_are_refused(painted, grey, tmp_path):
    with pytest.raises(ValueError, match=r"no factor 'shape' in .*; it has"):
        painted(within="shape")
    painted()
    (tmp_path / "words.h5").rename(tmp_path / "plain" / "stimuli.h5")
    row = Words(
        path=str(tmp_path / "plain"),
        within="",
        words=LIST,
        letter_size=(0.1, 0.2),
        colour=(0, 255),
    )
    with pytest.raises(ValueError, match="has a factor 'word' already"):
        paint(tmp_path / "again.h5", row, 0)
    for change, message in [
        ({"words": ("a", "a")}, "two or more, all different"),
        ({"words": ("a", " ")}, "two or more, all different"),
        ({"letter_size": (0.3, 0.2)}, "fractions in order"),
        ({"colour": (0, 256)}, "values of 0 to 255 in order"),
    ]:
        with pytest.raises(ValueError, match=message):
            replace(row, **change)
