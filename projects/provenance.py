"""What a result was made from: code, parameters, inputs, and the packages in use."""

import hashlib
import json
import re
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

from projects import values

PACKAGES = ("torch", "torchvision", "numpy", "scikit-learn", "optuna", "pandas", "h5py", "mlflow")
MADE_FROM = "made_from.json"
SOURCES = ("packages", "projects", "params.yaml", "dvc.yaml", "requirements.txt")


@cache
def digest(path: Path) -> str:
    """Give the MD5 of a file, or of a folder's names and files (32 characters)."""
    if path.is_dir():
        parts = [
            f"{p.relative_to(path)} {digest(p)}" for p in sorted(path.rglob("*")) if p.is_file()
        ]
        return hashlib.md5("\n".join(parts).encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def made_from(path: Path) -> dict[str, str]:
    """Give the values that an artifact and all before it were made from, as far as it says."""
    note = path / MADE_FROM
    return json.loads(note.read_text()) if note.exists() else {}


def fingerprint(stage: Mapping, key: str, params: Mapping) -> str:
    """Name everything a stage of dvc.yaml depends on.

    Parameters
    ----------
    stage : mapping
        The stage's entry in dvc.yaml.
    key : str
        Its row, "" when it has none.
    params : mapping
        The whole of params.yaml.

    Raises
    ------
    LookupError
        When the stage's table has no such row.
    """
    row: object = key
    if "foreach" in stage:
        name = stage["foreach"].strip("${}")
        table = values.look_up(params, name)
        if key not in (table or ()):
            choices = ", ".join(map(str, table or ())) or "nothing"
            raise LookupError(f"params.yaml: {name} has no row '{key}'; choose from {choices}")
        row = table[key] if isinstance(table, Mapping) else key
    entry = stage.get("do", stage)
    deps = [_fill(dep, key, row) for dep in entry.get("deps", [])]
    read = {name: values.look_up(params, _fill(name, key, row)) for name in entry.get("params", [])}
    # A dependency that is missing is the stage's to report, in its own words.
    made_from = [f"{dep} {digest(Path(dep))}" for dep in deps if Path(dep).exists()]
    text = json.dumps([made_from, read], sort_keys=True)
    return hashlib.md5(text.encode()).hexdigest()[:12]


def tags(root: Path) -> dict[str, str]:
    """Describe the code in use: commit, whether the sources differ from it, versions."""
    commit = _git(root, "rev-parse", "HEAD").strip()
    changed = _git(root, "status", "--porcelain", "--", *SOURCES).strip()
    found = {"git.commit": commit or "none", "git.dirty": str(bool(changed)).lower()}
    return found | {f"version.{name}": metadata.version(name) for name in PACKAGES}


def _git(root: Path, *words: str) -> str:
    try:
        done = subprocess.run(
            ["git", *words], cwd=root, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:  # facelab runs from an unpacked archive, too
        return ""
    return done.stdout


def _fill(template: str, key: str, row: object) -> str:
    """Fill the templates of dvc.yaml: ``${key}``, ``${item}``, ``${item.field}``."""
    text = template.replace("${key}", key)
    if isinstance(row, Mapping):
        return re.sub(r"\$\{item\.(\w+)\}", lambda found: str(row[found[1]]), text)
    return text.replace("${item}", str(row))
