import errno

import pytest

from projects import overrides


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
