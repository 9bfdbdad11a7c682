"""Hair styles, from shaven to long: how thick hair lies and how far it falls.

They are ordered so that neighbours resemble each other, for a style is chosen by where a
continuous coefficient falls (`choose`).
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr


class Style(NamedTuple):
    """A way to wear one's hair.

    Attributes
    ----------
    top, front, side, back : float
        Thickness of the hair, m; nothing on the top means no hair.
    fringe : float
        How far it falls over the forehead, m.
    over_ear : float
        How far it covers the ears, m.
    fall, opening_deg, flare : float
        How far it falls below the hairline, m; the azimuth from which it does; how far
        the ends stand out (in if negative), per m.
    parting : float
        How much higher it lies on one side.
    curl : float
        From 0, straight, to 1.
    round : float
        From 0, following the skull, to 1, a ball.
    raggedness : float
        How unevenly strands end.
    stubble : float
        How dark the roots make the scalp, 0 to 1.
    """

    top: float
    front: float
    side: float
    back: float
    fringe: float = 0.0
    over_ear: float = 0.0
    fall: float = 0.0
    opening_deg: float = 180.0
    flare: float = -0.04
    parting: float = 0.0
    curl: float = 0.0
    round: float = 0.0
    raggedness: float = 0.10
    stubble: float = 0.93


STYLES = {
    "bald": Style(0, 0, 0, 0, stubble=0.12),
    "shaven": Style(0, 0, 0, 0, stubble=0.5),
    "buzz": Style(0.0035, 0.0025, 0.0020, 0.0022),
    "short": Style(0.016, 0.012, 0.006, 0.008, raggedness=0.12),
    "quiff": Style(0.024, 0.030, 0.005, 0.009, raggedness=0.12),
    "side parting": Style(0.018, 0.020, 0.009, 0.010, parting=0.45),
    "fringe": Style(0.018, 0.012, 0.012, 0.013, fringe=0.026, over_ear=0.012),
    "curly": Style(0.030, 0.024, 0.020, 0.024, over_ear=0.006, curl=1.0, round=0.3),
    "afro": Style(0.055, 0.040, 0.050, 0.050, over_ear=0.006, curl=1.0, round=0.9, raggedness=0.06),
    "tied": Style(0.008, 0.006, 0.005, 0.010, raggedness=0.05),
    "long, back": Style(0.013, 0.010, 0.007, 0.016, fall=0.26, opening_deg=104),
    "bob": Style(0.018, 0.010, 0.018, 0.020, fall=0.115, opening_deg=52),
    "bob, fringe": Style(0.018, 0.012, 0.018, 0.020, fringe=0.028, fall=0.105, opening_deg=50),
    "long": Style(0.016, 0.010, 0.016, 0.018, fall=0.26, opening_deg=60),
    "long, curly": Style(
        0.024, 0.014, 0.026, 0.028, fall=0.21, opening_deg=58, flare=0.04, curl=0.55
    ),
}  # fmt: skip


def choose(coefficient: np.ndarray) -> np.ndarray:
    """Sort standard normal coefficients into as many equally likely bins as there are styles.

    >>> choose(np.array([-9.0, 0.0, 9.0]))
    array([ 0,  7, 14])
    """
    return np.minimum((ndtr(coefficient) * len(STYLES)).astype(int), len(STYLES) - 1)


def cut(style: float, length: float, volume: float) -> Style:
    """Cut a person's hair as three coefficients say: the style, its length and its volume."""
    chosen = list(STYLES.values())[int(choose(np.array(style)))]
    volume = np.exp(0.16 * np.clip(volume, -2.5, 2.5))
    length = np.exp(0.14 * np.clip(length, -2.5, 2.5))
    return chosen._replace(
        top=chosen.top * volume,
        front=chosen.front * volume,
        side=chosen.side * volume,
        back=chosen.back * volume,
        fringe=chosen.fringe * length,
        fall=chosen.fall * length,
    )
