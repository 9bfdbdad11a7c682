import pandas as pd
import pytest

from projects.receptive_fields import figures
from projects.receptive_fields.map import measure
from tests.projects.receptive_fields.conftest import plain_row, start

CONFIG = figures.Config(
    units=2, images=2, gallery_units=1, tile_px=16, linear_to=1.0, labels={"net": "a network"}
)


def table(epochs=(0.0, 2.0, 5.0), row="net"):
    """Make up the means of two layers over training, of two seeds and of both."""
    sizes = {"size_px": (5, 12), "theoretical_px": (7, 19), "ratio": (0.7, 0.6)}
    lines = [
        {
            "row": row,
            "epoch": epoch,
            "layer": f"conv{depth + 1}",
            "seed": seed,
            "state": "trained" if epoch else "untrained",
            "measure": measure_name,
            "mean": means[depth],
            "low": means[depth] * 0.9,
            "high": means[depth] * 1.1,
        }
        for epoch in epochs
        for depth in range(2)
        for seed in ("0", "1", "all")
        for measure_name, means in sizes.items()
    ]
    return pd.DataFrame(lines)


@pytest.fixture
def run(tmp_path):
    return start(tmp_path / "figures")


def test_every_figure_is_made_for_the_screen_and_for_print(run, viewer, tmp_path):
    mapped = start(tmp_path / "map")
    measure(mapped, viewer, plain_row())
    figures.draw_sizes(run, table(), CONFIG)
    figures.draw_ratios(run, table(), CONFIG)
    figures.draw_training(run, table(), CONFIG)
    figures.draw_sheets(run, "net", mapped.artifacts, CONFIG)
    names = {"size_by_layer", "ratio_by_layer", "ratio_over_training"}
    names |= {"units_net_trunk.conv1", "units_net_trunk.block1.conv"}
    assert {path.stem for path in run.results.glob("*.png")} == names
    assert {path.stem for path in run.artifacts.glob("*.pdf")} == names


def test_a_line_looks_alike_in_every_panel_and_none_is_cut_off(run, monkeypatch):
    drawn = {}
    monkeypatch.setattr(figures, "save", lambda _, fig, name: drawn.update({name: fig}))
    loaded = table(epochs=(0.0,), row="loaded")  # of no trained network there is a line
    large = loaded["measure"].eq("ratio")
    loaded.loc[large, ["mean", "low", "high"]] *= 2
    both = pd.concat([table(), loaded])
    figures.draw_sizes(run, both, CONFIG)
    figures.draw_ratios(run, both, CONFIG)
    for fig in drawn.values():
        looks = [
            {line.get_label(): (line.get_color(), line.get_marker()) for line in ax.get_lines()}
            for ax in fig.axes
        ]
        assert looks[0] == looks[1]
        for ax in fig.axes:
            bottom, top = ax.get_ylim()
            assert bottom == 0
            assert all(not (line.get_ydata() > top).any() for line in ax.get_lines()[1:])


def test_the_end_is_shown_beside_the_untrained_network(run):
    shown = figures.ends(table())
    assert set(shown["epoch"]) == {0.0, 5.0}
    loaded = table(epochs=(0.0,)).assign(state="trained")
    assert set(figures.ends(loaded)["state"]) == {"trained"}


def test_a_network_of_one_moment_has_no_curve_over_training(run):
    figures.draw_training(run, table(epochs=(5.0,)), CONFIG)
    assert not list(run.results.iterdir())


def test_the_gallery_lies_in_the_artifacts(run, viewer, tmp_path):
    mapped = start(tmp_path / "map")
    measure(mapped, viewer, plain_row())
    means = table(epochs=(5.0,))
    figures.hang(run, {"net": mapped.artifacts}, means, CONFIG)
    assert (run.artifacts / "gallery/index.html").is_file()
    assert len(list(run.artifacts.rglob("*.jpg"))) == 2 + 2
