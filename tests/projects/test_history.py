import numpy as np
import pandas as pd
import pytest
from facelab_models.stopping import Stop

from projects import history


def measurement(epoch, value, seed=0, measure="loss"):
    where = {"split": "validation", "task": "identity", "measure": measure}
    return {"seed": seed, "epoch": epoch, "value": value, **where}


def test_only_the_ends_of_epochs_count_towards_an_early_end():
    stop = Stop(metric="identity/validation_loss", at=0.1, patience_epochs=None)
    rows = [measurement(0.0, 0.05), measurement(0.5, 0.05), measurement(1.0, 0.2)]
    assert not history.is_enough(rows[:2], stop)
    assert not history.is_enough(rows, stop)
    assert history.is_enough([*rows, measurement(2.0, 0.1)], stop)
    assert not history.is_enough([*rows, measurement(2.0, 0.1)], None)


def test_an_early_end_by_what_nobody_measures_is_refused():
    stop = Stop(metric="mood/validation_accuracy", at=0.9, patience_epochs=None)
    message = r"^nothing measures 'mood/validation_accuracy', .*; try identity/validation_loss$"
    with pytest.raises(ValueError, match=message):
        history.is_enough([measurement(1.0, 0.2)], stop)


def test_each_seed_counts_with_its_last_epoch():
    table = pd.DataFrame(
        [
            measurement(1.0, 9.0),
            measurement(2.0, 1.0),
            measurement(1.0, 3.0, seed=1),
            measurement(1.0, 0.5, seed=1, measure="accuracy"),
        ]
    )
    assert history.summarise(table) == pytest.approx(
        {
            "identity/validation_loss": 2.0,
            "identity_sd_over_seeds/validation_loss": np.std([1, 3], ddof=1),
            "identity/validation_accuracy": 0.5,
        }
    )


def test_a_learning_curve_is_the_mean_over_seeds_at_whole_epochs():
    rows = [(0, 0.5, 9.0), (0, 1.0, 2.0), (1, 1.0, 4.0), (0, 2.0, 1.0), (1, 2.0, 2.0)]
    table = pd.DataFrame(rows, columns=["seed", "epoch", "value"])
    table = table.assign(split="holdout", task="identity", measure="loss")
    found = history.mean_curves(table)
    assert found == [("identity/holdout_loss", 1, 3.0), ("identity/holdout_loss", 2, 1.5)]
