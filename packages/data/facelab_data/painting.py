"""Painting a head: from a person's tints to the channels of the head's vertices."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from facelab_data.morphable import FaceModel
from facelab_data.rendering.compiled import inline, kernel
from facelab_data.rendering.scene import (
    BEARD,
    CLOTH,
    DARK,
    HAEMOGLOBIN,
    LASHES,
    LIPS,
    MELANIN,
    MOUTH_INSIDE,
    N_CHANNELS,
    OCCLUSION,
    OIL,
    PLACE,
    SCALP,
    SKIN,
    STRAND,
    STRAND_LENGTH,
)
from facelab_data.rendering.vectors import clamped
from facelab_data.strands import receding

CLOTH_THICKNESS_M, BEARD_THICKNESS_M = np.float32(0.007), np.float32(0.006)
ONE, HALF = np.float32(1), np.float32(0.5)


class Primer(NamedTuple):
    """What is painted alike on every head, and where the rest goes, over n vertices.

    Attributes
    ----------
    channels : (n, N_CHANNELS) float32
        With what no person changes filled in.
    maps : (8, n) float32
        In the order of MAPS.
    receding : (2, n) float64
        As from `strands.receding`.
    skin, lashes : (n,) bool
        Which vertices are of that part.
    """

    channels: np.ndarray
    maps: np.ndarray
    receding: np.ndarray
    skin: np.ndarray
    lashes: np.ndarray


class Tints(NamedTuple):
    """What is painted on a head, place by place.

    Attributes
    ----------
    melanin, haemoglobin, flush, under_eyes : float
        Of plain skin; of cheeks and nose; of the shadows under the eyes.
    beard, goatee, moustache : float
        How much hair there is in each place, 0 to 1.
    front_m, temples_m : float
        How far the hairline lies above the usual one there.
    collar_m : float
        How far the collar lies from the usual one.
    """

    melanin: float
    haemoglobin: float
    flush: float
    under_eyes: float
    beard: float
    goatee: float
    moustache: float
    front_m: float
    temples_m: float
    collar_m: float


MAPS = ("red", "dark", "ears", "scalp", "cloth", "beard", "goatee", "moustache")


@lru_cache(maxsize=1)
def prime(model: FaceModel) -> Primer:
    """Fill in what no person changes, once for a model."""
    maps, parts = model.maps, model.vertex_parts
    channels = np.zeros((len(model.rest), N_CHANNELS), np.float32)
    channels[:, PLACE : PLACE + 3] = model.place
    channels[:, LIPS], channels[:, MOUTH_INSIDE] = maps["lips"], maps["inside"]
    channels[:, OCCLUSION], channels[:, OIL] = maps["occlusion"], maps["oil"]
    lashes = parts == LASHES
    channels[lashes, STRAND] = maps["lash_across"][lashes]
    channels[lashes, STRAND_LENGTH] = maps["lash_along"][lashes]
    chosen = np.stack([maps[name] for name in MAPS])
    return Primer(channels, chosen, receding(maps["azimuth"]), parts == SKIN, lashes)


def paint(model: FaceModel, tints: Tints, channels: np.ndarray, thickness: np.ndarray) -> None:
    """Fill in the channels of the head's own vertices, and how far beard and cloth stand off.

    channels (n, N_CHANNELS) and thickness (n,) float32, m; a stubble does not stand off.
    """
    primer = prime(model)
    channels[:] = primer.channels
    _paint(primer, tints, channels, thickness)


@kernel
def _paint(primer: Primer, tints: Tints, channels: np.ndarray, thickness: np.ndarray) -> None:
    """Go over all vertices; float32 where numpy's arithmetic on the maps would be."""
    red, dark, ears, scalp, cloth, _, _, _ = primer.maps
    for i in range(channels.shape[0]):
        if not primer.lashes[i]:
            _pigment(tints, (red[i], dark[i], ears[i]), channels[i])
        front, temples = primer.receding[0, i], primer.receding[1, i]
        raised = np.rint((tints.front_m * front + tints.temples_m * temples) * 1e7) / 1e7
        channels[i, SCALP] = scalp[i] - raised  # no machine's exp can show
        channels[i, CLOTH] = cloth[i] + tints.collar_m
        channels[i, DARK] = tints.under_eyes * dark[i]
        beard = _beard(tints, primer.maps, i)
        channels[i, BEARD] = beard
        length = BEARD_THICKNESS_M * _step(np.float32(0.45), HALF, beard)
        covered = _step(np.float32(0), np.float32(0.02), channels[i, CLOTH])
        thickness[i] = length + (CLOTH_THICKNESS_M * covered if primer.skin[i] else np.float32(0))


@inline
def _pigment(tints: Tints, at: tuple, channels: np.ndarray) -> None:
    """Set melanin and haemoglobin; `at` = (red, dark, ears)."""
    red, dark, ears = at
    melanin = np.float32(tints.melanin) * (ONE - np.float32(0.05) * red)
    melanin += np.float32(0.10) * dark * np.float32(0.3 + tints.melanin)
    channels[MELANIN] = melanin + np.float32(0.03) * ears
    blood = np.float32(tints.haemoglobin * (0.75 + 0.55 * tints.flush * red))
    below = np.float32(0.45) * dark * np.float32(1 - 0.5 * tints.melanin)
    channels[HAEMOGLOBIN] = blood + (below + np.float32(0.25) * ears)


@inline
def _beard(tints: Tints, maps: np.ndarray, i: int) -> float:
    """Take the kind of beard there is most of."""
    beard = np.float32(tints.beard) * maps[5, i]
    beard = max(beard, np.float32(tints.goatee) * maps[6, i])
    return max(beard, np.float32(tints.moustache) * maps[7, i])


@inline
def _step(low: float, width: float, x: float) -> float:
    """Rise as `easing.smoothstep` does, in float32."""
    t = np.float32(clamped((x - low) / width))
    return t * t * (np.float32(3) - np.float32(2) * t)
