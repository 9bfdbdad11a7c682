from dataclasses import replace

import numpy as np
import pytest
from facelab_models.kinds import TASKS, TaskSpec
from facelab_models.tasks import heads, join, specify

from tests.packages.models.conftest import CLASSES, NUMBERS


def linear(spec):
    return TASKS[spec.kind].head(5, spec)


def test_specify_counts_classes_and_measures_scales(rng):
    assert specify("categorical", np.array([0, 2, -1, 1]), 0.5) == TaskSpec(
        kind="categorical", outputs=3, weight=0.5
    )
    values = rng.normal(size=(50, 3))
    values[0] = np.nan
    spec = specify("continuous", values, 1.0)
    assert spec.mean == pytest.approx(values[1:].mean(axis=0))
    assert spec.sd == pytest.approx(values[1:].std(axis=0))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: specify("ordinal", np.zeros(3), 1.0), "unknown kind of task 'ordinal'; choose"),
        (
            lambda: specify("continuous", np.ones((3, 1)), 1.0),
            "output 0 of the continuous task never",
        ),
        (lambda: specify("categorical", np.full(3, -1), 1.0), "has no labels"),
        (
            lambda: specify("margin", np.array([0, 5]), 1.0, 5),
            r"^class 5 is not among the 5 classes 0 … 4$",
        ),
        (
            lambda: specify("angle", np.full((3, 2), 90.0), 1.0),
            r"^output 0 of the angle task never varies$",
        ),
        (
            lambda: join({"identity": replace(CLASSES, kind="margin")}),
            r"^only categorical tasks share a classifier, not margin ones$",
        ),
        (
            lambda: heads(linear, join({"joined": CLASSES})),
            r"^task 'joined' has the name of the head that other tasks share$",
        ),
    ],
)
def test_impossible_tasks_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


CARS = replace(CLASSES, outputs=3, weight=0.5)


def test_a_joined_classifier_lists_the_classes_of_its_tasks_one_after_the_other():
    joined = join({"identity": CLASSES, "pose": NUMBERS, "cars": CARS})
    assert joined["identity"] == replace(CLASSES, head="joined", first=0)
    assert joined["cars"] == replace(CARS, head="joined", first=4)
    assert joined["pose"] == NUMBERS
    made = heads(linear, joined)
    assert list(made) == ["joined", "pose"]
    assert made["joined"].out_features == 7


def test_tasks_have_a_head_each_unless_joined():
    made = heads(linear, {"identity": CLASSES, "cars": CARS})
    assert {name: head.out_features for name, head in made.items()} == {"identity": 4, "cars": 3}


def test_the_classes_that_are_known_need_not_all_be_shown():
    assert specify("categorical", np.array([0, 2]), 1.0, 1000).outputs == 1000
    assert specify("margin", np.array([], dtype=int), 1.0, 7).outputs == 7


def test_an_angle_has_no_scale(rng):
    spec = specify("angle", rng.uniform(-180, 180, size=(9, 3)), 1.0)
    assert spec == TaskSpec(kind="angle", outputs=3, weight=1.0)
