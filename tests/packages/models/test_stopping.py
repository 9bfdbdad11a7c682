from math import nan

import pytest
from facelab_models.stopping import Stop, is_over


def rule(metric="identity/validation_loss", at=None, patience_epochs=None):
    return Stop(metric=metric, at=at, patience_epochs=patience_epochs)


@pytest.mark.parametrize(
    ("metric", "values", "expected"),
    [
        ("identity/validation_loss", [0.3, 0.2, 0.11], False),
        ("identity/validation_loss", [0.3, 0.2, 0.1], True),
        ("identity/holdout_accuracy", [0.3, 0.05], False),
        ("identity/holdout_accuracy", [0.05, 0.3], True),
        ("cars/validation_accuracy_among_own", [0.3], True),
        ("identity/validation_loss", [], False),
        ("identity/validation_loss", [nan], False),
        ("identity/holdout_accuracy", [nan], False),
    ],
)
def test_a_training_ends_where_the_value_is_good_enough(metric, values, expected):
    assert is_over(values, rule(metric, at=0.1)) is expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([5, 4, 3, 2, 1], False),
        ([5, 4, 4.5, 4.2], False),
        ([5, 4, 4.5, 4.2, 4.0], True),
        ([nan, 4, 5, 5, 5], True),
        ([5, 4, nan, 3, 3.5], False),
    ],
)
def test_a_training_ends_when_the_best_value_is_older_than_the_patience(values, expected):
    """Of 2 epochs: the third without a better loss is one too many."""
    assert is_over(values, rule(patience_epochs=2)) is expected


def test_either_rule_ends_it():
    both = rule(at=0.1, patience_epochs=1)
    assert is_over([0.5, 0.05], both)
    assert is_over([0.5, 0.6, 0.7], both)
    assert not is_over([0.5, 0.6], both)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: rule(), r"^a stop needs a value \(at\), a patience \(patience_epochs\), or both$"),
        (lambda: rule("loss", at=1.0), r"^a metric is named task/split_measure, not 'loss'$"),
        (lambda: rule("validation_loss", at=1.0), "not 'validation_loss'"),
        (lambda: rule(patience_epochs=-1), r"^patience_epochs is 0 or more, not -1$"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
