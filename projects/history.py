"""What was measured during a training: a row per seed, epoch, split, task and measure."""

import pandas as pd
from facelab_models.stopping import Stop, is_over

KEYS = ["split", "task", "measure"]
History = list[dict[str, object]]


def is_enough(history: History, stop: Stop | None) -> bool:
    """Tell whether training has met the rule that ends it early.

    Raises
    ------
    ValueError
        When the rule looks at what is not measured.
    """
    ends = [row for row in history if row["epoch"] > 0 and row["epoch"] == round(row["epoch"])]
    if stop is None or not ends:
        return False
    found = [row["value"] for row in ends if _name(row) == stop.metric]
    if not found:
        names = ", ".join(dict.fromkeys(map(_name, ends)))
        raise ValueError(
            f"nothing measures '{stop.metric}', where training is to stop; try {names}"
        )
    return is_over(found, stop)


def summarise(history: pd.DataFrame) -> dict[str, float]:
    """Give the mean of each last measurement over seeds, and their sd (n − 1) if there are more."""
    last = history[history["epoch"] == history.groupby("seed")["epoch"].transform("max")]
    found = {}
    for (split, task, measure), values in last.groupby(KEYS)["value"]:
        found[f"{task}/{split}_{measure}"] = float(values.mean())
        if len(values) > 1:
            found[f"{task}_sd_over_seeds/{split}_{measure}"] = float(values.std(ddof=1))
    return found


def mean_curves(history: pd.DataFrame) -> list[tuple[str, int, float]]:
    """Give the mean over seeds of every measure after every epoch: metric, step, value."""
    whole = history[history["epoch"] % 1 == 0]
    means = whole.groupby([*KEYS, "epoch"])["value"].mean()
    return [(f"{t}/{s}_{m}", round(epoch), value) for (s, t, m, epoch), value in means.items()]


def _name(row: dict[str, object]) -> str:
    return f"{row['task']}/{row['split']}_{row['measure']}"
