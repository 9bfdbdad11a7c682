"""The runs in MLflow: opened, taken up again after a kill, closed when their process died.

DVC owns files, MLflow owns runs. The store is a local SQLite file unless
MLFLOW_TRACKING_URI says otherwise. Only this module speaks to MLflow.
"""

import json
import logging
import os
import shlex
import sqlite3
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from math import isfinite
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import mlflow
from mlflow.entities import Dataset, DatasetInput, Metric, Run, RunTag
from mlflow.exceptions import MlflowException
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from sqlalchemy.exc import SQLAlchemyError

from projects import process, provenance

ROOT = Path(__file__).resolve().parents[1]
PARENT = "FACELAB_PARENT_RUN_ID"
LEGEND = 24  # characters of a value
LAUNCH_S = 10  # for `mlflow run` to start the driver
OVERRIDES = "FACELAB_OVERRIDES"  # what the pipeline changed in params.yaml for this time


def connect() -> None:
    """Find the tracking store, and close the runs of processes that died.

    Raises
    ------
    OSError
        When the store does not answer or cannot be written to.
    """
    os.environ.setdefault("MLFLOW_TRACKING_URI", f"sqlite:///{ROOT / 'mlflow.db'}")
    mlflow.set_tracking_uri(os.environ["MLFLOW_TRACKING_URI"])
    os.environ.pop("MLFLOW_EXPERIMENT_ID", None)
    # It would write a traceback for each error, which is told in one line here.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    with _store_named(SQLAlchemyError):
        _knock(os.environ["MLFLOW_TRACKING_URI"])
        # `mlflow run` exports the id of its own run: unclaimed, all stages would write to it.
        if launcher := os.environ.pop("MLFLOW_RUN_ID", None):
            os.environ[PARENT] = launcher
            claims = [RunTag(name, value) for name, value in process.tags().items()]
            mlflow.MlflowClient().log_batch(launcher, tags=claims)  # all at once, or none
            # Another driver may have taken it for abandoned while its environment was built.
            mlflow.MlflowClient().update_run(launcher, "RUNNING")
        close_dead_runs()


def close_dead_runs() -> None:
    """Mark as killed the runs of this clone that claim to be running but whose process is gone."""
    client = mlflow.MlflowClient()
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    for run in client.search_runs(experiments, "attributes.status = 'RUNNING'"):
        if run.info.run_id == os.environ.get(PARENT):
            continue
        if process.is_dead(run.data.tags) or _is_abandoned(run):
            client.set_terminated(run.info.run_id, "KILLED")


@contextmanager
def run(experiment: str, name: str, note: Path, tags: Mapping[str, str]) -> Iterator[None]:
    """Open a run, or the one whose id is in the file `note`; on an error keep the traceback."""
    with _store_named():
        mlflow.set_experiment(experiment)
        tags = {**provenance.tags(ROOT), **process.tags(), **tags}
        tags["overrides"] = os.environ.get(OVERRIDES) or "-"
        # Tagged from the first moment: killed in the next, it is known as this clone's.
        with mlflow.start_run(**_which(note, name), tags=tags) as active:
            note.write_text(active.info.run_id)
            try:
                yield
            except MlflowException:
                raise
            except BaseException:
                with suppress(Exception):  # what went wrong first is what matters
                    mlflow.log_text(traceback.format_exc(), "traceback.txt")
                raise


def command(address: str) -> str:
    """Give the command that makes a stage anew as it is made now, from the same commit."""
    words = f"python -m projects.pipeline {address}"
    changed = os.environ.get(OVERRIDES)
    return f"{words} --overrides {shlex.quote(changed)}" if changed else words


def log_params(params: Mapping[str, object]) -> None:
    """Record the values that a stage read."""
    mlflow.log_params(dict(params))


def log_input(path: str, digest: str) -> None:
    """Record what a stage read, by its content: a tag, and the column Dataset of the run table."""
    mlflow.set_tag(f"data.{path}", digest)
    name = path.partition("/")[2] or path
    read = Dataset(name, digest[:12], source_type="local", source=json.dumps({"uri": path}))
    client, run_id = mlflow.MlflowClient(), mlflow.active_run().info.run_id
    try:
        client.log_inputs(run_id, [DatasetInput(read)])
    except MlflowException:  # another run entered the same data at this moment; now it is there
        client.log_inputs(run_id, [DatasetInput(read)])


