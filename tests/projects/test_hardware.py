import os
from types import SimpleNamespace

import psutil
import pytest
import torch

from projects import hardware


@pytest.mark.parametrize(
    ("count", "threads", "expected"), [(1, 1, 1), (8, 1, 8), (8, 3, 2), (2, 4, 1), (None, 1, 1)]
)
def test_processes_times_threads_fill_the_processors(count, threads, expected, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: count)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert hardware.device() == torch.device("cpu")
    assert hardware.threads() == threads
    assert hardware.processors() == expected


@pytest.mark.parametrize(("each", "expected"), [(10, 8), (30, 3), (99, 1), (101, 1), (0, 8)])
def test_there_are_no_more_processes_than_memory_for_them(each, expected, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=100))
    assert hardware.processors(each) == expected


def test_a_graphics_card_is_used_by_one_process(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert hardware.device() == torch.device("cuda")
    assert hardware.processors() == 1
