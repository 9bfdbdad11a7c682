import os
import signal
import subprocess
import sys
import time
from itertools import count

import psutil
import pytest
from facelab_data.processes import spread, tell


def square(number):
    return number * number


def process_and_threads(_):
    return os.getpid(), os.environ["OMP_NUM_THREADS"], os.environ["NUMBA_NUM_THREADS"]


def refuse(number):
    if number == 3:
        raise LookupError("not this one")
    return number


def die(_):
    os.kill(os.getpid(), signal.SIGKILL)


def sleep_for_ever(_):
    time.sleep(1000)


def tell_twice(number):
    tell((number, "begins"))
    tell((number, "x" * 5000))
    return number


def sleep_unless_0(number):
    time.sleep(1000 * number)
    return number


@pytest.mark.parametrize("workers", [1, 2])
def test_what_tasks_tell_is_heard_before_they_are_done(workers):
    heard, done = [], []
    for number in spread(tell_twice, ((n,) for n in range(6)), workers, hear=heard.append):
        done.append(number)
        assert {(number, "begins"), (number, "x" * 5000)} <= set(heard)
    assert sorted(done) == list(range(6))
    assert len(heard) == 12


def test_nobody_need_listen():
    assert list(spread(tell_twice, [(1,)], 1)) == [1]
    assert list(spread(tell_twice, [(1,), (2,)], 2)) in ([1, 2], [2, 1])
    tell("nothing comes of it")


def test_processes_stop_when_nobody_waits_for_them_any_more():
    began = time.monotonic()
    results = spread(sleep_unless_0, ((n,) for n in range(2)), 2)
    assert next(results) == 0
    results.close()
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("workers", [1, 2])
def test_every_job_is_done_once(workers):
    assert sorted(spread(square, ((n,) for n in range(20)), workers)) == [n * n for n in range(20)]


@pytest.mark.parametrize("options", [{}, {"threads": 3}])
def test_others_do_the_work_with_their_threads_and_this_process_is_left_as_it_was(options):
    before, expected = dict(os.environ), str(options.get("threads", 1))
    seen = list(spread(process_and_threads, ((n,) for n in range(8)), 2, **options))
    assert os.getpid() not in {process for process, *_ in seen}
    assert {tuple(threads) for _, *threads in seen} == {(expected, expected)}
    assert dict(os.environ) == before


@pytest.mark.parametrize("workers", [1, 2])
def test_what_goes_wrong_in_a_process_is_raised_here(workers):
    with pytest.raises(LookupError, match="not this one"):
        list(spread(refuse, ((n,) for n in range(5)), workers))


def test_a_process_that_was_killed_is_reported_in_one_line():
    with pytest.raises(RuntimeError, match="a process was killed from outside") as error:
        list(spread(die, ((n,) for n in range(3)), 2))
    assert "\n" not in str(error.value)


def test_jobs_are_taken_only_as_they_are_needed():
    taken = count()
    results = spread(square, ((next(taken),) for _ in range(1000)), 2)
    next(results)
    assert next(taken) < 10
    results.close()


def test_processes_die_with_the_one_that_started_them():
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from facelab_data.processes import spread\n"
            "from tests.packages.data.test_processes import sleep_for_ever\n"
            "list(spread(sleep_for_ever, ((n,) for n in range(4)), 2))",
        ],
    )
    workers = wait_for(lambda: working(parent.pid))
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive


def working(parent):
    """Find the two processes at work, once both have begun to sleep."""
    children = psutil.Process(parent).children()
    workers = [child for child in children if "spawn_main" in " ".join(child.cmdline())]
    # The watching thread runs beside the main one.
    return workers if sum(child.num_threads() >= 2 for child in workers) == 2 else []


def wait_for(condition):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise TimeoutError


def test_new_processes_do_not_load_the_program_that_starts_them(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "import os\n"
        "from facelab_data.processes import spread\n"
        "print('loaded', flush=True)\n"
        "if __name__ == '__main__':\n"
        "    print(sorted(spread(os.path.basename, [('a/b',), ('c/d',)], 2)), __file__)\n"
    )
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n") == ["loaded", f"['b', 'd'] {program}", ""]
