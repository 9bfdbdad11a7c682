import json
from dataclasses import dataclass

import mlflow
import pandas as pd
import pytest

from projects import provenance, publication, stage

PIPELINE = """
stages:
  probe:
    foreach: ${rows}
    do: {cmd: x, desc: A probe., deps: [input.txt], params: [seed, 'rows.${key}']}
  look:
    cmd: x
    params: [seed]
"""


@dataclass(frozen=True, kw_only=True)
class Row:
    size: int


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """Leave the signals of pytest's own process alone."""
    monkeypatch.setattr(stage.process, "heed_signals", lambda: None)


@pytest.fixture
def folder(tracked, monkeypatch):
    monkeypatch.setattr(stage, "ROOT", tracked)
    (tracked / "dvc.yaml").write_text(PIPELINE)
    (tracked / "params.yaml").write_text(
        "{seed: 0, threads: 1, rows: {a: {size: 3}, b: {size: 4}}}"
    )
    (tracked / "input.txt").write_text("pixels")
    provenance.digest.cache_clear()
    return tracked


def last_run(experiment):
    found = mlflow.search_runs(experiment_names=[experiment], output_format="list")
    return max(found, key=lambda run: run.info.start_time)


def test_what_a_stage_reads_and_measures_is_in_its_run(folder):
    with stage.run("probe", "a") as run:
        assert run.params(Row, "rows.a") == Row(size=3)
        run.read("input.txt")
        run.log({"score/identity": 0.5}, step=1)
        run.curves([("loss", 0, 2.0), ("loss", 1, 1.0), ("loss", 2, float("nan"))])
        (run.artifacts / "made.bin").write_text("big")
        run.table(pd.DataFrame({"layer": ["conv1"], "score": [1 / 3]}), "scores.csv")
    found = last_run("probe")
    assert found.info.status == "FINISHED"
    assert found.data.params["rows.size"] == "3"
    assert found.data.params["seed"] == "0"
    assert found.data.metrics == {"score/identity": 0.5, "loss": 1.0}
    tags = found.data.tags
    assert tags["dvc.stage"] == "probe@a"
    assert tags["mlflow.note.content"] == "A probe.\n\n`python -m projects.pipeline probe@a`"
    (entry,) = found.inputs.dataset_inputs
    assert entry.dataset.digest == tags["data.input.txt"][:12]
    assert len(tags["data.input.txt"]) == 32
    assert tags["version.torch"]
    assert {"git.commit", "git.dirty"} <= set(tags)
    names = {item.path for item in mlflow.MlflowClient().list_artifacts(found.info.run_id)}
    assert {"metrics.json", "scores.csv"} <= names


def test_results_are_in_place_when_the_stage_has_ended_well(folder):
    with stage.run("probe", "a") as run:
        (run.artifacts / "made.bin").write_text("big")
        run.log({"score": 0.5})
        assert not (folder / "artifacts/probe/a").exists()
    assert (folder / "artifacts/probe/a/made.bin").read_text() == "big"
    assert json.loads((folder / "results/probe/a/metrics.json").read_text()) == {"score": 0.5}
    assert [path.name for path in (folder / "scratch/probe/a").iterdir()] == ["claim"]


def test_a_stage_that_fails_leaves_nothing_where_a_result_belongs(folder):
    with pytest.raises(ValueError, match="unreadable"), stage.run("probe", "a") as run:
        (run.artifacts / "half.bin").write_text("half")
        raise ValueError("unreadable image")
    assert not (folder / "artifacts/probe/a").exists()
    assert not (folder / "results/probe/a").exists()
    found = last_run("probe")
    assert found.info.status == "FAILED"
    text = mlflow.artifacts.load_text(f"{found.info.artifact_uri}/traceback.txt")
    assert "unreadable image" in text


def test_a_killed_stage_finds_its_work_and_its_run_again(folder):
    with pytest.raises(KeyboardInterrupt), stage.run("probe", "b") as run:
        (run.scratch / "epoch.pt").write_text("half")
        raise KeyboardInterrupt
    before = last_run("probe").info.run_id
    with stage.run("probe", "b") as run:
        assert (run.scratch / "epoch.pt").read_text() == "half"
    assert last_run("probe").info.run_id == before
    assert mlflow.get_run(before).info.status == "FINISHED"


def test_a_stage_killed_while_its_results_move_begins_anew(folder, monkeypatch):
    def killed(made, target):
        move(made, target)
        raise KeyboardInterrupt

    move = publication.move
    monkeypatch.setattr(publication, "move", killed)
    with pytest.raises(KeyboardInterrupt), stage.run("probe", "a") as run:
        (run.scratch / "epoch.pt").write_text("all is trained and saved")
        (run.artifacts / "net.pt").write_text("net")
    assert (folder / "artifacts/probe/a/net.pt").exists()
    monkeypatch.setattr(publication, "move", move)
    with stage.run("probe", "a") as run:
        assert not (run.scratch / "epoch.pt").exists()


def test_a_row_that_is_not_there_is_named_beside_those_that_are(folder):
    with (
        pytest.raises(LookupError, match=r"rows has no row 'c'; choose from a, b"),
        stage.run("probe", "c"),
    ):
        pass
    assert not (folder / "scratch").exists()


