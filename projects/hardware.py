"""What the machine has to calculate with."""

import os

import psutil
import torch


def device() -> torch.device:
    """Give the graphics card when there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def threads() -> int:
    """Say how many threads this process calculates with."""
    return torch.get_num_threads()


def processors(each_bytes: int = 0) -> int:
    """Say how many processes of a stage can calculate at a time: on a graphics card, one.

    No more than there is free memory for, where each takes `each_bytes`.
    """
    if device().type != "cpu":
        return 1
    count = (os.cpu_count() or 1) // threads()
    if each_bytes:
        count = min(count, psutil.virtual_memory().available // each_bytes)
    return max(count, 1)
