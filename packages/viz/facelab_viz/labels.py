"""Words for readers: how factors are called in print, how they group, in which order they come.

A name that is not known here passes through unchanged, so a new factor can be
drawn before it has been given a label.
"""

import re
from collections.abc import Iterable, Mapping

LABELS = {
    "identity": "identity",
    "gender": "gender",
    "ethnicity": "ethnicity",
    "age_years": "age",
    "shape": "face shape",
    "albedo": "skin albedo",
    "rotation_y_deg": "yaw",
    "rotation_x_deg": "pitch",
    "rotation_z_deg": "roll",
    "translation_x_mm": "shift x",
    "translation_y_mm": "shift y",
    "translation_z_mm": "shift z",
    "expression": "expression",
    "light_y_deg": "light azimuth",
    "light_x_deg": "light elevation",
    "background": "background",
    "null_high": "within chance",
}

# The order of a figure's panels and rows: who it is, where, what the face does, how it is seen.
GROUPS = {
    "identity": ("identity", "gender", "ethnicity", "age_years", "shape", "albedo"),
    "pose": (
        "rotation_y_deg",
        "rotation_x_deg",
        "rotation_z_deg",
        "translation_x_mm",
        "translation_y_mm",
        "translation_z_mm",
    ),
    "expression": ("expression",),
    "light": ("light_y_deg", "light_x_deg"),
    "context": ("background",),
}
OTHER = "other"

UNITS = {"_deg": "°", "_mm": "mm", "_years": "years", "_px": "px"}


def readable(name: object, labels: Mapping[str, str] | None = None) -> str:
    """Say a name as a reader would; `labels` come before the house's own.

    >>> readable("rotation_y_deg"), readable("conv_9"), readable("conv_9", {"conv_9": "c9"})
    ('yaw', 'conv_9', 'c9')
    """
    return {**LABELS, **(labels or {})}.get(str(name), str(name))


def unit(name: str) -> str:
    """Return the unit that a name ends in, or nothing.

    >>> unit("rotation_y_deg"), unit("gender")
    ('°', '')
    """
    return next((sign for ending, sign in UNITS.items() if name.endswith(ending)), "")


def titled(name: str, labels: Mapping[str, str] | None = None) -> str:
    """Say a factor's name with its unit, for the head of a panel.

    A label given by the caller stands as it is.

    >>> titled("age_years"), titled("gender")
    ('age (years)', 'gender')
    """
    if name in (labels or {}) or name not in LABELS or not unit(name):
        return readable(name, labels)
    return f"{readable(name)} ({unit(name)})"


def group_of(factor: str) -> str:
    """Name the group of a factor, or of one column of a vector factor; else ``other``.

    >>> group_of("shape_012"), group_of("rotation_z_deg"), group_of("hat")
    ('identity', 'pose', 'other')
    """
    stem = re.sub(r"_\d+$", "", factor)
    return next((group for group, factors in GROUPS.items() if stem in factors), OTHER)


def in_order(factors: Iterable[str]) -> list[str]:
    """Sort factors as figures show them; those unknown come last, in the order given."""
    known = [factor for factors in GROUPS.values() for factor in factors]
    place = {factor: rank for rank, factor in enumerate(known)}
    return sorted(dict.fromkeys(factors), key=lambda factor: place.get(factor, len(known)))