@pytest.mark.parametrize(
    ("good", "bad", "complaint"),
    [
        ("threads: 1", "threads: 0", "threads is 0: .* greater than 0"),
        ("seed: 0", "seed: -1", "seed is -1: .* equal to 0"),
    ],
)
def test_a_seed_or_number_of_threads_that_cannot_be_is_named(folder, good, bad, complaint):
    text = (folder / "params.yaml").read_text()
    (folder / "params.yaml").write_text(text.replace(good, bad))
    with pytest.raises(ValueError, match=complaint), stage.run("probe", "a"):
        pass


def test_outside_the_repository_nothing_is_made(folder, tmp_path, monkeypatch):
    (tmp_path / "away").mkdir()
    monkeypatch.chdir(tmp_path / "away")
    with pytest.raises(FileNotFoundError, match="go to the root"), stage.run("probe", "a"):
        pass
    assert not list((tmp_path / "away").iterdir())


def test_changed_inputs_do_not_meet_old_work(folder):
    with pytest.raises(KeyboardInterrupt), stage.run("probe", "b") as run:
        (run.scratch / "epoch.pt").write_text("half")
        raise KeyboardInterrupt
    (folder / "input.txt").write_text("other pixels")
    provenance.digest.cache_clear()
    with stage.run("probe", "b") as run:
        assert not (run.scratch / "epoch.pt").exists()


def test_each_stage_has_its_own_seed_and_the_same_one_every_time(folder):
    seeds = []
    for name, key in [("probe", "a"), ("probe", "b"), ("look", ""), ("probe", "a")]:
        with stage.run(name, key) as run:
            seeds.append(run.seed)
    assert seeds[0] == seeds[3]
    assert len(set(seeds)) == 3


def make_rows(*keys):
    for key in keys:
        with stage.run("probe", key) as run:
            run.params(Row, f"rows.{key}")
            (run.artifacts / "made.bin").write_text("big")


def test_a_run_carries_the_values_behind_its_inputs(folder):
    make_rows("b")
    with stage.run("look") as run:
        run.read("artifacts/probe/b")
        (run.artifacts / "seen.bin").write_text("big")
    assert last_run("look").data.params["rows.size"] == "4"
    with stage.run("look") as run:  # and hands them on
        run.read("artifacts/look")
    assert last_run("look").data.params["rows.size"] == "4"


def test_inputs_made_otherwise_are_told_apart_by_their_place(folder):
    make_rows("a", "b")
    with stage.run("look") as run:
        run.read("artifacts/probe/a")
        run.read("artifacts/probe/b")
    params = last_run("look").data.params
    assert (params["rows.size"], params["rows.size/probe/b"]) == ("3", "4")


def test_a_missing_input_is_named(folder):
    with (
        pytest.raises(FileNotFoundError, match=r"nothing\.h5 is missing"),
        stage.run("look") as run,
    ):
        run.read("artifacts/nothing.h5")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("two\n  lines"), "facelab: two lines\n"),
        (KeyboardInterrupt("SIGTERM"), "facelab: stopped; the same command goes on from here\n"),
    ],
)
def test_an_error_is_one_line_and_an_exit_status(monkeypatch, capsys, error, line):
    def main():
        raise error

    monkeypatch.setattr("sys.argv", ["x"])
    with pytest.raises(SystemExit, match="1"):
        stage.start(main)
    assert capsys.readouterr().err == line


def test_a_stage_that_starts_when_its_driver_is_gone_is_one_line_too(monkeypatch, capsys):
    def stop():
        raise KeyboardInterrupt("SIGTERM")

    monkeypatch.setattr(stage.process, "follow_starters", stop)
    with pytest.raises(SystemExit, match="1"):
        stage.start(lambda: None)
    assert capsys.readouterr().err == "facelab: stopped; the same command goes on from here\n"


@pytest.mark.parametrize(
    ("main", "words", "complaint"),
    [
        (lambda name: None, [], "takes one row of its table in params.yaml, not nothing"),
        (lambda name: None, ["a", "b"], "takes one row of its table in params.yaml, not a b"),
        (lambda: None, ["a"], "takes no row, not a"),
    ],
)
def test_a_row_too_few_or_too_many_is_said_in_one_line(monkeypatch, capsys, main, words, complaint):
    monkeypatch.setattr("sys.argv", ["x", *words])
    with pytest.raises(SystemExit, match="1"):
        stage.start(main)
    assert complaint in capsys.readouterr().err


def test_a_fault_of_the_code_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr("sys.argv", ["x"])
    with pytest.raises(KeyError):
        stage.start(lambda: {}["missing"])


@pytest.fixture
def second_of_two(monkeypatch):
    """Be the second of two processes that torchrun started."""
    for name, value in {"TORCHELASTIC_RUN_ID": "1", "RANK": "1", "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)


def test_a_process_that_helps_has_the_seed_and_the_values_and_writes_nothing(folder, request):
    with stage.run("probe", "a") as alone:
        seed = alone.seed
    before = sorted(folder.rglob("*"))
    request.getfixturevalue("second_of_two")
    with stage.run("probe", "a", together=True) as run:
        assert run.params(Row, "rows.a") == Row(size=3)
        run.read("input.txt")
        assert (run.seed, run.leads) == (seed, False)
        assert mlflow.active_run() is None
    assert sorted(folder.rglob("*")) == before


def test_a_stage_of_one_process_is_not_started_by_torchrun(folder, second_of_two):
    message = "^probe is the work of one process; start it without torchrun$"
    with pytest.raises(ValueError, match=message), stage.run("probe", "a"):
        pass
