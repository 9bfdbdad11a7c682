"""The images of one layer, divided by identity into those fitted, tuned on and scored.

An identity is on one side only: a decoder that meets it again can recognise the person
instead of reading the factor. Images in `holdout` show identities that were fitted; they
are predicted and not scored.
"""

from dataclasses import dataclass, field

import numpy as np

from facelab_probing.spectrum import Spectrum, check, decompose, project, require_disjoint

SPLITS = ("training", "holdout", "validation", "testing")


@dataclass(frozen=True)
class Partition:
    """The units of one layer and the part that each image plays.

    Attributes
    ----------
    units : array, (N, U)
    identity : array, (N,)
    fitting, tuning, scoring : bool array, (N,)
    weakest : float
        The weakest penalty that will be asked for.
    bases : dict
        Decompositions made so far, by the images fitted.
    """

    units: np.ndarray
    identity: np.ndarray
    fitting: np.ndarray
    tuning: np.ndarray
    scoring: np.ndarray
    weakest: float
    bases: dict[bytes, tuple[Spectrum, np.ndarray]] = field(default_factory=dict)


def divide(units: np.ndarray, identity: np.ndarray, split: np.ndarray, weakest: float) -> Partition:
    """Divide the images by split; raise where an identity would be on two sides.

    Parameters
    ----------
    units : array, (N, U)
    identity : array, (N,)
    split : str array, (N,)
        One of `SPLITS` per image.
    weakest : float
        The weakest penalty that will be asked for.

    Raises
    ------
    ValueError
        If identities are shared, or a split is unknown or empty.
    """
    split, identity = np.asarray(split, dtype=str), np.asarray(identity)
    units = check(units, identity)
    if len(split) != len(units):
        raise ValueError(f"split has {len(split)} entries for {len(units)} images")
    unknown = sorted(set(split.tolist()) - set(SPLITS))
    if unknown:
        raise ValueError(f"unknown split {unknown[0]!r}; choose from {', '.join(SPLITS)}")
    for name in ("training", "validation", "testing"):
        if not (split == name).any():
            raise ValueError(f"no image has the split {name!r}; decoding needs it")
    fitted, tuning, scoring = split == "training", split == "validation", split == "testing"
    require_disjoint(identity[fitted | (split == "holdout")], identity[tuning | scoring])
    shared = np.intersect1d(identity[tuning], identity[scoring])
    if len(shared):
        names = ", ".join(map(str, shared[:5])) + (" …" if len(shared) > 5 else "")
        raise ValueError(f"{len(shared)} identities are both tuned on and scored ({names})")
    return Partition(units, identity, fitted, tuning, scoring, weakest)


def basis(partition: Partition, known: np.ndarray) -> tuple[Spectrum, np.ndarray]:
    """Decompose the fitting images whose label is known; bring every image into that basis.

    Factors with the same images share the decomposition.

    Parameters
    ----------
    known : bool array, (N,)

    Returns
    -------
    spectrum : Spectrum
    scores : array, (N, R)
    """
    rows = partition.fitting & known
    key = np.packbits(rows).tobytes()
    if key not in partition.bases:
        fitted = partition.identity[rows]
        spectrum = decompose(partition.units[rows], fitted, partition.weakest)
        scores = project(spectrum, partition.units, partition.identity, may_overlap=True)
        partition.bases[key] = spectrum, scores
    return partition.bases[key]


def require_labels(partition: Partition, known: np.ndarray, factor: str) -> None:
    """Raise if a part of the images has no label at all."""
    parts = {
        "training": partition.fitting,
        "validation": partition.tuning,
        "testing": partition.scoring,
    }
    for name, rows in parts.items():
        if not (rows & known).any():
            raise ValueError(f"factor {factor!r} has no label on any {name} image")
