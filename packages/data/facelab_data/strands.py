"""Laying strands of hair: where each ends, how far it falls and how thick it lies."""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from facelab_data import easing
from facelab_data.hairstyles import Style
from facelab_data.morphable import FaceModel
from facelab_data.rendering import noise

ROWS = 22  # points of a strand
POLAR_STEP_M = 0.0062  # along the scalp, from one root to the next
UNEVEN = 1.6  # how much locks differ in where they end, in roots
LAST_POLAR = 24.5  # where falling hair leaves the head: at the height of the ears
LATTICE = noise.table(99)


class Strands(NamedTuple):
    """What differs from strand to strand, each (J,) float64."""

    cosine: np.ndarray
    sine: np.ndarray
    end: np.ndarray  # index of the root at which the strand leaves the scalp
    fall: np.ndarray  # m beyond that
    thickness: np.ndarray  # at the end, m
    forward: np.ndarray  # long hair: 1 falls before the shoulder, -1 behind, 0 straight


class Around(NamedTuple):
    """What the directions of a model's strands say, (J,) float64 each.

    `across` and `along` are (H,) float32, as in `Shell`; `receding` is (2, J), how far a strand
    lies within the front and the temples.
    """

    azimuth: np.ndarray
    cosine: np.ndarray
    sine: np.ndarray
    front: np.ndarray
    back: np.ndarray
    parting: np.ndarray
    swept: np.ndarray
    fringe: np.ndarray
    ear: np.ndarray
    side: np.ndarray
    receding: np.ndarray
    across: np.ndarray
    along: np.ndarray


@lru_cache(maxsize=1)
def look_round(model: FaceModel) -> Around:
    """Work out what depends on the directions of a model's strands only."""
    signed = model.root_azimuth.astype(np.float64)
    azimuth, cosine, sine = np.abs(signed), np.cos(signed), np.sin(signed)
    places = (np.arange(len(signed)) + 0.5) / len(signed)
    return Around(
        azimuth=azimuth,
        cosine=cosine,
        sine=sine,
        front=easing.smoothstep(1.25, 0.55, azimuth),
        back=easing.smoothstep(1.75, 2.5, azimuth),
        parting=np.tanh(3 * np.sin(signed - 0.45)),
        swept=easing.smoothstep(1.1, 0.5, azimuth),
        fringe=easing.smoothstep(0.95, 0.55, azimuth),
        ear=np.exp(-(((azimuth - 1.6) / 0.45) ** 2)),
        side=np.where(azimuth < 1.75, 1.0, -1.0) * (azimuth < 2.6),
        receding=receding(signed),
        across=np.repeat(places, ROWS).astype(np.float32),
        along=np.tile(np.linspace(0, 1, ROWS), len(signed)).astype(np.float32),
    )


def receding(azimuth: np.ndarray) -> np.ndarray:
    """Say how far (J,) azimuths (rad) lie within the front and the temples, (2, J) float64."""
    away = np.abs(azimuth.astype(np.float64))
    return np.stack([np.exp(-((away / 0.8) ** 2)), np.exp(-(((away - 0.62) / 0.30) ** 2))])


def recession(model: FaceModel, front_m: float, temples_m: float) -> np.ndarray:
    """Compute how far the hairline lies above the usual one at each strand, (J,) float64, m."""
    front, temples = look_round(model).receding
    return np.round(front_m * front + temples_m * temples, 7)  # no machine's exp can show


def lay(model: FaceModel, style: Style, recession: np.ndarray, seed: np.ndarray) -> Strands:
    """Decide for each strand how thick it is, where it ends and how far it falls."""
    around = look_round(model)
    azimuth, front, back = around.azimuth, around.front, around.back
    thickness = style.front * front + style.back * back + style.side * (1 - front - back)
    thickness *= 1 + style.parting * front * around.parting
    swept = style.parting * np.maximum(around.sine, 0) * around.swept
    beyond = 0.035 * swept + style.fringe * around.fringe + style.over_ear * around.ear
    beyond -= recession
    circle = np.empty((len(azimuth), 3))
    circle[:, 0], circle[:, 1], circle[:, 2] = (
        8 * around.cosine + seed[0], 8 * around.sine, seed[1]
    )  # fmt: skip
    uneven = noise.values(LATTICE, circle)
    end = model.root_end + beyond / POLAR_STEP_M + UNEVEN * (uneven - 0.75)
    if not style.fall:
        fall = np.zeros(len(azimuth))
        return Strands(around.cosine, around.sine, end, fall, thickness, around.side)
    opening = math.radians(style.opening_deg)
    falling = easing.smoothstep(opening - 0.10, opening + 0.16, azimuth)
    end += (LAST_POLAR - end) * falling
    layered = (
        0.72 + 0.28 * easing.smoothstep(opening, opening + 0.9, azimuth) + 0.06 * (uneven - 0.5)
    )
    fall = style.fall * falling * layered
    return Strands(around.cosine, around.sine, end, fall, thickness, around.side)
