"""When a training has gone on long enough.

A rule looks at one score, epoch by epoch, and at nothing else: a training that resumes finds the
same answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Stop:
    """End a training early.

    Attributes
    ----------
    metric : str
        What to look at, named as in the metrics: task, split and measure, such as
        ``identity/validation_loss``. A loss is better when low, everything else when high.
    at : float or None
        Value that is good enough.
    patience_epochs : int or None
        Epochs that are borne without a better value.
    """

    metric: str
    at: float | None
    patience_epochs: int | None

    def __post_init__(self) -> None:
        split, _, measure = self.metric.partition("/")[2].partition("_")
        if not (split and measure and self.metric.partition("/")[0]):
            raise ValueError(f"a metric is named task/split_measure, not '{self.metric}'")
        if self.at is None and self.patience_epochs is None:
            raise ValueError("a stop needs a value (at), a patience (patience_epochs), or both")
        if self.patience_epochs is not None and self.patience_epochs < 0:
            raise ValueError(f"patience_epochs is 0 or more, not {self.patience_epochs}")


def is_over(values: Sequence[float], stop: Stop) -> bool:
    """Tell whether a training with these values at its epochs' ends has gone on long enough."""
    if not len(values):
        return False
    is_loss = stop.metric.endswith("_loss")
    sign = -1 if is_loss else 1
    goodness = sign * np.nan_to_num(np.asarray(values, dtype=float), nan=-sign * np.inf)
    if stop.at is not None and goodness[-1] >= sign * stop.at:
        return True
    waited = len(goodness) - 1 - int(goodness.argmax())
    return stop.patience_epochs is not None and waited > stop.patience_epochs
