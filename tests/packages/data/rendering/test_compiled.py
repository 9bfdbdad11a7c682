import importlib
import sys

import pytest
from facelab_data.rendering import compiled


@pytest.fixture
def function(tmp_path, monkeypatch):
    """A function in a module of its own, in a folder that can be written."""
    (tmp_path / "doubling.py").write_text("def double(x):\n    return 2.0 * x\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "doubling", raising=False)
    yield importlib.import_module("doubling").double
    sys.modules.pop("doubling", None)


def test_a_compiled_kernel_is_found_again_until_a_module_of_the_folder_changes(
    function, monkeypatch
):
    def hits():
        doubled = compiled.kernel(function)
        assert doubled(2.0) == 4.0
        return sum(doubled.stats.cache_hits.values())

    assert [hits(), hits()] == [0, 1]
    monkeypatch.setattr(compiled._Cache, "digest", "of changed sources")
    assert [hits(), hits()] == [0, 1]


def test_a_kernel_works_where_no_folder_can_be_written(function, monkeypatch):
    def refuse(*_):
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(compiled, "_Cache", refuse)
    assert compiled.kernel(function)(2.0) == 4.0


def test_a_kernel_computes_what_its_function_does():
    assert compiled.inline(lambda a, b: a * b + 1.0)(2.0, 3.0) == 7.0


def test_the_digest_follows_the_modules_of_the_folder(tmp_path, monkeypatch):
    before = compiled.sources()
    assert before == compiled.sources()
    (tmp_path / "compiled.py").write_text("x = 1")
    monkeypatch.setattr(compiled, "__file__", str(tmp_path / "compiled.py"))
    first = compiled.sources()
    (tmp_path / "other.py").write_text("y = 2")
    assert len({before, first, compiled.sources()}) == 3
