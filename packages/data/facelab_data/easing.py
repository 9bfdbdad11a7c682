"""Going from one value to another without a corner."""

import numpy as np


def smoothstep(low: float, high: float, x: np.ndarray) -> np.ndarray:
    """Rise smoothly from 0 at `low` to 1 at `high`; fall, if `high` is the lower one.

    >>> smoothstep(0.0, 1.0, np.array([-1.0, 0.5, 2.0]))
    array([0. , 0.5, 1. ])
    """
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
