"""What training makes small: the weighted sum of the losses of all tasks."""

import torch
from torch import Tensor

from facelab_models import distributed
from facelab_models.kinds import TASKS, TaskSpec


def joint_loss(
    outputs: dict[str, Tensor],
    targets: dict[str, Tensor],
    specs: dict[str, TaskSpec],
    label_smoothing: float | None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Weigh and add the losses of all tasks; return the sum and the unweighted losses.

    A task's loss is the mean over its labels. Of several processes each returns its share: the
    losses add up to those of the whole batch. Raises ValueError if the targets lack a task.
    """
    if missing := [task for task in specs if task not in targets]:
        raise ValueError(f"no targets for task '{missing[0]}'; there are {', '.join(targets)}")
    totals, counts = {}, []
    for task, spec in specs.items():
        answer, truth = outputs[task], targets[task]
        totals[task], count = TASKS[spec.kind].cost(answer, truth, spec, label_smoothing)
        counts.append(count)
    shared = distributed.total(torch.stack(counts)).clamp(min=1)
    losses = {
        task: total / count for (task, total), count in zip(totals.items(), shared, strict=True)
    }
    return torch.stack([specs[task].weight * loss for task, loss in losses.items()]).sum(), losses
