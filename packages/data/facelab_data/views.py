"""How a picture is shown: upright, turned over, or turned by an angle.

A view is named in plain words, so that it can stand in a table of parameters: ``upright``;
``flip``, mirrored top to bottom, the inversion of much of the network literature; ``rotate_180``,
turned on its head, as people see inverted faces; ``rotate_030`` and so on for the angles between.
A flip is a rotation by 180° of the mirror image: the two differ for a face lit from one side.

Axes: images (n, H, W, channels) uint8; both eyes of a stereo pair are turned alike.
"""

import math
import re
from functools import partial

import numpy as np
from PIL import Image

UPRIGHT, FLIP = "upright", "flip"
ROTATION = re.compile(r"rotate_(\d{3})")
CHOICES = f"{UPRIGHT}, {FLIP}, rotate_000 … rotate_359 (degrees clockwise)"


def show(images: np.ndarray, view: str) -> np.ndarray:
    """Show images in a view.

    Quarter turns move pixels and change none. Other angles turn square images about their centre,
    bilinearly; corners that come from outside the picture hold its reflection, so that no angle
    brings an edge or a colour that another lacks.

    Parameters
    ----------
    images : array, (n, H, W, C), uint8
    view : str

    Returns
    -------
    images : array, (n, H, W, C), uint8
        In C order, never a view of the input's memory.

    Raises
    ------
    ValueError
        When the view is unknown, or images are not square and the angle is no half turn.
    """
    if view == UPRIGHT:
        return images.copy()
    if view == FLIP:
        return np.ascontiguousarray(images[:, ::-1])
    degrees = angle(view)
    if degrees % 180 and images.shape[1] != images.shape[2]:
        raise ValueError(f"{view} needs square images, not {images.shape[1:3]} px")
    if degrees % 90 == 0:
        return np.ascontiguousarray(np.rot90(images, -degrees // 90, axes=(1, 2)))
    turn = partial(_turn, degrees=degrees)
    turned = [[turn(plane) for plane in np.moveaxis(image, 2, 0)] for image in images]
    return np.ascontiguousarray(np.moveaxis(np.array(turned, np.uint8), 1, 3))


def angle(view: str) -> int:
    """Give the angle of a view, degrees clockwise: 0 for upright, 180 for a flip.

    Raises
    ------
    ValueError
        When the view is unknown.
    """
    if view in (UPRIGHT, FLIP):
        return 180 * (view == FLIP)
    found = ROTATION.fullmatch(view)
    if not found or int(found[1]) >= 360:
        raise ValueError(f"unknown view '{view}'; choose from {CHOICES}")
    return int(found[1])


def _turn(plane: np.ndarray, degrees: int) -> np.ndarray:
    """Turn one channel (H, H); what is missing is reflected."""
    size = len(plane)
    border = math.ceil(size * (math.sqrt(2) - 1) / 2) + 1
    padded = Image.fromarray(np.pad(plane, border, mode="symmetric"))
    turned = padded.rotate(-degrees, Image.Resampling.BILINEAR)
    return np.asarray(turned)[border : border + size, border : border + size]
