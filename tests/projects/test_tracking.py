import os
import subprocess
import sys
import time

import mlflow
import pytest

from projects import process, tracking


@pytest.fixture
def connected(tracked):
    tracking.connect()
    mlflow.set_experiment("tracking")
    return mlflow.MlflowClient()


def test_a_run_whose_process_is_gone_is_closed_and_a_living_one_is_not(connected):
    ids = []
    for born in (process.tags()["process.born"], "0.00"):
        with mlflow.start_run() as run:
            pass
        mlflow.MlflowClient().update_run(run.info.run_id, "RUNNING")
        for name, value in (process.tags() | {"process.born": born}).items():
            connected.set_tag(run.info.run_id, name, value)
        ids.append(run.info.run_id)
    tracking.close_dead_runs()
    assert [connected.get_run(i).info.status for i in ids] == ["RUNNING", "KILLED"]
    connected.set_terminated(ids[0])


def test_a_run_that_is_killed_as_it_opens_is_known_by_its_process(tracked, connected, monkeypatch):
    class KilledError(Exception):
        pass

    def kill(path, text):
        raise KilledError

    monkeypatch.setattr(tracking.Path, "write_text", kill)
    with (
        pytest.raises(KilledError),
        tracking.run("tracking", "child", tracked / "run_id", {"row": "a"}),
    ):
        pass
    (found,) = connected.search_runs(
        [mlflow.get_experiment_by_name("tracking").experiment_id], "tags.row = 'a'"
    )
    assert process.tags().items() <= found.data.tags.items()


def test_a_run_of_a_killed_launcher_is_closed_though_no_driver_claimed_it(connected):
    def launch(root=tracking.ROOT, age_s=60.0, **tags):
        start = int((time.time() - age_s) * 1000)
        name = {"mlflow.source.type": "PROJECT", "mlflow.source.name": f"file://{root}"}
        experiment = mlflow.set_experiment("pipeline").experiment_id
        return connected.create_run(experiment, start, name | tags).info.run_id

    left, starting, living = launch(), launch(age_s=0), launch()
    others = launch("/another/clone"), starting, living, launch(**process.tags())
    child = subprocess.Popen(["sleep", "60"], env=os.environ | {"MLFLOW_RUN_ID": living})
    tracking.close_dead_runs()
    child.kill()
    child.wait()
    assert connected.get_run(left).info.status == "KILLED"
    for run_id in others:
        assert connected.get_run(run_id).info.status == "RUNNING"
        connected.set_terminated(run_id)


def test_a_run_that_was_closed_before_its_driver_claimed_it_is_open_again(connected, monkeypatch):
    launcher = connected.create_run(mlflow.set_experiment("pipeline").experiment_id).info.run_id
    connected.set_terminated(launcher, "KILLED")
    monkeypatch.setenv("MLFLOW_RUN_ID", launcher)
    monkeypatch.setenv("FACELAB_PARENT_RUN_ID", "")
    tracking.connect()
    assert connected.get_run(launcher).info.status == "RUNNING"
    connected.set_terminated(launcher)


def test_the_launchers_run_becomes_the_parent_and_is_not_written_to(
    tracked, connected, monkeypatch
):
    launcher = connected.create_run(mlflow.set_experiment("pipeline").experiment_id).info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", launcher)
    monkeypatch.setenv("FACELAB_PARENT_RUN_ID", "")
    tracking.connect()
    with tracking.run("tracking", "child", tracked / "run_id", {"dvc.stage": "child"}):
        tracking.log_metrics({"score": 1.0})
    child = connected.get_run((tracked / "run_id").read_text())
    assert child.data.tags["mlflow.parentRunId"] == launcher
    assert connected.get_run(launcher).data.metrics == {}
    assert connected.get_run(launcher).info.status == "RUNNING"
    connected.set_terminated(launcher)


