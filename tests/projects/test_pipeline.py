import subprocess
import sys

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


LOCK = (pipeline.ROOT / "dvc.lock").read_text()


@pytest.fixture
def root(tmp_path, monkeypatch):
    (tmp_path / "scratch").mkdir()
    (tmp_path / ".dvc/tmp").mkdir(parents=True)
    monkeypatch.setattr(pipeline, "ROOT", tmp_path)
    monkeypatch.setattr(pipeline, "WHOLE", tmp_path / "scratch/whole")
    (tmp_path / "dvc.lock").write_text(LOCK)
    return tmp_path


@pytest.mark.parametrize("share", [0.01, 0.5, 0.9])
def test_a_lock_that_was_cut_short_gives_way_to_the_last_whole_one(root, share):
    pipeline._mend()
    cut = LOCK[: LOCK.index("md5:", int(share * len(LOCK))) + 2]
    (root / "dvc.lock").write_text(cut)
    pipeline._mend()
    assert (root / "dvc.lock").read_text() == LOCK
    assert (root / "scratch/dvc.lock.unreadable").read_text() == cut


def test_half_a_note_of_who_reads_and_writes_is_put_aside(root):
    (root / ".dvc/tmp/rwlock").write_text('{"wri')
    pipeline._mend()
    assert not (root / ".dvc/tmp/rwlock").exists()


def test_what_ends_the_driver_ends_its_stages(graph):
    children = []

    def start(name):
        if children:
            raise KeyboardInterrupt
        sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
        shell = f"import subprocess; subprocess.call({sleep!r})"
        children.append(subprocess.Popen([sys.executable, "-c", shell]))
        return children[0]

    graph.add_node("other")
    with pytest.raises(KeyboardInterrupt):
        pipeline.reproduce(graph, {"draw", "other"}, start, jobs=2)
    assert children[0].poll() is not None
