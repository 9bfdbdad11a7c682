"""What the training loop adds to the steps it takes, beside a bare PyTorch loop and Lightning."""

import copy
import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from types import ModuleType

import numpy as np
import torch
import torch.nn.functional as F
from facelab_models.augmentation import STILL
from facelab_models.batches import Batches
from facelab_models.kinds import TaskSpec
from facelab_models.network import FaceNet, NetworkSpec, build
from facelab_models.schedules import Drops, share
from facelab_models.training import FitConfig, fit
from torch import Tensor, nn

from benchmarks.table import Row, missing
from benchmarks.timing import compare, peer, spread, take_turns

BARE, LIGHTNING = "bare PyTorch loop", "Lightning"
OVERHEAD = 1.05
CLASSES, EPOCHS = 10, 2
CONFIG = FitConfig(
    trained="all",
    epochs=EPOCHS,
    optimizer="adamw",
    lr=0.001,
    momentum=0.9,
    weight_decay=0.05,
    schedule="cosine",
    warmup=0.1,
    drop=0.1,
    drop_epochs=1,
    label_smoothing=0.1,
    checkpoints=(),
)


@dataclass(frozen=True, kw_only=True)
class Size:
    """Images to learn from."""

    images: int
    px: int
    repeats: int


FULL = Size(images=2000, px=64, repeats=7)
TOY = Size(images=64, px=16, repeats=1)


def measure(size: Size) -> list[Row]:
    """Compare time, and the weights that the same steps lead to."""
    batches, net = _batches(size), _network()
    trained: dict[str, FaceNet] = {}
    loops: dict[str, Callable[[FaceNet, Batches], None]] = {"facelab": _fit, BARE: _bare}
    lightning = peer("lightning")
    if lightning:
        _hush()
        module = _module(lightning)
        loops[LIGHTNING] = lambda net, batches: _trainer(lightning).fit(module(net), batches)

    def job(name: str) -> Callable[[], None]:
        def run() -> None:
            trained[name] = copy.deepcopy(net)
            loops[name](trained[name], batches)

        return run

    seconds = take_turns({name: job(name) for name in loops}, size.repeats)
    ours, told = seconds.pop("facelab"), f"3 convolutions, {size.images} images of {size.px} px"
    rows = [
        Row(
            job=f"train, {EPOCHS} epochs",
            size=told,
            facelab=f"{np.median(ours):.2f} s",
            peer=name,
            theirs=f"{np.median(theirs):.2f} s",
            ratio=compare(theirs, ours),
            agreement=f"weights ≤ {_apart(trained['facelab'], trained[name]):.0e}",
            **(_overhead(theirs, ours) if name == BARE else {}),
        )
        for name, theirs in seconds.items()
    ]
    return rows if lightning else [*rows, missing(f"train, {EPOCHS} epochs", told, LIGHTNING)]


def _overhead(bare: np.ndarray, ours: np.ndarray) -> dict[str, object]:
    over = spread(ours / bare).median
    return {"target": f"facelab ≤ {OVERHEAD:.2f}×, is {over:.3f}×", "met": over <= OVERHEAD}


def _fit(net: FaceNet, batches: Batches) -> None:
    for _ in fit(net, batches, CONFIG):
        pass


def _bare(net: FaceNet, batches: Batches) -> None:
    """Take the same steps in the fewest lines."""
    net.train()
    optimizer, total = _optimizer(net), EPOCHS * len(batches)
    step = 0
    for epoch in range(EPOCHS):
        for images, targets in batches(epoch):
            for group in optimizer.param_groups:
                group["lr"] = CONFIG.lr * _share(step, total)
            loss = _loss(net, images, targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1


def _module(lightning: ModuleType) -> Callable[[FaceNet], nn.Module]:
    """Write the training as Lightning wants it."""

    class Module(lightning.LightningModule):
        """A network, its loss and its optimizer."""

        def __init__(self, net: FaceNet) -> None:
            super().__init__()
            self.net = net

        def training_step(self, batch: tuple[Tensor, dict[str, Tensor]], _: int) -> Tensor:
            return _loss(self.net, *batch)

        def configure_optimizers(self) -> dict[str, object]:
            optimizer, total = _optimizer(self.net), self.trainer.estimated_stepping_batches
            shares = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _share(step, total))
            return {
                "optimizer": optimizer,
                "lr_scheduler": {"scheduler": shares, "interval": "step"},
            }

    return lambda net: Module(net.train())


def _trainer(lightning: ModuleType) -> object:
    return lightning.Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def _loss(net: FaceNet, images: Tensor, targets: dict[str, Tensor]) -> Tensor:
    answers = net(images)["identity"]
    return F.cross_entropy(answers, targets["identity"], label_smoothing=CONFIG.label_smoothing)


def _share(step: int, total: int) -> float:
    drops = Drops(factor=CONFIG.drop, epochs=CONFIG.drop_epochs)
    done = (step + 0.5) / total
    return share(CONFIG.schedule, done, warmup=CONFIG.warmup, history=[], drops=drops)


def _optimizer(net: FaceNet) -> torch.optim.Optimizer:
    groups = [
        {"params": [p for p in net.parameters() if p.ndim > 1], "weight_decay": 0.05},
        {"params": [p for p in net.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=CONFIG.lr, fused=True)


def _network() -> FaceNet:
    """Build a network whose trunk is three convolutions."""
    task = TaskSpec(kind="categorical", outputs=CLASSES, weight=1.0)
    spec = NetworkSpec(
        trunk="resnet6_thin", tasks={"identity": task}, mean=(0.5,) * 3, std=(0.25,) * 3
    )
    net = build(spec, seed=0)
    torch.manual_seed(0)
    widths = (3, 16, 32, net.heads["identity"].in_features)
    steps = [
        part
        for before, after in pairwise(widths)
        for part in (nn.Conv2d(before, after, 3, 2, 1), nn.ReLU())
    ]
    net.trunk = nn.Sequential(*steps, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return net.to(memory_format=torch.channels_last)


def _batches(size: Size) -> Batches:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (size.images, size.px, size.px, 3), np.uint8)
    targets = {"identity": rng.integers(0, CLASSES, size.images)}
    return Batches(images, targets, batch_size=32, augment=STILL, seed=0, device="cpu")


def _apart(one: FaceNet, other: FaceNet) -> float:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return max(float((a - b).detach().abs().max()) for a, b in pairs)


def _hush() -> None:
    """Keep Lightning from commenting on each start."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")
