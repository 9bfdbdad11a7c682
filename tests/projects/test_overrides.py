import copy
import errno

import pytest
from ruamel.yaml import YAML

from projects import overrides, values


@pytest.fixture
def params(tmp_path, monkeypatch):
    path = tmp_path / "params.yaml"
    path.write_text("seed: 0  # the one seed\nrows: {a: {lr: 0.1}}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(overrides, "PARAMS", path)
    monkeypatch.setattr(overrides, "KEPT", tmp_path / "scratch/before.yaml")
    monkeypatch.setattr(overrides, "CHANGED", tmp_path / "scratch/run.yaml")
    return path


def test_an_override_holds_for_one_run(params):
    before = params.read_text()
    with overrides.applied(["rows.a.lr=0.5", "seed=3"]):
        assert "lr: 0.5" in params.read_text()
        assert "seed: 3" in params.read_text()
    assert params.read_text() == before


SHARED = """\
networks:
  one: &one
    fit: &fit {lr: 0.1, epochs: 3}
    tasks: {identity: {weight: 1.0}}
    seeds: [0, 1]
  two: {<<: *one, views: {flip: 1.0}}
  three: {<<: *one, fit: {<<: *fit, epochs: 9}}
range: [1.0e-2, 1.0e+7]
"""


@pytest.mark.parametrize("row", ["one", "two", "three"])
@pytest.mark.parametrize(
    ("key", "value"),
    [("fit.lr", 0.01), ("fit.epochs", 2), ("tasks.identity.weight", 0.5), ("seeds", [4])],
)
def test_a_row_is_changed_alone_also_where_rows_are_made_from_each_other(params, row, key, value):
    params.write_text(SHARED)
    before, wanted = values.tree(), values.tree()
    node = copy.deepcopy(wanted["networks"][row])
    wanted["networks"][row] = node
    *above, last = key.split(".")
    for name in above:
        node = node[name]
    node[last] = value
    with overrides.applied([f"networks.{row}.{key}={value}"]):
        assert values.tree() == wanted
        assert YAML(typ="safe").load(params) == wanted  # as DVC reads it
    assert values.tree() == before
    assert params.read_text() == SHARED


def test_a_row_that_others_are_made_from_can_be_removed(params):
    params.write_text(SHARED)
    with overrides.applied(["~networks.one"]):
        assert list(values.tree()["networks"]) == ["two", "three"]


def test_a_mapping_is_not_set_as_a_whole(params):
    said = r"'rows' cannot be set to a mapping; .* as in rows\.name=value"
    with pytest.raises(ValueError, match=said), overrides.applied(["rows={}"]):
        pass


def test_an_override_does_not_outlive_a_failure(params):
    before = params.read_text()
    with pytest.raises(KeyboardInterrupt), overrides.applied(["seed=3"]):
        raise KeyboardInterrupt
    assert params.read_text() == before


def test_what_a_killed_run_changed_is_put_right_by_the_next(params):
    before = params.read_text()
    killed = overrides.applied(["seed=3"])
    killed.__enter__()
    with overrides.applied([]):
        assert params.read_text() == before


def test_what_was_edited_since_is_left_alone(params):
    killed = overrides.applied(["seed=3"])
    killed.__enter__()
    params.write_text("seed: 9\n")
    with overrides.applied([]):
        assert params.read_text() == "seed: 9\n"


def test_a_key_that_does_not_exist_is_an_error_and_nothing_changes(params):
    before = params.read_text()
    said = "--overrides: .* no 'rows.a.lrr': no 'lrr' among lr$"
    with pytest.raises(ValueError, match=said), overrides.applied(["seed=1", "rows.a.lrr=1"]):
        pass
    with pytest.raises(ValueError, match="missing EQUAL"), overrides.applied(["seed"]):
        pass
    assert params.read_text() == before


@pytest.mark.parametrize("full", [1, 2, 3])
def test_a_disk_that_is_full_at_any_copy_costs_no_value(params, monkeypatch, full):
    """The override changes nothing, so that params.yaml looks like what a killed run left."""
    params.write_text("seed: 3\n")
    copy, copies = overrides.shutil.copy, []

    def fill(source, target):
        copies.append(target)
        if len(copies) == full:
            target.write_text("")
            raise OSError(errno.ENOSPC, "No space left on device")
        copy(source, target)

    monkeypatch.setattr(overrides.shutil, "copy", fill)
    with pytest.raises(OSError, match="No space left"), overrides.applied(["seed=3"]):
        pass
    monkeypatch.setattr(overrides.shutil, "copy", copy)
    with overrides.applied([]):
        assert params.read_text() == "seed: 3\n"
    assert [path for path in params.parent.iterdir() if path.is_file()] == [params]


def test_a_quotation_without_end_is_named():
    with pytest.raises(ValueError, match="--overrides: no closing quotation in seed='1"):
        overrides.words("seed='1")
