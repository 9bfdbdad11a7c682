"""dvc.yaml, params.yaml and the modules tell one story."""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

import mlflow
import pytest
import yaml

from tests.source import PACKAGES, ROOT, closure, show

PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text())
SMALL = yaml.safe_load((ROOT / "tests" / "params.yaml").read_text())
ENTRIES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
STAGES = {name: stage.get("do", stage) for name, stage in ENTRIES.items()}


def look_up(node, dotted):
    for part in dotted.split("."):
        node = node[part]
    return node


def paths(name, kind):
    items = STAGES[name].get(kind, [])
    return [item if isinstance(item, str) else next(iter(item)) for item in items]


def rows(name, params):
    """Give the rows of a stage: key and item."""
    if "foreach" not in ENTRIES[name]:
        return {"": ""}
    table = look_up(params, ENTRIES[name]["foreach"].strip("${}"))
    return table if isinstance(table, dict) else dict(zip(table, table, strict=True))


def fill(text, key, item):
    text = text.replace("${key}", key)
    if isinstance(item, dict):
        return re.sub(r"\$\{item\.(\w+)\}", lambda found: str(item[found[1]]), text)
    return text.replace("${item}", item)


@pytest.mark.parametrize("name", STAGES)
def test_stage_runs_the_module_of_its_name(name):
    assert STAGES[name]["cmd"].split()[:3] == ["python", "-m", f"projects.{name.replace('-', '.')}"]


@pytest.mark.parametrize("name", STAGES)
def test_stage_depends_on_exactly_the_code_it_imports(name):
    listed = {dep for dep in STAGES[name]["deps"] if dep.endswith(".py")}
    module = ROOT / "projects" / f"{name.replace('-', '/')}.py"
    assert listed == {show(path) for path in closure(module)}


@pytest.mark.parametrize("name", STAGES)
def test_stage_writes_only_under_its_own_name(name):
    for out in paths(name, "outs") + paths(name, "metrics"):
        assert out.split("/", 1)[1].startswith(name.replace("-", "/"))


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_leaves_its_run_in_a_fresh_clone(name):
    """DVC skips a stage whose outputs are all in git, so one of them is not."""
    assert any(isinstance(out, str) for out in STAGES[name]["outs"])


@pytest.mark.parametrize("name", STAGES)
def test_parameters_exist(name):
    for key, item in rows(name, PARAMS).items():
        for param in STAGES[name].get("params", []):
            look_up(PARAMS, fill(param, key, item))


def test_every_experiment_has_its_entry_point():
    entries = yaml.safe_load((ROOT / "MLproject").read_text())["entry_points"]
    experiments = {path.parent.name for path in (ROOT / "projects").glob("*/__init__.py")}
    assert experiments <= set(entries)


TABLES = {"stimuli", "networks", "recordings", "comparisons", "maps", "tasks", "views", "factors"}


def shape_of(node, name=""):
    """Give the keys of nested mappings; of a table, the shapes of its rows, however many."""
    if not isinstance(node, dict):
        return None
    below = {key: shape_of(value, key) for key, value in node.items()}
    return sorted(set(map(str, below.values()))) if name in TABLES else below


def test_small_params_have_the_same_keys():
    assert shape_of(SMALL) == shape_of(PARAMS)


def run_everything(folder, store):
    """Run every stage in `folder`, on tests/params.yaml, each in a process of its own."""
    (folder / "params.yaml").write_text((ROOT / "tests" / "params.yaml").read_text())
    (folder / "packages").symlink_to(ROOT / "packages")
    path = [str(ROOT), *(str(ROOT / "packages" / package) for package in PACKAGES)]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(path), "MLFLOW_TRACKING_URI": store}
    for name, stage in STAGES.items():
        module = f"projects.{name.replace('-', '.')}"
        for key, item in rows(name, SMALL).items():
            words = [sys.executable, "-m", module, *([key] if key else [])]
            done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr[-3000:]
            for out in paths(name, "outs") + paths(name, "metrics"):
                assert (folder / fill(out, key, item)).exists(), f"{stage['cmd']} left no {out}"
    found = sorted(path for path in (folder / "results").rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@pytest.mark.slow
def test_same_seed_same_numbers(tmp_path_factory, store):
    folders = [tmp_path_factory.mktemp("run") for _ in range(2)]
    stores = [store, f"sqlite:///{folders[1] / 'mlflow.db'}"]
    with ThreadPoolExecutor() as side_by_side:
        first, second = side_by_side.map(run_everything, folders, stores)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    mlflow.set_tracking_uri(store)
    names = {experiment.name for experiment in mlflow.search_experiments()}
    assert {name.partition("-")[0] for name in STAGES} <= names


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_has_its_door(name):
    assert callable(import_module(f"projects.{name.replace('-', '.')}").main)
