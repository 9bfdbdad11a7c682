"""The whole pipeline, or one experiment of it: DVC's stages, side by side where they can be.

`dvc repro` does the same, one stage after another. This driver adds three
things: independent stages run at the same time, parameters can be changed for
one run, and `mlflow run .` finds its own run as the parent of every stage's.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TextIO

import psutil
import yaml
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from networkx import DiGraph, ancestors, descendants
from voluptuous import Invalid

from projects import overrides, process, publication, tracking, values

ROOT = Path(__file__).resolve().parents[1]
WHOLE = ROOT / "scratch" / "dvc.lock.whole"


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
    if asked.jobs < 1:
        words.error(f"--jobs is {asked.jobs}; at least 1 is needed")
    os.chdir(ROOT)
    os.environ.pop(process.DRIVER, None)  # another one's
    process.heed_signals()
    _environment()
    os.environ[tracking.OVERRIDES] = asked.overrides
    try:
        process.follow_starters()
        with publication.disk_named(), process.claim(ROOT / "scratch" / "pipeline") as claim:
            tracking.connect()
            _mend()
            with overrides.applied(overrides.words(asked.overrides)) as changes:
                if changes:
                    _say(f"params.yaml changed for this run: {asked.overrides}")
                graph, stale = find_stale(asked.targets, force=asked.force == "yes")
                start = partial(_spawn, words=["--force"] * (asked.force == "yes"), claim=claim)
                sys.exit(reproduce(graph, stale, start, jobs=asked.jobs))
    except KeyboardInterrupt:
        sys.exit("facelab: stopped; the same command goes on from here")
    except (ValueError, OSError, DvcException) as error:
        sys.exit(f"facelab: {' '.join(str(error).split())}")


def find_stale(targets: list[str], *, force: bool) -> tuple[DiGraph, set[str]]:
    """Give the graph of all stages, and those to run to bring the targets up to date.

    Raises
    ------
    ValueError
        When a target is neither an experiment nor a stage, or a stage needs what no stage makes.
    """
    values.tree()  # its words for what is wrong are better than DVC's
    with Repo() as repo:
        graph = _graph(repo)
        wanted = _closure(graph, targets)
        _check_inputs(repo, wanted)
        return graph, wanted if force else _stale(repo, graph) & wanted


def reproduce(
    graph: DiGraph, stale: set[str], start: Callable[[str], subprocess.Popen], *, jobs: int
) -> int:
    """Run the stages, `jobs` at a time, each after those it needs; give an exit status."""
    if not stale:
        _say("everything is up to date")
    waiting, running, status = set(stale), {}, 0
    try:
        while running or (waiting and status == 0):
            for name in sorted(waiting) if status == 0 else ():
                blocked = descendants(graph, name) & (waiting | set(running))
                if len(running) < jobs and not blocked:
                    waiting.remove(name)
                    running[name] = (start(name), time.monotonic())
            status = _collect(running) or status
            _keep_lock()
    except BaseException:
        _stop([child for child, _ in running.values()])
        raise
    return status


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


def _check_inputs(repo: Repo, wanted: set[str]) -> None:
    """Find a row that names another one which is not there, before anything runs."""
    made = {Path(out.fs_path) for out in repo.index.outs}
    for stage in (each for each in repo.index.stages if each.addressing in wanted):
        for path in (Path(dep.fs_path) for dep in stage.deps):
            if path.exists() or any(path in (out, *out.parents) for out in made):
                continue
            there = sorted(str(out.name) for out in made if out.parent == path.parent)
            choices = f"; {path.parent.relative_to(ROOT)} has {', '.join(there)}" if there else ""
            needs = f"{stage.addressing} needs {path.relative_to(ROOT)}"
            raise ValueError(f"{needs}, which is not there and which no stage makes{choices}")


def _mend() -> None:
    """Put aside what a killed DVC left half-written: none is at work while we hold the claim.

    Of dvc.lock the last whole one takes its place. What has finished since DVC takes from its
    cache of runs, or makes again.
    """
    checks = {".dvc/tmp/rwlock": json.loads, "dvc.lock": _read_lock}
    for name, read in checks.items():
        try:
            if (ROOT / name).exists():
                read((ROOT / name).read_text())
        except (ValueError, yaml.YAMLError, Invalid):
            aside = ROOT / "scratch" / f"{Path(name).name}.unreadable"
            shutil.move(ROOT / name, aside)  # scratch/ may be another disk
            _say(f"{name} was cut short, as when DVC is killed; it is now {aside}")
            if name == "dvc.lock" and WHOLE.exists():
                shutil.copy(WHOLE, ROOT / name)
    _keep_lock()


def _keep_lock() -> None:
    """Copy dvc.lock while it is whole: DVC writes it in place."""
    with suppress(OSError, ValueError, yaml.YAMLError, Invalid):
        text = (ROOT / "dvc.lock").read_text()
        _read_lock(text)
        part = WHOLE.with_suffix(".part")
        part.write_text(text)
        part.replace(WHOLE)


def _read_lock(text: str) -> None:
    if not text.endswith("\n"):
        raise ValueError("the last line is not whole")
    COMPILED_LOCKFILE_SCHEMA(yaml.safe_load(text) or {})


def _spawn(name: str, words: list[str], claim: TextIO) -> subprocess.Popen:
    """Start DVC on one stage. It shares the claim: the next driver waits until it is gone."""
    _say(f"{name} …")
    # Stages started together take turns at DVC's lock; by default it gives up after 3 s.
    return subprocess.Popen(
        [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "--single-item", name, *words],
        stdout=subprocess.DEVNULL,
        pass_fds=[claim.fileno()],
        process_group=0,  # Ctrl-C comes to the driver alone, which then stops the stages
    )


def _stop(children: list[subprocess.Popen]) -> None:
    """Ask every stage to stop, and wait for the DVC above it."""
    _say("stopping …")
    asked: set[int] = set()
    while any(child.poll() is None for child in children):
        for child in children:
            with suppress(psutil.NoSuchProcess):
                for each in psutil.Process(child.pid).children(recursive=True):
                    if each.pid not in asked:
                        asked.add(each.pid)
                        each.terminate()
        time.sleep(0.1)


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
