import subprocess
import sys

import pytest
from facelab_data.aside import aside, reserve


def test_a_file_appears_when_it_is_finished_and_not_before(tmp_path):
    target = tmp_path / "new" / "report.txt"
    with aside(target) as part:
        part.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert list(target.parent.iterdir()) == [target]


def test_after_an_error_the_old_file_is_still_there_and_nothing_else(tmp_path):
    target = tmp_path / "report.txt"
    target.write_text("old")
    with pytest.raises(KeyError), aside(target) as part:
        part.write_text("half")
        raise KeyError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_place_that_cannot_be_written_is_named_in_one_line(tmp_path):
    (tmp_path / "file").touch()
    place = tmp_path / "file" / "report.txt"
    with pytest.raises(OSError, match=rf"cannot write {place}: ") as error, aside(place):
        pass
    assert "\n" not in str(error.value)


def test_a_reservation_beyond_the_limit_is_refused(tmp_path):
    limited = (
        "import resource, pathlib, sys\n"
        "from facelab_data.aside import aside, reserve\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))\n"
        "with aside(pathlib.Path(sys.argv[1])) as part:\n"
        "    reserve(part, int(sys.argv[2]))\n"
    )
    for size, outcome in [(9_000, 0), (11_000, 1)]:
        place = tmp_path / str(size)
        run = subprocess.run(
            [sys.executable, "-c", limited, str(place), str(size)], capture_output=True, text=True
        )
        assert run.returncode == outcome
        assert place.exists() == (outcome == 0)
        assert ("cannot write" in run.stderr) == (outcome == 1)


def test_a_reservation_keeps_what_was_written(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    reserve(tmp_path / "file", 1000)
    assert (tmp_path / "file").read_bytes()[:3] == b"abc"
    assert (tmp_path / "file").stat().st_size == 1000
