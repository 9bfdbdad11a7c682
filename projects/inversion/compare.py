"""Ask every checkpoint of a network the same question about upright and about inverted images.

What is compared is the accuracy within each identity, so intervals are over identities and
training seeds.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from facelab_data import stimuli, views
from facelab_probing.intervals import mean_over_identities, onset, paired_differences

from projects import stage
from projects.inversion.answers import UNKNOWN, Answers, ask, keep, load
from projects.inversion.breakdown import by_class, by_identity, confusions, mistakes

ACCURACY = (0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A row of ``inversion.comparisons`` in params.yaml.

    Attributes
    ----------
    network, stimuli : str
        Rows of ``networks`` and ``stimuli``.
    task : str
        What the network is asked; categorical.
    split : str
        Whose images: ``holdout``, images of people it knows, for identity.
    """

    network: str
    stimuli: str
    task: str
    split: str


@dataclass(frozen=True, kw_only=True)
class Config:
    """Section ``inversion.compare`` of params.yaml.

    Attributes
    ----------
    inverted : str
        The view that is held against upright at every checkpoint.
    angles : tuple of str
        More views, for the last checkpoint.
    """

    inverted: str
    angles: tuple[str, ...]

    def __post_init__(self) -> None:
        if views.angle(self.inverted) == 0:
            raise ValueError(f"inverted is another view than {views.UPRIGHT}, not {self.inverted}")


def main(name: str) -> None:
    """Compare views for the row called `name`; write curves, the gap and its onset."""
    with stage.run("inversion-compare", name) as run:
        row = run.params(Comparison, f"inversion.comparisons.{name}")
        config = run.params(Config, "inversion.compare")
        made = stimuli.read(run.read(f"artifacts/draw/{row.stimuli}") / "stimuli.h5")
        shown = tuple(dict.fromkeys((views.UPRIGHT, config.inverted, *config.angles)))
        answers = ask(load(run, row.network, row.task), made, row.task, row.split, shown)
        keep(run.artifacts / "answers.h5", answers)
        tables = compare(answers, config.inverted)
        for title, table in tables.items():
            run.table(table.assign(network=name), f"{title}.csv")
        report(run, tables)


def compare(answers: Answers, inverted: str) -> dict[str, pd.DataFrame]:
    """Turn answers into tables.

    Returns
    -------
    tables : dict of DataFrame
        ``curves``: accuracy of each view at each epoch, for each seed and for all ("all", with
        an interval). ``gap``: upright less inverted at each epoch, paired within identities;
        its last row, ``growth``, is the gap at the end less that after a third of training.
        ``ranks``: upright less inverted in the mean rank of the right class, at each epoch.
        ``angles``: accuracy at the last epoch by view. ``classes``, ``identities``, ``confusions``
        and ``mistakes``: the last epoch taken apart, see `breakdown`.
    """
    right = per_identity(answers)
    pair = [answers.views.index(view) for view in (views.UPRIGHT, inverted)]
    curves = [curve(right[:, :, place], answers, answers.views[place]) for place in pair]
    upright, turned = right[:, :, pair[0]], right[:, :, pair[1]]
    gap = paired_differences(upright, turned, seeds_are_paired=True)
    gap = gap.assign(epoch=answers.epochs, what="gap")
    third = int(np.abs(answers.epochs - answers.epochs[-1] / 3).argmin())
    differences = upright - turned
    growth = paired_differences(
        differences[:, -1:], differences[:, third : third + 1], seeds_are_paired=True
    ).assign(epoch=answers.epochs[-1], what="growth")
    at_end = mean_over_identities(right[:, -1], within=ACCURACY).assign(view=answers.views)
    at_end["angle_deg"] = [views.angle(view) for view in answers.views]
    return {
        "curves": pd.concat(curves, ignore_index=True),
        "gap": pd.concat([gap, growth], ignore_index=True),
        "ranks": ranks(answers, pair),
        "angles": at_end,
        "classes": by_class(answers, pair),
        "identities": by_identity(answers, pair),
        "confusions": confusions(answers, pair),
        "mistakes": mistakes(answers, pair),
    }


def per_identity(answers: Answers) -> np.ndarray:
    """Give the share of right answers within each identity, (S, E, V, G); NaN where not shown."""
    right = (answers.named == answers.truth).astype(np.float64)
    return _within(np.where(answers.named == UNKNOWN, np.nan, right), answers)


def ranks(answers: Answers, pair: list[int]) -> pd.DataFrame:
    """Tabulate the mean rank of the right class over epochs: both views, and their difference.

    While accuracy is near chance almost all answers count as equally wrong; the rank tells how
    wrong, so that a gap shows earlier and with less noise.
    """
    first, second = (_within(answers.rank[:, :, place], answers) for place in pair)
    table = paired_differences(first, second, seeds_are_paired=True).assign(epoch=answers.epochs)
    both = zip(pair, (first, second), strict=True)
    return table.assign(**{answers.views[p]: each.mean(axis=(0, 2)) for p, each in both})


def _within(values: np.ndarray, answers: Answers) -> np.ndarray:
    """Average over the images of each identity: (..., N) to (..., G)."""
    people, member = np.unique(answers.identity, return_inverse=True)
    sums = np.zeros((*values.shape[:-1], len(people)))
    np.add.at(sums, (..., member), values)
    return sums / np.bincount(member)


def curve(right: np.ndarray, answers: Answers, view: str) -> pd.DataFrame:
    """Tabulate accuracy (S, E, G) over epochs: a row per seed, and one for all."""
    whole = mean_over_identities(right, within=ACCURACY)
    parts = [whole.assign(epoch=answers.epochs, seed="all")]
    for seed, values in zip(answers.seeds, right, strict=True):
        parts.append(
            pd.DataFrame({"mean": values.mean(axis=1), "epoch": answers.epochs, "seed": str(seed)})
        )
    return pd.concat(parts, ignore_index=True).drop(columns="p").assign(view=view)


def report(run: stage.Run, tables: Mapping[str, pd.DataFrame]) -> None:
    """Send the curves, the final gap, its onset and the mistakes to the run."""
    curves = tables["curves"][tables["curves"]["seed"] == "all"]
    gap = tables["gap"][tables["gap"]["what"] == "gap"].reset_index(drop=True)
    run.curves((f"accuracy/{r.view}", round(r.epoch), r.mean) for r in curves.itertuples())
    run.curves(("gap/accuracy", round(r.epoch), r.mean) for r in gap.itertuples())
    last = curves.groupby("view", sort=False)["mean"].last()
    run.log({f"final_accuracy/{view}": float(value) for view, value in last.items()})
    run.log({f"final_gap/{name}": float(gap[name].iloc[-1]) for name in ("mean", "low", "high")})
    together = tables["mistakes"][tables["mistakes"]["what"] == "coincidence"]
    run.log({f"coincidence/{r.view}": r.mean for r in together.itertuples() if np.isfinite(r.mean)})
    for name, table in (("gap_onset", gap), ("rank_gap_onset", tables["ranks"])):
        found = onset(table)
        if found is not None:
            run.log({f"{name}/epoch": float(table["epoch"].iloc[found])})


if __name__ == "__main__":
    stage.start(main)
