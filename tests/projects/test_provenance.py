from pathlib import Path

import pytest

from projects import provenance

STAGE = {
    "foreach": "${networks}",
    "do": {
        "cmd": "python -m projects.train ${key}",
        "deps": ["code.py", "made/${item.stimuli}"],
        "params": ["seed", "networks.${key}"],
    },
}
PARAMS = {"seed": 0, "networks": {"a": {"stimuli": "faces", "lr": 1}, "b": {"stimuli": "x"}}}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "code.py").write_text("one")
    (tmp_path / "made/faces").mkdir(parents=True)
    (tmp_path / "made/faces/set.h5").write_text("pixels")
    provenance.digest.cache_clear()
    yield tmp_path
    provenance.digest.cache_clear()


def name(params=PARAMS, key="a"):
    provenance.digest.cache_clear()
    return provenance.fingerprint(STAGE, key, params)


def test_the_same_work_has_the_same_name(folder):
    assert name() == name()


def test_code_inputs_and_parameters_each_change_the_name(folder):
    names = [name(), name(PARAMS | {"seed": 1}), name(key="b")]
    (folder / "code.py").write_text("two")
    names.append(name())
    (folder / "made/faces/set.h5").write_text("other pixels")
    names.append(name())
    assert len(set(names)) == 5


def test_a_parameter_that_is_not_its_own_leaves_the_name(folder):
    assert name() == name(PARAMS | {"other": 1})


def test_a_list_of_rows_is_filled_in(folder):
    stage = {"foreach": "${rows}", "do": {"deps": ["made/${item}"], "params": []}}
    first = provenance.fingerprint(stage, "faces", {"rows": ["faces", "none"]})
    assert first != provenance.fingerprint(stage, "none", {"rows": ["faces", "none"]})


def test_renaming_a_file_changes_the_digest_of_its_folder(folder):
    before = provenance.digest(Path("made"))
    provenance.digest.cache_clear()
    (folder / "made/faces/set.h5").rename(folder / "made/faces/other.h5")
    assert provenance.digest(Path("made")) != before


def test_outside_a_repository_the_commit_is_none(tmp_path):
    found = provenance.tags(tmp_path)
    assert found["git.commit"] == "none"
    assert found["version.torch"]
