import errno
from pathlib import Path

import pytest

from projects import publication


def test_results_move_to_another_disk(tmp_path, monkeypatch):
    replace, elsewhere = Path.replace, tmp_path / "elsewhere/a"

    def refuse(source, target):
        if elsewhere.parent not in source.parents:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return replace(source, target)

    (tmp_path / "made").mkdir()
    (tmp_path / "made/net.pt").write_text("net")
    elsewhere.parent.mkdir()
    monkeypatch.setattr(Path, "replace", refuse)
    publication.move(tmp_path / "made", elsewhere)
    assert [path.name for path in elsewhere.parent.iterdir()] == ["a"]
    assert (elsewhere / "net.pt").read_text() == "net"


def test_half_a_move_to_another_disk_is_taken_back(tmp_path, monkeypatch):
    def refuse(source, target):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    def fill(source, target):
        target.mkdir()
        (target / "net.pt").write_text("n")
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "made").mkdir()
    (tmp_path / "there").mkdir()
    monkeypatch.setattr(Path, "replace", refuse)
    monkeypatch.setattr(publication.shutil, "copytree", fill)
    with pytest.raises(OSError, match="No space left"):
        publication.move(tmp_path / "made", tmp_path / "there/a")
    assert not list((tmp_path / "there").iterdir())


def test_a_full_disk_is_named():
    with (
        pytest.raises(OSError, match=f"the disk of {Path.cwd()} is full"),
        publication.disk_named(),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
