"""The house rules that a machine can check."""

import ast

import pytest

from tests.source import MODULES, PACKAGES, ROOT, SOURCES, imports, mirror, section, show

ONCE = {
    "register_forward_hook": "packages/probing/facelab_probing/hooks.py",
    "torch.optim": "packages/models/facelab_models/training.py",
    "import mlflow": "projects/tracking.py",
    'Path("params.yaml")': "projects/values.py",
    "create_study": "packages/probing/facelab_probing/tuning.py",
}
SHARED = {section(path) for path in MODULES if path.parent == ROOT / "projects"}
ONLY = {
    "torch": {"packages/models", "packages/probing", *SHARED},
    "matplotlib": {"packages/viz"},
    "optuna": {"packages/probing"},
    "dvc": {"projects/overrides.py", "projects/pipeline.py"},
}


@pytest.mark.parametrize("path", MODULES, ids=show)
def test_imports_point_inwards(path):
    """A package imports itself only; a project imports packages, shared modules and itself."""
    allowed = {section(path)}
    if path.is_relative_to(ROOT / "projects"):
        allowed |= SHARED | {f"packages/{package}" for package in PACKAGES}
    assert {section(target) for target in imports(path)} <= allowed


@pytest.mark.parametrize("phrase", ONCE)
def test_said_once(phrase):
    assert [show(path) for path in SOURCES if phrase in path.read_text()] == [ONCE[phrase]]


@pytest.mark.parametrize("path", MODULES, ids=show)
def test_a_heavy_library_stays_in_its_room(path):
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.partition(".")[0])
    for library in names & set(ONLY):
        assert section(path) in ONLY[library], library


@pytest.mark.parametrize("path", MODULES, ids=show)
def test_short_enough_to_read_in_one_sitting(path):
    assert len(path.read_text().splitlines()) <= 250


@pytest.mark.parametrize("path", MODULES, ids=show)
def test_functions_fit_on_a_screen(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= 40, f"{node.name} has {lines} lines"
            positional = [a for a in node.args.args if a.arg not in ("self", "cls")]
            compiled = any("jit" in ast.unparse(mark) for mark in node.decorator_list)
            assert compiled or len(positional) <= 5, f"{node.name} has {len(positional)} parameters"


@pytest.mark.parametrize("path", MODULES, ids=show)
def test_has_a_test_of_the_same_name(path):
    assert mirror(path).exists()


@pytest.mark.parametrize("path", [p for p in SOURCES if p.name == "__init__.py"], ids=show)
def test_a_package_re_exports_nothing(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree)
    assert len(tree.body) == 1
