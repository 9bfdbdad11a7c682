"""Facial expressions as mixtures of facial actions.

Which muscles make an expression follows the Facial Action Coding System (Ekman & Friesen 1978);
the strengths are set so that expressions can be told apart in small images.
"""

from typing import NamedTuple

import numpy as np

from facelab_data.morphable import FaceModel


class Expression(NamedTuple):
    """What a face does.

    Attributes
    ----------
    actions : dict of str to float
        Strength, 0 to 1. A name of `FaceModel.action_names`, or one without its "Left" and
        "Right" for both sides.
    wrinkles : tuple of 4 floats
        Depth added to the groups of `rendering.relief.GROUPS`.
    mouth_opening : float
        From 0, lips closed, to 1; light on teeth.
    """

    actions: dict[str, float]
    wrinkles: tuple[float, float, float, float]
    mouth_opening: float


EXPRESSIONS = {
    "neutral": Expression({}, (0, 0, 0, 0), 0.0),
    "happy": Expression(
        {
            "mouthSmile": 0.95, "mouthUpperUp": 0.45, "cheekSquint": 0.75, "eyeSquint": 0.25,
            "mouthDimple": 0.20, "jawOpen": 0.18,
        },
        (0.0, 0.45, 0.65, 0.0), 0.90,
    ),
    "surprise": Expression(
        {
            "browInnerUp": 1.0, "browOuterUp": 1.0, "eyeWide": 0.90, "jawOpen": 0.60,
            "mouthFunnel": 0.15,
        },
        (0.55, 0.0, 0.0, 0.0), 0.80,
    ),
    "fear": Expression(
        {
            "browInnerUp": 1.0, "browDown": 0.30, "browOuterUp": 0.25, "eyeWide": 1.0,
            "mouthStretch": 0.95, "mouthLowerDown": 0.65, "jawOpen": 0.16, "mouthFrown": 0.25,
        },
        (0.45, 0.0, 0.10, 0.35), 0.85,
    ),
    "disgust": Expression(
        {
            "noseSneer": 1.0, "mouthUpperUp": 0.90, "browDown": 0.60, "eyeSquint": 0.75,
            "cheekSquint": 0.55, "mouthFrown": 0.35, "mouthShrugLower": 0.20,
        },
        (0.0, 0.35, 0.70, 0.50), 0.60,
    ),
    "anger": Expression(
        {
            "browDown": 1.0, "eyeSquint": 0.35, "noseSneer": 0.40, "mouthPress": 0.90,
            "mouthRollLower": 0.35, "mouthRollUpper": 0.35, "jawForward": 0.35,
            "mouthFrown": 0.20,
        },
        (0.0, 0.15, 0.20, 0.95), 0.0,
    ),
    "sad": Expression(
        {
            "browInnerUp": 1.0, "mouthFrown": 1.0, "mouthShrugLower": 0.75, "eyeBlink": 0.25,
            "eyeLookDown": 0.25, "mouthPucker": 0.10,
        },
        (0.30, 0.0, 0.15, 0.15), 0.0,
    ),
}  # fmt: skip


def expression(name: str) -> Expression:
    """Look an expression up.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    if name not in EXPRESSIONS:
        raise ValueError(f"unknown expression {name!r}; choose from {', '.join(EXPRESSIONS)}")
    return EXPRESSIONS[name]


def offsets(model: FaceModel, name: str, amplitude: float = 1.0) -> np.ndarray:
    """Move the vertices of the head as an expression does, (n, 3) float32, m.

    Raises
    ------
    ValueError
        If there is no such expression, or the amplitude is not within 0 to 1.
    """
    if not 0 <= amplitude <= 1:
        raise ValueError(f"amplitude is {amplitude}; needed is 0 to 1")
    total = np.zeros(model.rest.shape, np.float32)
    for action, strength in expression(name).actions.items():
        for side in _sides(model, action):
            total += (
                np.float32(amplitude * strength) * model.actions[model.action_names.index(side)]
            )
    return total


def _sides(model: FaceModel, action: str) -> list[str]:
    """Name the model's actions that an action of an expression stands for."""
    names = [action] if action in model.action_names else [f"{action}Left", f"{action}Right"]
    missing = [name for name in names if name not in model.action_names]
    if missing:
        raise ValueError(f"the face model has no action {action!r}")
    return names
