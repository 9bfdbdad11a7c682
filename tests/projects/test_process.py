import json
import os
import signal
import subprocess
import sys

import pytest

from projects import process

SLEEP = "import time; print('up', flush=True); time.sleep(60)"
CLAIM = """
import sys, time
from pathlib import Path
from projects import process
with process.claim(Path(sys.argv[1])):
    print("up", flush=True)
    time.sleep(60)
"""
FOLLOW = """
import time
from projects import process
process.heed_signals()
process.follow_starters()
try:
    print("up", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print("closed", flush=True)
"""


@pytest.fixture
def start():
    children = []

    def run(program, *words, **env):
        path = os.pathsep.join([str(process.ROOT), os.environ.get("PYTHONPATH", "")])
        child = subprocess.Popen(
            [sys.executable, "-c", program, *words],
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": path} | env,
            text=True,
        )
        children.append(child)
        assert child.stdout.readline() == "up\n"
        return child

    yield run
    for child in children:
        child.kill()
        child.wait()


@pytest.fixture
def other(start):
    return start(SLEEP)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(process, "PATIENCE_S", 1)


def name_of(child):
    return {"number": child.pid, "born": process._born(process.psutil.Process(child.pid))}


def test_a_living_process_is_found_after_the_clock_was_set(other, monkeypatch):
    name, booted = name_of(other), process.psutil.boot_time()
    monkeypatch.setattr(process.psutil._psplatform, "boot_time", lambda: booted + 60)
    assert process.find(**name).pid == other.pid


def test_a_living_process_is_found_and_a_dead_one_is_not(other):
    name = name_of(other)
    assert process.find(**name)
    other.kill()
    other.wait()
    assert process.find(**name) is None


def test_another_process_with_the_same_number_is_not_the_one_meant():
    assert process.find(os.getpid(), "0.00") is None


def test_a_run_of_this_process_is_alive_and_of_another_machine_not_ours_to_judge():
    mine = process.tags()
    assert not process.is_dead(mine)
    assert process.is_dead(mine | {"process.born": "0.00"})
    assert not process.is_dead(mine | {"process.born": "0.00", "process.host": "elsewhere"})
    assert not process.is_dead(mine | {"process.born": "0.00", "process.root": "/another/clone"})


def test_an_orphan_that_does_not_stop_by_itself_is_ended(start, tmp_path, monkeypatch):
    orphan = start(CLAIM, str(tmp_path), DVC_STAGE="train@identity")
    monkeypatch.setenv("DVC_STAGE", "train@identity")
    with process.claim(tmp_path):
        assert orphan.poll() is not None


def test_two_stages_by_hand_do_not_write_beside_each_other(start, tmp_path, monkeypatch):
    monkeypatch.delenv("DVC_STAGE", raising=False)
    other = start(CLAIM, str(tmp_path))
    with (
        pytest.raises(BlockingIOError, match=f"already running as process {other.pid}"),
        process.claim(tmp_path),
    ):
        pass
    assert other.poll() is None


def test_a_pipeline_does_not_end_what_was_started_by_hand(start, tmp_path, monkeypatch):
    other = start(CLAIM, str(tmp_path))
    monkeypatch.setenv("DVC_STAGE", "train@identity")
    with pytest.raises(BlockingIOError, match="already running"), process.claim(tmp_path):
        pass
    assert other.poll() is None


def test_a_claim_ends_with_its_process(start, tmp_path):
    other = start(CLAIM, str(tmp_path))
    other.kill()
    with process.claim(tmp_path):
        assert json.loads((tmp_path / "claim").read_text())["number"] == os.getpid()


def test_what_a_killed_driver_started_is_waited_for(start, tmp_path):
    """Its child holds the claim, and goes on for longer than a living holder is waited for."""
    driver = start(
        f"""
import subprocess, sys
from pathlib import Path
from projects import process
with process.claim(Path(sys.argv[1])) as claim:
    subprocess.Popen(["sleep", "4"], pass_fds=[claim.fileno()])
    print("up", flush=True)
    {SLEEP}
""",
        str(tmp_path),
    )
    driver.kill()
    driver.wait()
    with process.claim(tmp_path):
        assert json.loads((tmp_path / "claim").read_text())["number"] == os.getpid()


def test_a_claim_ends_when_the_work_does(tmp_path):
    for _ in range(2):
        with process.claim(tmp_path):
            pass


def test_what_has_lost_its_driver_unwinds_and_stops(start, other):
    child = start(FOLLOW, **{process.DRIVER: json.dumps(name_of(other))})
    assert child.poll() is None
    other.kill()
    other.wait()
    assert child.stdout.readline() == "closed\n"
    assert child.wait(10) == 0


def test_what_dvc_started_stops_with_it(tmp_path, start):
    """DVC is the nearest process above the stage whose environment names no stage."""
    dvc = f"""
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {FOLLOW!r}],
                         env=os.environ | {{"DVC_STAGE": "train@identity"}})
child.wait()
"""
    parent = start(dvc)
    parent.kill()
    assert parent.stdout.readline() == "closed\n"


def test_what_nobody_started_watches_nobody(start):
    child = start(FOLLOW)
    child.send_signal(signal.SIGTERM)
    assert child.stdout.readline() == "closed\n"


LEAVE = """
import time
from projects import process
process.heed_signals()
process.disregard_signals()
print("up", flush=True)
time.sleep(1)
print("left", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_what_is_leaving_is_not_interrupted(start, number):
    child = start(LEAVE)
    child.send_signal(number)
    assert child.communicate() == ("left\n", None)
    assert child.returncode == 0
