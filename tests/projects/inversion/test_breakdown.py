import numpy as np
import pandas as pd
import pytest

from projects.inversion.answers import Answers
from projects.inversion.breakdown import by_class, by_identity, confusions, mistakes

PEOPLE, EACH, SEEDS = 20, 6, 3
PAIR = (0, 1)
IDENTITY = np.repeat(np.arange(PEOPLE) + 100, EACH)
TRUTH = np.repeat(np.arange(PEOPLE), EACH)


def answers(upright, flipped, truth=TRUTH, names=PEOPLE, own=slice(0, PEOPLE)):
    """Make up the last answers, the same of every seed, after a first epoch of class 0."""
    last = np.array([upright, flipped], np.int32)
    named = np.stack([np.zeros_like(last), last])
    return Answers(
        named=np.repeat(named[None], SEEDS, axis=0),
        rank=np.repeat((named == truth)[None], SEEDS, axis=0).astype(float),
        epochs=np.array([0.0, 1.0]),
        seeds=tuple(range(SEEDS)),
        views=("upright", "flip"),
        truth=truth,
        identity=IDENTITY,
        classes=tuple(f"c{code}" for code in range(names)),
        own=own,
    )


def test_classes_and_identities_are_told_one_by_one():
    flipped = np.where(np.arange(len(TRUTH)) % EACH < 2, TRUTH, (TRUTH + 1) % PEOPLE)
    found = answers(TRUTH, flipped)
    classes, people = by_class(found, PAIR), by_identity(found, PAIR)
    assert classes["class"].tolist() == [f"c{code}" for code in range(PEOPLE)]
    assert people["identity"].tolist() == list(range(100, 100 + PEOPLE))
    for table in (classes, people):
        assert (table["upright"] == 1).all()
        assert table["flip"].to_numpy() == pytest.approx(2 / EACH)
        assert table["gap"].to_numpy() == pytest.approx(1 - 2 / EACH)
        assert (table["n"] == EACH).all()


def test_an_identity_is_not_its_class_where_the_question_is_another():
    """Two classes, and identities of which the first half of images is of the one."""
    truth = np.arange(len(IDENTITY)) % 2
    found = answers(truth, np.zeros_like(truth), truth, names=2, own=slice(0, 2))
    assert by_class(found, PAIR)["flip"].tolist() == [1, 0]
    assert by_identity(found, PAIR)["gap"].to_numpy() == pytest.approx(0.5)


def test_confusions_are_listed_as_shares_of_each_class():
    flipped = np.where(np.arange(len(TRUTH)) % EACH < 2, TRUTH, 3)
    table = confusions(answers(TRUTH, flipped), PAIR)
    upright = table[table["view"] == "upright"]
    assert (upright["class"] == upright["named"]).all()
    assert (upright["share"] == 1).all()
    turned = table[table["view"] == "flip"]
    assert turned.groupby("class")["share"].sum().to_numpy() == pytest.approx(1)
    taken = turned[(turned["named"] == "c3") & (turned["class"] != "c3")]
    assert len(taken) == PEOPLE - 1
    assert taken["share"].to_numpy() == pytest.approx(4 / EACH)


def test_planted_favourites_are_found_and_blind_guesses_have_none(rng):
    blindly = (TRUTH + rng.integers(1, PEOPLE, len(TRUTH))) % PEOPLE
    table = mistakes(answers(blindly, rng.integers(0, 2, len(TRUTH))), PAIR).set_index("view")
    assert (
        table.loc["upright", "low"] < table.loc["upright", "blind"] < table.loc["upright", "high"]
    )
    assert len(table) == 2  # no answer can be elsewhere
    assert table.loc["flip", "mean"] == pytest.approx(0.5, abs=0.03)
    assert table.loc["flip", "low"] > 0.4


def test_answers_that_belong_to_another_task_are_counted(rng):
    """The first 20 names are people; 30 more belong to a task that shares the classifier."""
    flipped = np.where(rng.random(len(TRUTH)) < 0.8, 25, TRUTH)
    table = mistakes(answers(TRUTH, flipped, names=50), PAIR)
    table = table[table["what"] == "elsewhere"].set_index("view")
    assert table.loc["upright", ["mean", "low", "high"]].eq(0).all()
    assert table.loc["flip", "mean"] == pytest.approx(0.8, abs=0.1)
    assert table.loc["flip", "low"] > 0.5
    assert pd.isna(table.loc["flip", "blind"])
