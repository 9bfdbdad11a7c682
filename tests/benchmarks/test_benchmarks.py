"""Every benchmark at a toy size: what it compares must run, and fit into the table."""

from importlib import import_module

import numpy as np
import pytest

from benchmarks.__main__ import NAMES, main
from benchmarks.table import Row, at_least, markdown, missing, page, replace, tabulate
from benchmarks.timing import compare, peer, take_turns

QUICK = [name for name in NAMES if name not in ("drawing", "learning")]


@pytest.mark.parametrize("name", QUICK)
def test_runs_small(name):
    module = import_module(f"benchmarks.{name}")
    table = tabulate(name, module.measure(module.TOY))
    assert len(table)
    assert (table["facelab"] != "").any()


def test_the_two_that_draw_ask_for_what_can_be_drawn():
    """The drawing itself is tested where it lives, and compiles for minutes when it is new."""
    learning = import_module("benchmarks.learning")
    plan = learning.design(6, 4, 0.25)
    assert plan.identities * plan.images_per_identity == 24
    assert learning.MODEL.is_file()


def test_a_peer_twice_as_slow_has_a_ratio_of_two():
    ratio = compare(np.array([2.0, 4.0, 9.0]), np.array([1.0, 2.0, 3.0]))
    assert (ratio.median, ratio.low, ratio.high, ratio.turns) == (2.0, 2.0, 3.0, 3)
    row = Row(job="add", size="2 numbers", facelab="1 s", peer="abacus", **at_least(3, ratio))
    text = markdown(tabulate("adding", [row]))
    assert "2× (2–3; n 3)" in text
    assert "≥ 3×: **missed**" in text


def test_jobs_take_turns():
    told = []
    seconds = take_turns({"a": lambda: told.append("a"), "b": lambda: told.append("b")}, 3)
    assert told == ["a", "b"] * 3
    assert all(len(spent) == 3 for spent in seconds.values())


def test_every_line_of_the_table_is_as_wide():
    rows = [Row(job="a", size="1", facelab="2 s"), missing("a longer name", "1", "nobody")]
    lines = markdown(tabulate("x", rows)).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert "not installed" in lines[-1]


def test_running_one_again_leaves_the_others(tmp_path):
    path, order = tmp_path / "results.csv", ("first", "second")

    def keep(name, job):
        row = Row(job=job, size="1", facelab="1 s")
        return replace(path, tabulate(name, [row]), order)

    keep("second", "b")
    keep("first", "a")
    whole = keep("second", "c")
    assert whole["job"].tolist() == ["a", "c"]
    assert "first, second: " in page(whole)


def test_a_peer_that_is_not_there_is_none():
    assert peer("a_package_that_nobody_wrote") is None


def test_an_unknown_benchmark_is_named():
    with pytest.raises(SystemExit, match="unknown benchmark 'decodin'; choose from drawing"):
        main(["decodin"])
