"""What a network answers, and how well."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from facelab_models.batches import Batch
from facelab_models.kinds import TASKS, accuracy_among_own
from facelab_models.network import FaceNet


def evaluate(net: FaceNet, batches: Iterable[Batch]) -> dict[str, dict[str, float]]:
    """Score every task that the batches have targets for.

    The network's mode is restored. A task without a single label scores nan.

    Parameters
    ----------
    net : FaceNet
    batches : iterable of (images, targets)
        `Batches` itself, unaltered and in order; or any transform of it, such as faces turned over.

    Returns
    -------
    scores : dict of task to dict
        `loss`, without label smoothing or margin, and the measure of the task's kind (accuracy,
        r2, circular_r2). Of a task in a joined classifier `accuracy` is over all classes, and
        `accuracy_among_own` over the task's.
    """
    outputs: dict[str, list[Tensor]] = {}
    targets: dict[str, list[Tensor]] = {}
    for answers, truth in _answers(net, batches):
        for task in answers.keys() & truth.keys():
            outputs.setdefault(task, []).append(answers[task])
            targets.setdefault(task, []).append(truth[task])
    scores = {}
    for task, spec in net.spec.tasks.items():
        if task in outputs:
            kind = TASKS[spec.kind]
            answer, truth = torch.cat(outputs[task]), torch.cat(targets[task])
            total, count = kind.cost(answer, truth, spec, None)
            scores[task] = {
                "loss": (total / count.clamp(min=1)).item(),
                kind.measure: kind.score(answer, truth, spec),
            }
            if spec.head:
                scores[task]["accuracy_among_own"] = accuracy_among_own(answer, truth, spec)
    return scores


def predict(net: FaceNet, batches: Iterable[Batch]) -> dict[str, np.ndarray]:
    """Return each task's answers (N, outputs), float32, in the order of the images.

    Logits of classes (of all classes, from a joined classifier), cosines, or values in the
    factor's own unit. The network's mode is restored.
    """
    answers = [answers for answers, _ in _answers(net, batches)]
    return {task: torch.cat([batch[task] for batch in answers]).numpy() for task in net.spec.tasks}


def _answers(net: FaceNet, batches: Iterable[Batch]) -> Iterator[Batch]:
    """Yield the answers to each batch, and its targets, both on the processor."""
    device = next(net.parameters()).device
    with _evaluating(net), torch.inference_mode():
        for images, targets in tqdm(batches, desc="evaluating", unit="batch", delay=2, leave=False):
            answers = net(images.to(device))
            yield _on_cpu(answers), _on_cpu(targets)


def _on_cpu(values: dict[str, Tensor]) -> dict[str, Tensor]:
    return {task: value.cpu() for task, value in values.items()}


@contextmanager
def _evaluating(net: FaceNet) -> Iterator[None]:
    was_training = net.training
    net.eval()
    try:
        yield
    finally:
        net.train(was_training)
