"""The whole pipeline, or one experiment of it: DVC's stages, side by side where they can be.

`dvc repro` does the same, one stage after another. This driver adds three
things: independent stages run at the same time, parameters can be changed for
one run, and `mlflow run .` finds its own run as the parent of every stage's.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.utils.hydra import apply_overrides
from networkx import DiGraph, ancestors, descendants

from projects import process, tracking

ROOT = Path(__file__).resolve().parents[1]
PARAMS, KEPT, CHANGED = (
    ROOT / name for name in ("params.yaml", "scratch/params.before.yaml", "scratch/params.run.yaml")
)


def main() -> None:
    """Read the command line, bring the targets up to date, give DVC's exit status."""
    words = argparse.ArgumentParser(prog="python -m projects.pipeline", description=__doc__)
    words.add_argument("targets", nargs="*", help="experiments or stages; default: all")
    words.add_argument(
        "--overrides", default="", help='e.g. "seed=1 networks.identity.fit.lr=0.01"'
    )
    words.add_argument(
        "--force", choices=("yes", "no"), default="no", help="run what is up to date"
    )
    words.add_argument("--jobs", type=int, default=os.cpu_count(), help="stages at the same time")
    asked = words.parse_args()
    os.chdir(ROOT)
    _environment()
    try:
        claim = process.claim(ROOT / "scratch" / "pipeline")
    except BlockingIOError as error:
        sys.exit(f"facelab: {error}")
    try:
        process.end_orphans()
        tracking.connect()
        with overridden(shlex.split(asked.overrides)):
            sys.exit(reproduce(asked.targets, force=asked.force == "yes", jobs=asked.jobs))
    except (ValueError, OSError, DvcException) as error:
        sys.exit(f"facelab: {' '.join(str(error).split())}")
    finally:
        claim.unlink(missing_ok=True)


def reproduce(targets: list[str], *, force: bool, jobs: int) -> int:
    """Run what is out of date, `jobs` stages at a time; give an exit status.

    Raises
    ------
    ValueError
        When a target is neither an experiment nor a stage.
    """
    with Repo() as repo:
        graph = _graph(repo)
        wanted = _closure(graph, targets)
        stale = wanted if force else _stale(repo, graph) & wanted
    if not stale:
        _say("everything is up to date")
        return 0
    waiting, running, status = set(stale), {}, 0
    while running or (waiting and status == 0):
        for name in sorted(waiting) if status == 0 else ():
            blocked = descendants(graph, name) & (waiting | set(running))
            if len(running) < jobs and not blocked:
                waiting.remove(name)
                running[name] = (_spawn(name, force), time.monotonic())
        status = _collect(running) or status
    return status


@contextmanager
def overridden(overrides: list[str]) -> Iterator[None]:
    """While open, params.yaml holds the overrides; afterwards it is as it was.

    What a killed run left behind is put right first, unless params.yaml was
    edited since.

    Raises
    ------
    ValueError
        When params.yaml has no such key.
    """
    _restore()
    if not overrides:
        yield
        return
    KEPT.parent.mkdir(exist_ok=True)
    shutil.copy(PARAMS, CHANGED)
    try:
        apply_overrides(CHANGED, overrides)
    except Exception as error:  # hydra and omegaconf raise many kinds
        raise ValueError(f"--overrides: {error.__cause__ or error}") from None
    shutil.copy(PARAMS, KEPT)
    _say(f"params.yaml changed for this run: {' '.join(overrides)}")
    shutil.copy(CHANGED, PARAMS)
    try:
        yield
    finally:
        _restore()


def _restore() -> None:
    if KEPT.exists():
        if PARAMS.read_text() == CHANGED.read_text():
            KEPT.replace(PARAMS)
        KEPT.unlink(missing_ok=True)


def _environment() -> None:
    """Set what the stages inherit: this clone's packages first, and no calls home."""
    folders = [str(path) for path in sorted((ROOT / "packages").iterdir()) if path.is_dir()]
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([*folders, *([before] if before else [])])
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    os.environ[process.DRIVER] = process.name_of_this()
    for name in ("MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK", "DVC_NO_ANALYTICS"):
        os.environ.setdefault(name, "true")


def _graph(repo: Repo) -> DiGraph:
    """Give the stages by name; an edge points from a stage to one that it needs."""
    graph = DiGraph()
    graph.add_nodes_from(stage.addressing for stage in repo.index.stages)
    graph.add_edges_from((a.addressing, b.addressing) for a, b in repo.index.graph.edges)
    return graph


def _closure(graph: DiGraph, targets: list[str]) -> set[str]:
    """Give the stages of the targets and all that they need."""
    found = set() if targets else set(graph)
    for target in targets:
        hits = {name for name in graph if target in (name, name.partition("@")[0], _project(name))}
        if not hits:
            choices = ", ".join(sorted({_project(name) for name in graph}))
            raise ValueError(f"unknown target '{target}'; choose from {choices}")
        found |= hits.union(*(descendants(graph, hit) for hit in hits))
    return found


def _project(name: str) -> str:
    return name.partition("@")[0].partition("-")[0]


def _stale(repo: Repo, graph: DiGraph) -> set[str]:
    """Give the stages that changed, and all that need them."""
    changed = set(repo.status()) & set(graph)
    return changed.union(*(ancestors(graph, name) for name in changed))


def _spawn(name: str, force: bool) -> subprocess.Popen:
    words = [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "--single-item", name]
    _say(f"{name} …")
    return subprocess.Popen(words + ["--force"] * force, stdout=subprocess.DEVNULL)


def _collect(running: dict[str, tuple[subprocess.Popen, float]]) -> int:
    """Wait until some stage ends; give its exit status, 0 while all is well."""
    while not any(child.poll() is not None for child, _ in running.values()):
        time.sleep(0.1)
    status = 0
    for name, (child, began) in list(running.items()):
        if child.poll() is not None:
            del running[name]
            word = "done" if child.returncode == 0 else "FAILED"
            _say(f"{name} {word} after {time.monotonic() - began:.0f} s")
            status = status or child.returncode
    return status


def _say(text: str) -> None:
    sys.stderr.write(f"facelab: {text}\n")


if __name__ == "__main__":
    main()
