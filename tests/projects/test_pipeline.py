import pytest
from networkx import DiGraph

from projects import pipeline


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
