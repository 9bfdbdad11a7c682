"""Several processes at one kind of task; none outlives the one that started them."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
AHEAD = 2  # tasks handed out per process, so that none waits for work


def spread(task: Callable[..., T], jobs: Iterable[tuple], workers: int) -> Iterator[T]:
    """Call `task` with the arguments of every job; yield what it returns as it gets done.

    Jobs are taken from the iterable only as processes become free. Each process has one thread
    for arithmetic. With one worker everything happens in this process.

    Parameters
    ----------
    task : callable
        A function of a module (it is sent by name).

    Raises
    ------
    RuntimeError
        When a process was killed. Whatever `task` raises is raised here too.
    """
    if workers == 1:
        yield from (task(*job) for job in jobs)
        return
    jobs = iter(jobs)
    with _one_thread_each(), _main_unknown():
        spawn = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(workers, mp_context=spawn, initializer=_begin)
        try:
            pending = {pool.submit(task, *job) for job in islice(jobs, AHEAD * workers)}
            while pending:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    pending |= {pool.submit(task, *job) for job in islice(jobs, 1)}
                    yield future.result()
        except BrokenProcessPool:
            message = "a process was killed from outside (is there enough memory?)"
            raise RuntimeError(message) from None
        finally:
            pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """Prepare a new process: let the parent deal with Ctrl-C, and die when the parent does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Set the environment that new processes inherit; libraries read it when they are loaded."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _main_unknown() -> Iterator[None]:
    """Keep new processes from loading the program that starts them, and all that it needs."""
    main = sys.modules["__main__"]
    before = {name: main.__dict__.pop(name, None) for name in ("__spec__", "__file__")}
    main.__spec__ = None
    try:
        yield
    finally:
        main.__dict__.update({name: value for name, value in before.items() if value is not None})
