import pytest
from networkx import DiGraph

from projects import pipeline


@pytest.fixture
def params(tmp_path, monkeypatch):
    path = tmp_path / "params.yaml"
    path.write_text("seed: 0  # the one seed\nrows: {a: {lr: 0.1}}\n")
    monkeypatch.setattr(pipeline, "PARAMS", path)
    monkeypatch.setattr(pipeline, "KEPT", tmp_path / "scratch/before.yaml")
    monkeypatch.setattr(pipeline, "CHANGED", tmp_path / "scratch/run.yaml")
    return path


def test_an_override_holds_for_one_run(params):
    before = params.read_text()
    with pipeline.overridden(["rows.a.lr=0.5", "seed=3"]):
        assert "lr: 0.5" in params.read_text()
        assert "seed: 3" in params.read_text()
    assert params.read_text() == before


def test_an_override_does_not_outlive_a_failure(params):
    before = params.read_text()
    with pytest.raises(KeyboardInterrupt), pipeline.overridden(["seed=3"]):
        raise KeyboardInterrupt
    assert params.read_text() == before


def test_what_a_killed_run_changed_is_put_right_by_the_next(params):
    before = params.read_text()
    killed = pipeline.overridden(["seed=3"])
    killed.__enter__()
    with pipeline.overridden([]):
        assert params.read_text() == before


def test_what_was_edited_since_is_left_alone(params):
    killed = pipeline.overridden(["seed=3"])
    killed.__enter__()
    params.write_text("seed: 9\n")
    with pipeline.overridden([]):
        assert params.read_text() == "seed: 9\n"


def test_a_key_that_does_not_exist_is_an_error_and_nothing_changes(params):
    before = params.read_text()
    with pytest.raises(ValueError, match="--overrides"), pipeline.overridden(["rows.a.lrr=1"]):
        pass
    assert params.read_text() == before


@pytest.fixture
def graph():
    edges = [
        ("probe-figures", "probe-decode@a"),
        ("probe-decode@a", "record@a"),
        ("b-look", "draw"),
    ]
    return DiGraph([*edges, ("record@a", "draw")])


def test_an_experiment_brings_all_that_it_needs(graph):
    assert pipeline._closure(graph, ["probe"]) == set(graph) - {"b-look"}
    assert pipeline._closure(graph, ["record"]) == {"record@a", "draw"}
    assert pipeline._closure(graph, []) == set(graph)


def test_an_unknown_target_is_named_beside_the_choices(graph):
    with pytest.raises(ValueError, match="unknown target 'probes'; choose from b, draw, probe"):
        pipeline._closure(graph, ["probes"])
