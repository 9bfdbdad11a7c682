import json
import os
import subprocess
import sys

import pytest

from projects import process

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]


@pytest.fixture
def other():
    child = subprocess.Popen(SLEEP, stdout=subprocess.PIPE)
    child.stdout.readline()
    yield child
    child.kill()
    child.wait()


def note_of(child, folder, *, pipeline):
    born = process._born(process.psutil.Process(child.pid))
    mine = {"process": {"number": child.pid, "born": born}, "pipeline": pipeline}
    (folder / "process.json").write_text(json.dumps(mine))


def test_a_living_process_is_found_and_a_dead_one_is_not(other):
    born = process._born(process.psutil.Process(other.pid))
    assert process.find(other.pid, born)
    other.kill()
    other.wait()
    assert process.find(other.pid, born) is None


def test_another_process_with_the_same_number_is_not_the_one_meant():
    assert process.find(os.getpid(), "0.00") is None


def test_a_run_of_this_process_is_alive_and_of_another_machine_not_ours_to_judge():
    mine = process.tags()
    assert not process.is_dead(mine)
    assert process.is_dead(mine | {"process.born": "0.00"})
    assert not process.is_dead(mine | {"process.born": "0.00", "process.host": "elsewhere"})
    assert not process.is_dead(mine | {"process.born": "0.00", "process.root": "/another/clone"})


def test_an_orphan_of_a_killed_pipeline_is_ended(other, tmp_path, monkeypatch):
    monkeypatch.setenv("DVC_STAGE", "train@identity")
    note_of(other, tmp_path, pipeline=True)
    born = process._born(process.psutil.Process(other.pid))
    process.claim(tmp_path)
    assert process.find(other.pid, born) is None


def test_two_stages_by_hand_do_not_write_beside_each_other(other, tmp_path, monkeypatch):
    monkeypatch.delenv("DVC_STAGE", raising=False)
    note_of(other, tmp_path, pipeline=False)
    with pytest.raises(BlockingIOError, match=f"already running as process {other.pid}"):
        process.claim(tmp_path)
    assert other.poll() is None


def test_a_claim_of_a_dead_process_is_taken_over(other, tmp_path):
    note_of(other, tmp_path, pipeline=False)
    other.kill()
    other.wait()
    note = process.claim(tmp_path)
    assert json.loads(note.read_text())["process"]["number"] == os.getpid()


def test_half_a_note_is_taken_over(tmp_path):
    (tmp_path / "process.json").write_text("")
    assert process.claim(tmp_path).exists()
