import optuna
import pytest
from facelab_probing.storages import open_storage


@pytest.mark.parametrize("place", ["studies.log", "sqlite:///{}/studies.db"])
def test_a_study_is_there_when_its_storage_is_opened_again(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = place.format(tmp_path)
    optuna.create_study(storage=open_storage(place), study_name="ridge")
    assert [study.study_name for study in open_storage(place).get_all_studies()] == ["ridge"]


def test_no_place_is_memory():
    assert open_storage("") is None


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("sqlit:///studies.db", "Can't load plugin"),
        ("://", "Could not parse"),
        ("sqlite:////nowhere/studies.db", "unable to open database file"),
        ("/nowhere/studies.log", "No such file or directory"),
    ],
)
def test_a_place_that_cannot_be_opened_is_named_beside_what_can(place, reason):
    with pytest.raises(ValueError, match="memory, the path of a journal file") as found:
        open_storage(place)
    message = str(found.value)
    assert message.startswith(f"storage '{place}' cannot be opened: ") and reason in message
    assert "\n" not in message