def test_a_lost_store_begins_a_new_run(tracked, connected):
    (tracked / "run_id").write_text("0" * 32)
    with tracking.run("tracking", "again", tracked / "run_id", {}):
        pass
    assert (tracked / "run_id").read_text() != "0" * 32


def test_a_run_tells_what_was_changed_for_it(tracked, connected, monkeypatch):
    told = []
    for words in ("seed=1 networks.identity.fit.lr=0.1", ""):
        monkeypatch.setenv(tracking.OVERRIDES, words)
        note = tracked / f"id{len(words)}"
        with tracking.run("tracking", "child", note, {}):
            pass
        found = connected.get_run(note.read_text())
        told.append((found.info.run_name, found.data.tags["overrides"], tracking.command("child")))
    again = "python -m projects.pipeline child"
    changed = "seed=1 networks.identity.fit.lr=0.1"
    assert told == [
        ("child seed=1 lr=0.1", changed, f"{again} --overrides '{changed}'"),
        ("child", "-", again),
    ]


def test_a_row_given_for_one_run_does_not_fill_the_legend(tracked, connected, monkeypatch):
    monkeypatch.setenv(
        tracking.OVERRIDES, "'+stimuli.mine={source:csv,path:/a/b,labels:labels.csv}'"
    )
    with tracking.run("tracking", "child", tracked / "id", {}):
        pass
    name = connected.get_run((tracked / "id").read_text()).info.run_name
    assert name == "child mine={source:csv,path:/a/b,l…"


def test_data_entered_by_another_run_at_the_same_moment_is_found_again(
    tracked, connected, monkeypatch
):
    entered = mlflow.MlflowClient.log_inputs
    calls = []

    def collide(client, run_id, datasets):
        calls.append(run_id)
        if len(calls) == 1:
            raise mlflow.MlflowException("UNIQUE constraint failed")
        entered(client, run_id, datasets)

    monkeypatch.setattr(mlflow.MlflowClient, "log_inputs", collide)
    with tracking.run("tracking", "reader", tracked / "id", {}):
        tracking.log_input("artifacts/draw/faces", "0" * 32)
    (read,) = connected.get_run((tracked / "id").read_text()).inputs.dataset_inputs
    assert (read.dataset.name, read.dataset.digest) == ("draw/faces", "0" * 12)


def test_a_store_that_is_killed_in_the_making_is_made_by_the_next(tmp_path, monkeypatch):
    path = tmp_path / "mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{path}")
    program = "from projects import tracking; print('up', flush=True); tracking.connect()"
    child = subprocess.Popen(
        [sys.executable, "-c", program], cwd=tracking.ROOT, stdout=subprocess.PIPE
    )
    child.stdout.readline()
    while child.poll() is None and not any(each.stat().st_size for each in tmp_path.iterdir()):
        time.sleep(0.01)
    child.kill()
    child.wait()
    assert path.stat().st_size == 0
    tracking.connect()
    assert [each.name for each in mlflow.search_experiments()] == ["Default"]


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("http://127.0.0.1:9", "refused"),
        ("sqlite:///{folder}/torn.db", "file is not a database"),
        ("sqlite:///{folder}/nosuch/mlflow.db", "unable to open database file"),
    ],
)
def test_a_store_that_cannot_be_used_is_named_at_once(tmp_path, monkeypatch, uri, reason):
    (tmp_path / "torn.db").write_bytes(bytes(range(256)) * 16)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri.format(folder=tmp_path))
    with pytest.raises(OSError, match=f"the tracking store .*{reason}") as error:
        tracking.connect()
    assert "\n" not in str(error.value)


def test_an_error_of_the_store_is_not_hidden_behind_another(tracked, connected):
    with (
        pytest.raises(OSError, match=r"the tracking store .* Changing param values"),
        tracking.run("tracking", "twice", tracked / "run_id", {}),
    ):
        tracking.log_params({"lr": 1})
        tracking.log_params({"lr": 2})