def describe(text: str) -> None:
    """Say in words what the active run is, at the top of its page; Markdown."""
    mlflow.set_tag("mlflow.note.content", text)


def log_metrics(metrics: Mapping[str, float], step: int | None = None) -> None:
    """Record what a stage measured."""
    mlflow.log_metrics(dict(metrics), step=step)


def log_curves(points: list[tuple[str, int, float]]) -> None:
    """Record whole curves at once: metric, step, value. What is not finite is left out."""
    now = int(time.time() * 1000)
    metrics = [Metric(name, value, now, step) for name, step, value in points if isfinite(value)]
    run_id = mlflow.active_run().info.run_id
    for start in range(0, len(metrics), 1000):
        mlflow.MlflowClient().log_batch(run_id, metrics=metrics[start : start + 1000])


def log_files(path: Path) -> None:
    """Attach a file, or all files of a folder, to the run."""
    if path.is_dir():
        mlflow.log_artifacts(str(path))
    else:
        mlflow.log_artifact(str(path))


def _knock(uri: str) -> None:
    """See that the store is there: MLflow itself would try again for minutes."""
    kind, _, place = uri.partition("://")
    if kind == "sqlite":
        path = Path(place.partition("?")[0][1:])
        with closing(sqlite3.connect(path, timeout=60)) as store:
            store.execute("BEGIN IMMEDIATE")
        if path.exists() and not path.stat().st_size:
            _lay_out(path)
    elif kind in ("http", "https"):
        with suppress(HTTPError):  # an answer, if not a friendly one
            urlopen(uri, timeout=60).close()


def _lay_out(path: Path) -> None:
    """Give an empty store all its tables at once: MLflow cannot go on with some of them."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        SqlAlchemyStore(f"sqlite:///{part}", "mlruns").engine.dispose()
        if not path.stat().st_size:  # nobody else was faster
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _store_named(*more: type[Exception]) -> Iterator[None]:
    """Turn what MLflow and its database raise into one line that names the store."""
    try:
        yield
    except (MlflowException, sqlite3.Error, URLError, *more) as error:
        lines = str(error).splitlines() or [type(error).__name__]
        reason = next((line for line in lines if "Error) " in line), lines[0])  # the database's
        raise OSError(f"the tracking store {mlflow.get_tracking_uri()}: {reason}") from None


def _is_abandoned(run: Run) -> bool:
    """Tell whether `mlflow run` was killed in this clone before the driver claimed its run."""
    tags, age_s = run.data.tags, time.time() - run.info.start_time / 1000
    ours = tags.get("mlflow.source.name", "").removeprefix("file://") == str(ROOT)
    launched = ours and tags.get("mlflow.source.type") == "PROJECT" and "process.id" not in tags
    return launched and age_s > LAUNCH_S and not process.inherit("MLFLOW_RUN_ID", run.info.run_id)


def _which(note: Path, name: str) -> dict[str, str]:
    """Say which run to open: the one that was killed, or a new one."""
    if note.exists():
        with suppress(MlflowException):  # the store may be another one by now
            found = mlflow.get_run(note.read_text()).info
            if found.lifecycle_stage == "active":
                return {"run_id": found.run_id}
    # What was changed is part of the name: the legends of MLflow's charts show nothing else.
    words = [word.partition("=") for word in shlex.split(os.environ.get(OVERRIDES, ""))]
    changes = [f"{key.rpartition('.')[2]}={_short(value)}" for key, _, value in words]
    parent = os.environ.get(PARENT)
    named = {"run_name": " ".join([name, *changes])}
    return named | ({"parent_run_id": parent} if parent else {})


def _short(value: str) -> str:
    """Cut a value, which may be a whole row, to what a legend can hold."""
    return value if len(value) <= LEGEND else f"{value[: LEGEND - 1]}…"
