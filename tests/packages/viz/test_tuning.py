import numpy as np
import pandas as pd
import pytest
from facelab_viz.tuning import penalty_history


@pytest.fixture
def trials():
    """Give two searches of seven trials; the best are planted at 10 and at 1000."""
    penalties = 10.0 ** np.arange(-2, 5)
    rows = [
        {"layer": layer, "trial": i, "penalty": p, "score": -abs(np.log10(p) - best)}
        for layer, best in (("early", 1), ("late", 3))
        for i, p in enumerate(penalties)
    ]
    return pd.DataFrame(rows)


def ring(ax):
    return next(line for line in ax.lines if line.get_label() == "best")


def test_every_trial_is_a_dot_and_the_best_is_ringed_and_printed(trials):
    fig = penalty_history(trials)
    assert [ax.get_title(loc="left") for ax in fig.axes] == ["early", "late"]
    assert [len(ax.collections[0].get_offsets()) for ax in fig.axes] == [7, 7]
    assert [ring(ax).get_xdata()[0] for ax in fig.axes] == [10, 1000]
    assert [ax.get_title(loc="right") for ax in fig.axes] == ["10", "1000"]
    assert {ax.get_xscale() for ax in fig.axes} == {"log"}


def test_the_order_of_rows_does_not_matter(trials):
    shuffled = trials.sample(frac=1, random_state=0)
    axes = penalty_history(shuffled, order=["early", "late"]).axes
    assert [ring(ax).get_xdata()[0] for ax in axes] == [10, 1000]


def test_a_trial_that_failed_is_left_out(trials):
    trials.loc[3, "score"] = np.nan
    first = penalty_history(trials).axes[0]
    assert len(first.collections[0].get_offsets()) == 6
    assert ring(first).get_xdata()[0] in (1, 100)


def test_panels_share_one_legend(trials):
    (legend,) = penalty_history(trials).legends
    assert [text.get_text() for text in legend.get_texts()] == ["first trial", "last trial", "best"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="penalty"), "no column 'penalty'; it has: layer, trial, score"),
        (lambda t: t.iloc[:0], "the table is empty"),
        (lambda t: t.assign(penalty=0.0), "penalties must be above 0; the least is 0.0"),
        (lambda t: t.assign(score=np.nan), "layer 'early' has no trial with a score"),
        (lambda t: pd.concat([t, t]), "2 rows for layer 'early', trial"),
    ],
)
def test_a_table_that_cannot_be_drawn_is_refused_in_one_line(trials, change, message):
    with pytest.raises(ValueError, match=message) as error:
        penalty_history(change(trials))
    assert "\n" not in str(error.value)


def test_searches_put_together_from_several_tables_keep_their_best(trials):
    later = trials.assign(trial=trials["trial"] + 7, score=trials["score"] - 1)
    axes = penalty_history(pd.concat([trials, later])).axes
    assert [ring(ax).get_xdata()[0] for ax in axes] == [10, 1000]
