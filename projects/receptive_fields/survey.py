"""Maps of a network's units, made by as many processes as the machine has room for."""

from dataclasses import dataclass
from pathlib import Path

from facelab_data.processes import spread, tell
from facelab_probing import mapping
from facelab_probing.occluders import Occluder
from facelab_probing.refinement import Coarse
from tqdm import tqdm

from projects import hardware
from projects.receptive_fields.viewers import Viewer

EACH_BYTES = 5 * 2**29
"""Memory that a process takes at most, measured on SqueezeNet at 227 px."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Survey:
    """What is to be mapped, and how.

    Attributes
    ----------
    viewer : Viewer
    wanted : tuple of Wanted
        In order of depth.
    occluder : Occluder
    coarse : Coarse, optional
    seed : int
    folder : Path
        Where blocks of maps are kept.
    """

    viewer: Viewer
    wanted: tuple[mapping.Wanted, ...]
    occluder: Occluder
    coarse: Coarse | None
    seed: int
    folder: Path


def carry_out(survey: Survey) -> list[Path]:
    """Make all maps; give the files of the blocks, see `mapping.blocks`.

    Each process takes every n-th block: which it is changes nothing in them.
    """
    plan = mapping.plan(survey.wanted, survey.folder)
    workers = max(min(hardware.processors(EACH_BYTES), len(plan)), 1)
    total = sum(len(images) for images in plan.values())
    with tqdm(total=total, desc="mapping", unit="image", delay=2, leave=False) as bar:
        jobs = ((survey, dict(list(plan.items())[part::workers])) for part in range(workers))
        for _ in spread(_map, jobs, workers, threads=hardware.threads(), hear=bar.update):
            pass
    return list(plan)


def _map(survey: Survey, todo: dict[Path, list[int]]) -> None:
    viewer = survey.viewer
    mapping.map_images(
        viewer.prepare,
        survey.wanted,
        viewer.see,
        survey.occluder,
        todo,
        seed=survey.seed,
        others=viewer.rows,
        coarse=survey.coarse,
        done=tell,
    )
