"""What each of two processes does for test_distributed.py; started by torchrun.

Called with a folder, it leaves there what every process found, rank 0's and rank 1's.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from facelab_models import distributed
from facelab_models.batches import Batches
from facelab_models.network import NetworkSpec, build
from facelab_models.tasks import join
from facelab_models.training import FitConfig, fit

from tests.packages.models.conftest import CLASSES, LIVELY, NUMBERS

PLAN = FitConfig(
    trained="all",
    epochs=2,
    optimizer="sgd",
    lr=0.01,
    momentum=0.9,
    weight_decay=0.05,
    schedule="plateau",
    warmup=0.0,
    drop=0.1,
    drop_epochs=1,
    label_smoothing=0.1,
    checkpoints=(1.0,),
)


def network(seed=0):
    tasks = join({"identity": CLASSES, "mood": CLASSES}) | {"pose": NUMBERS}
    spec = NetworkSpec(trunk="resnet6_thin", tasks=tasks, mean=(0.5,) * 3, std=(0.25,) * 3)
    return build(spec, seed=seed)


def dealer():
    """Give 21 images in batches of 7, with labels missing here and there, in one part or both."""
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(21, 32, 32, 3), dtype=np.uint8)
    identity, mood = np.arange(21) % 4, np.arange(21) % 3
    identity[::2], mood[:15] = -1, -1
    pose = rng.normal((30, -2), 1, size=(21, 2))
    pose[4:9] = np.nan
    targets = {"identity": identity, "mood": mood, "pose": pose}
    return Batches(images, targets, batch_size=7, augment=LIVELY, seed=0, device="cpu")


def blow_up():
    """Train on a number that only the last process ever sees."""
    net, batches = network(), dealer()
    batches.targets["pose"][:] = torch.inf if distributed.rank() else 1.0
    try:
        list(fit(net, batches, PLAN))
    except FloatingPointError as error:
        return str(error)
    return "nothing"


def normalise(maps):
    """Give the output, gradients and running statistics of a shared batch norm, of my part."""
    rows = distributed.portion(np.arange(len(maps)))
    mine = maps[rows].clone().requires_grad_()
    net = torch.nn.Sequential(torch.nn.BatchNorm2d(4))
    torch.nn.init.uniform_(net[0].weight, generator=torch.Generator().manual_seed(1))
    replica = distributed.replicate(net.double())
    answer = replica(mine)
    (answer.square() * torch.arange(8.0).view(2, 4, 1, 1)[0]).sum().mul(
        distributed.size()
    ).backward()
    return {
        "answer": answer.detach(),
        "gradient": mine.grad / distributed.size(),
        "weight": net[0].weight.grad,
        "state": net.state_dict(),
    }


def maps():
    return torch.randn(5, 4, 3, 3, generator=torch.Generator().manual_seed(0)).double() * 3 + 1


def main(folder):
    with distributed.together(torch.device("cpu")):
        torch.set_num_threads(1)
        rank = distributed.rank()
        net = network(seed=rank)  # the first process's weights are everybody's
        records = fit(net, dealer(), PLAN)
        first = next(records)
        state = first.state()
        rest = [record.losses for record in records]
        again = network(seed=5)
        resumed = [record.losses for record in fit(again, dealer(), PLAN, state=state)]
        found = {
            "weights": net.state_dict(),
            "losses": [first.losses, *rest],
            "resumed": again.state_dict(),
            "resumed losses": resumed,
            "blown": blow_up(),
            "norm": normalise(maps()),
            "said": distributed.from_first(f"by {rank}"),
            "total": distributed.total(torch.tensor([1.0, rank])),
            "size": distributed.size(),
        }
        torch.save(found, Path(folder) / f"{rank}.pt")


if __name__ == "__main__":
    main(sys.argv[1])
