"""Reading the source tree, for the tests that hold it to the house rules."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = sorted(p for top in ("packages", "projects") for p in (ROOT / top).rglob("*.py"))
MODULES = [path for path in SOURCES if path.name != "__init__.py"]
PACKAGES = ("data", "models", "probing", "viz")


def show(path: Path) -> str:
    return str(path.relative_to(ROOT))


def place(name: str) -> Path:
    """Say where the module called `name` lies, as `facelab_data.stimuli`."""
    top = name.partition(".")[0]
    package = top.removeprefix("facelab_")
    folder = ROOT / "packages" / package if package in PACKAGES else ROOT
    return folder / f"{name.replace('.', '/')}.py"


def imports(path: Path) -> set[Path]:
    """Give the first-party modules that `path` imports, as files."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {place(name) for name in names}
    return found & set(MODULES)


def closure(path: Path) -> set[Path]:
    """Give `path` and every first-party module it needs, near or far."""
    seen, todo = set(), {path}
    while todo:
        seen |= todo
        todo = set().union(*map(imports, todo)) - seen
    return seen


def section(path: Path) -> str:
    """Name the part of the house a file belongs to, as `packages/data` or `projects/draw.py`."""
    return "/".join(path.relative_to(ROOT).parts[:2])


def mirror(path: Path) -> Path:
    """Say where the tests of a module lie."""
    parts = path.relative_to(ROOT).with_name(f"test_{path.name}").parts
    if parts[0] == "packages":
        parts = (*parts[:2], *parts[3:])
    return ROOT.joinpath("tests", *parts)
