"""A trained network and the images it looks at, as it looks at them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from facelab_data.stimuli import Stimuli
from facelab_models.network import FaceNet, Normalise
from facelab_probing.fields import Field, theoretical
from facelab_probing.occlusion import Subject, prepare
from facelab_probing.responses import as_tensor

from projects import stage, trained
from projects.material import pixels

BLOCK = 64
ALL = "all"


@dataclass(frozen=True, eq=False, kw_only=True)
class Viewer:
    """A network at one moment of its training, and images.

    Attributes
    ----------
    path : Path
        Of the checkpoint. To another process this is sent and the network is not, which may not
        be made to travel; it must be as it was read.
    net : FaceNet
    facts : dict
        What its checkpoint says: ``seed``, ``epoch``, ``classes``.
    made : Stimuli
    rows : int array, (N,)
        Ids of the images.
    weights : str
        The file that training began from, if any.
    """

    path: Path
    net: FaceNet
    facts: dict
    made: Stimuli
    rows: np.ndarray
    weights: str

    def __reduce__(self) -> tuple:
        """Say how another process comes by this."""
        return _reopen, (self.path, self.net.spec.trunk, self.made, self.rows, self.weights)

    @property
    def state(self) -> str:
        """Say whether the network has learned anything, here or elsewhere."""
        return "trained" if self.facts["epoch"] or self.weights else "untrained"

    @property
    def name(self) -> str:
        """Name the folder of its portraits."""
        return f"seed-{self.facts['seed']}/epoch-{self.facts['epoch']:08.3f}"

    @property
    def size_px(self) -> tuple[int, int]:
        """Height and width of what the first layer sees."""
        side = self.net.spec.size_px
        return (side, side) if side else self.made.size_px

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Read the images some at a time, as they are on disk: ids and images."""
        for start in range(0, len(self.rows), BLOCK):
            rows = self.rows[start : start + BLOCK]
            yield rows, pixels(self.made, rows, self.net.eyes)

    def see(self, image: int) -> np.ndarray:
        """Give an image (C, H, W) in [0, 1], of the size that the network works at."""
        shown = as_tensor(self.net, pixels(self.made, np.array([image]), self.net.eyes))
        eyes, side = self.net.eyes, self.net.spec.size_px
        bare = Normalise((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), eyes=eyes, size_px=side).to(shown.device)
        return bare(shown)[0].cpu().numpy()

    def prepare(self, layers: Iterable[str]) -> Subject:
        """Make the network ready to be shown occluded images: they come sized from now on."""
        self.net.normalise.size_px = 0
        return prepare(self.net, layers, self.size_px, channels=3 * self.net.eyes)

    def fields(self, layers: Iterable[str]) -> dict[str, Field]:
        """Derive the theoretical fields, in images as `see` gives them."""
        self.net.normalise.size_px = 0
        return theoretical(self.net, layers, self.size_px, channels=3 * self.net.eyes)


def _reopen(path: Path, trunk: str, made: Stimuli, rows: np.ndarray, weights: str) -> Viewer:
    net, facts = trained.load(path, trunk)
    return Viewer(path=path, net=net, facts=facts, made=made, rows=rows, weights=weights)


def find(run: stage.Run, network: str, checkpoints: Sequence[str]) -> list[Path]:
    """List checkpoints of every training seed of a network; "all" stands for all of them.

    Raises
    ------
    ValueError
        When a network has no such checkpoint, or the seeds have theirs at other epochs.
    """
    folder = run.read(f"artifacts/train/{network}")
    found = {}
    for seed, home in trained.seeds(folder).items():
        if ALL in checkpoints:
            found[seed] = sorted(home.glob("epoch-*.pt"))
        else:
            found[seed] = sorted({trained.choose(home, name) for name in checkpoints})
    trained.check_epochs(network, found)
    return [path for paths in found.values() for path in paths]


def rows_of(made: Stimuli, splits: Sequence[str]) -> np.ndarray:
    """Give the ids of the images in some splits.

    Raises
    ------
    ValueError
        When a split has no image.
    """
    present = made.factors["split"].unique()
    for split in splits:
        if split not in present:
            there = ", ".join(map(str, present))
            raise ValueError(f"{made.path} has no image of split '{split}'; it has {there}")
    return np.flatnonzero(made.factors["split"].isin(splits))
