"""What the machine has to calculate with."""

import os

import torch


def device() -> torch.device:
    """Give the graphics card when there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def threads() -> int:
    """Say how many threads this process calculates with."""
    return torch.get_num_threads()


def processors() -> int:
    """Say how many processes of a stage can calculate at a time: on a graphics card, one."""
    if device().type != "cpu":
        return 1
    return max((os.cpu_count() or 1) // threads(), 1)
