import numpy as np
import pandas as pd
import pytest
from facelab_probing.intervals import onset

from projects.inversion.answers import Answers
from projects.inversion.compare import Config, compare, per_identity

PEOPLE, EACH, EPOCHS = 24, 8, np.array([0.0, 1.0, 2.0, 4.0, 8.0, 12.0])


def answers(rng, accuracy, views=("upright", "flip", "rotate_090"), seeds=3):
    """Make up what networks said: right with these probabilities, by epoch and view."""
    identity = np.repeat(np.arange(PEOPLE), EACH)
    chances = np.array(accuracy)[None, :, :, None]
    right = rng.random((seeds, len(EPOCHS), len(views), len(identity))) < chances
    named = np.where(right, identity, (identity + 1) % PEOPLE).astype(np.int32)
    named[:, :-1, 2:] = -1  # angles are shown to the last checkpoint only
    return Answers(
        named=named,
        rank=np.where(named == -1, np.nan, np.where(right, 1.0, rng.random(right.shape))),
        epochs=EPOCHS,
        seeds=tuple(range(seeds)),
        views=views,
        truth=identity,
        identity=identity,
        classes=tuple(map(str, range(PEOPLE))),
        own=slice(0, PEOPLE),
    )


def test_accuracy_is_counted_within_each_person(rng):
    found = answers(rng, [(1.0, 0.0, 0.5)] * 6)
    right = per_identity(found)
    assert right.shape == (3, 6, 3, PEOPLE)
    assert (right[:, :, 0] == 1).all()
    assert (right[:, :, 1] == 0).all()
    assert np.isnan(right[:, :-1, 2]).all()
    assert right[:, -1, 2].mean() == pytest.approx(0.5, abs=0.1)


def test_a_planted_gap_opens_where_it_was_planted_and_grows(rng):
    accuracy = [(0.05, 0.05, 0), (0.3, 0.3, 0), (0.5, 0.4, 0), (0.7, 0.4, 0), (0.8, 0.3, 0)]
    tables = compare(answers(rng, [*accuracy, (0.9, 0.2, 0.5)]), "flip")
    gap = tables["gap"][tables["gap"]["what"] == "gap"]
    assert gap["mean"].to_numpy() == pytest.approx([0, 0, 0.1, 0.3, 0.5, 0.7], abs=0.06)
    assert (gap["low"].to_numpy() > 0).tolist() == [False, False, True, True, True, True]
    growth = tables["gap"][tables["gap"]["what"] == "growth"].iloc[0]
    assert growth["low"] > 0
    assert growth["mean"] == pytest.approx(0.7 - 0.3, abs=0.08)


def test_where_nothing_was_planted_the_interval_holds_zero(rng):
    tables = compare(answers(rng, [(0.6, 0.6, 0.6)] * 6), "flip")
    last = tables["gap"].iloc[5]
    assert last["low"] < 0 < last["high"]


def test_training_on_the_other_view_mirrors_the_gap(rng):
    there = answers(rng, [(0.9, 0.3, 0.5)] * 6)
    back = Answers(**{**vars(there), "named": there.named[:, :, [1, 0, 2]]})
    gaps = [compare(each, "flip")["gap"]["mean"].to_numpy()[:6] for each in (there, back)]
    assert gaps[0] == pytest.approx(-gaps[1])


def test_curves_have_a_row_for_each_seed_and_one_for_all(rng):
    curves = compare(answers(rng, [(0.9, 0.3, 0.5)] * 6), "flip")["curves"]
    assert curves.groupby(["view", "seed"]).size().eq(len(EPOCHS)).all()
    whole = curves[curves["seed"] == "all"].set_index(["view", "epoch"])["mean"]
    parts = curves[curves["seed"] != "all"].groupby(["view", "epoch"])["mean"].mean()
    pd.testing.assert_series_equal(whole.sort_index(), parts.sort_index())


def test_every_view_has_its_accuracy_at_the_end(rng):
    angles = compare(answers(rng, [(0.9, 0.3, 0.5)] * 6), "flip")["angles"]
    assert angles["angle_deg"].tolist() == [0, 180, 90]
    assert angles["mean"].to_numpy() == pytest.approx([0.9, 0.3, 0.5], abs=0.06)


def test_a_gap_in_rank_shows_before_one_in_accuracy_and_none_where_none_is(rng):
    """Hardly an answer is right, but upright the right class is ranked higher."""
    found = answers(rng, [(0.02, 0.02, 0.02)] * 6)
    null = compare(found, "flip")["ranks"]
    assert null["low"].iloc[-1] < 0 < null["high"].iloc[-1]
    assert null["upright"].to_numpy() == pytest.approx(0.5, abs=0.06)
    rank = found.rank.copy()
    rank[:, 2:, 0] = np.sqrt(rank[:, 2:, 0])  # mean 2/3 instead of 1/2
    tables = compare(Answers(**{**vars(found), "rank": rank}), "flip")
    assert tables["ranks"]["mean"].to_numpy()[2:] == pytest.approx(1 / 6, abs=0.06)
    assert onset(tables["ranks"]) == 2
    assert onset(tables["gap"][:6]) is None


@pytest.mark.parametrize("view", ["upright", "rotate_000"])
def test_upright_is_not_held_against_itself(view):
    with pytest.raises(ValueError, match=f"another view than upright, not {view}"):
        Config(inverted=view, angles=())
