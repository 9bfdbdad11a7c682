"""The rows of the table ``networks`` in params.yaml: what is trained, on what, and how."""

import math
from dataclasses import dataclass

from facelab_models.augmentation import Augment
from facelab_models.stopping import Stop
from facelab_models.training import FitConfig

from projects.material import Task

CLASSIFIERS = ("separate", "joined")


@dataclass(frozen=True, kw_only=True)
class Network:
    """A row of ``networks`` in params.yaml.

    Attributes
    ----------
    stimuli : str
        A row of ``stimuli``.
    trunk : str
        A key of `facelab_models.network.TRUNKS`, torchvision:name or module:function.
    weights : str
        A file of weights to begin with, see `facelab_models.weights`; "" begins from nothing. It is
        known by its name: give another file another name.
    weights_scale : float
        By which the activations of a network that begins from weights are divided, see
        `facelab_models.scaling`: 1, or about 58 if they were learned from pixels of 0 … 255.
    branch : str
        Layer of the trunk after which each task has a copy of the rest; "" for none.
    size_px : int
        To which the network resizes its images; 0 takes them as they come.
    tasks : dict of str to Task
        Factors to learn.
    classifier : str
        ``separate`` gives each task a head; ``joined`` gives the categorical ones a single
        classifier over all their classes.
    seeds : tuple of int
        One training for each.
    mean, std : tuple of float, (3,)
        With which the network normalises its input.
    views : dict of str to float
        How images are shown, and the share of each view.
    batch_size : int
        Over all processes.
    stop : Stop or None
        When to end before the last epoch.
    save_every_s : float
        Seconds of training that a kill may cost, at most (and two epochs' ends).
    """

    stimuli: str
    trunk: str
    weights: str
    weights_scale: float
    branch: str
    size_px: int
    tasks: dict[str, Task]
    classifier: str
    seeds: tuple[int, ...]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    views: dict[str, float]
    batch_size: int
    augment: Augment
    fit: FitConfig
    stop: Stop | None
    save_every_s: float

    def __post_init__(self) -> None:
        if self.classifier not in CLASSIFIERS:
            choices = ", ".join(CLASSIFIERS)
            raise ValueError(f"unknown classifier '{self.classifier}'; choose from {choices}")
        if not self.seeds:
            raise ValueError("a network needs at least one seed")
        if min(self.seeds) < 0 or len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds are 0 or more, each once, not {list(self.seeds)}")
        if not all(0 < value < math.inf for value in self.std):
            raise ValueError(f"std is above 0, not {list(self.std)}")
        if not (self.size_px >= 0 and self.save_every_s >= 0):
            told = f"{self.size_px} and {self.save_every_s}"
            raise ValueError(f"size_px and save_every_s are 0 or more, not {told}")
        if not 0 < self.weights_scale < math.inf:
            raise ValueError(f"weights_scale is above 0, not {self.weights_scale}")
        if self.batch_size < 1:
            raise ValueError(f"batch_size is 1 or more, not {self.batch_size}")
