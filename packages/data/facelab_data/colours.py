"""The colours that hair, eyes, lips and clothes come in, each a way from one to the next.

All are linear light, (3,) float64: r, g, b. Between two colours lies their geometric mean,
as between a strong and a weak solution of the same pigment.
"""

from functools import lru_cache

import numpy as np
from scipy.special import ndtr

HAIR = (  # black, dark, brown, light brown, blond
    (0.010, 0.009, 0.008), (0.026, 0.016, 0.011), (0.075, 0.042, 0.024), (0.17, 0.10, 0.055),
    (0.36, 0.25, 0.125),
)  # fmt: skip
RED_HAIR = (0.21, 0.065, 0.022)
GREY_BEARD, GREY_BROWS = (0.30, 0.29, 0.28), (0.25, 0.24, 0.23)
LIGHTEST_BEARD, LIGHTEST_BROWS = (0.35, 0.30, 0.27), (0.20, 0.13, 0.08)
IRISES = ((0.030, 0.016, 0.009), (0.085, 0.038, 0.014), (0.15, 0.10, 0.04))  # dark to hazel
LIGHT_IRISES = ((0.11, 0.14, 0.07), (0.11, 0.19, 0.30), (0.17, 0.20, 0.23))  # green, blue, grey
LIPSTICKS = ((0.42, 0.06, 0.075), (0.38, 0.10, 0.11), (0.30, 0.05, 0.10), (0.45, 0.14, 0.13))


def along(colours: tuple, place: float) -> np.ndarray:
    """Find a colour on the way: place 0 is the first, 1 the second, …; beyond, the last.

    >>> along(((0.1, 0.1, 0.1), (0.4, 0.9, 0.1)), 0.5).round(6)
    array([0.2, 0.3, 0.1])
    """
    return _between(_logs(colours), place)


def hair(tone: float, red: float) -> np.ndarray:
    """Mix a natural hair colour: tone from 0, black, to 4, blond; red from 0 to 1."""
    return along(HAIR, tone) ** (1 - red) * np.array(RED_HAIR) ** red


def beard(hair: np.ndarray, grey: float) -> np.ndarray:
    """Mix a beard to go with the hair: darker, and greying; grey from 0 to 1."""
    return np.minimum(0.9 * (hair + (np.array(GREY_BEARD) - hair) * 0.9 * grey), LIGHTEST_BEARD)


def brows(hair: np.ndarray, grey: float) -> np.ndarray:
    """Mix brows to go with the hair: darker, and half as grey."""
    plain = np.minimum(0.75 * hair + 0.25 * np.minimum(hair, 0.03), LIGHTEST_BROWS)
    return plain + (np.array(GREY_BROWS) - plain) * 0.5 * grey


def iris(tone: float, hue: float) -> np.ndarray:
    """Mix an iris: tone from 0, dark brown, to 3, light; hue, a standard normal, green to grey."""
    light = along(LIGHT_IRISES, 2 * ndtr(hue))
    return _between(np.vstack([_logs(IRISES), np.log(light)]), tone)


def lipstick(place: float) -> np.ndarray:
    """Pick a lipstick; place from 0 to 1."""
    return along(LIPSTICKS, (len(LIPSTICKS) - 1) * place)


def cloth(hue: float, lightness: float) -> np.ndarray:
    """Dye cloth by two standard normals; all values of `hue` go once around the circle."""
    turn = 2 * np.pi * (ndtr(hue) + np.array((0, -1 / 3, 1 / 3)))
    return (0.02 + 0.55 * ndtr(lightness) ** 1.5) * (1 + 0.45 * np.cos(turn))


@lru_cache
def _logs(colours: tuple) -> np.ndarray:
    """Give the logarithms of colours, (k, 3); not to be written to."""
    return np.log(colours)


def _between(logs: np.ndarray, place: float) -> np.ndarray:
    """Interpolate between the rows of (k, 3) logarithms, and undo these."""
    last = len(logs) - 1
    if not 0 <= place < last:
        return np.exp(logs[0 if place < 0 else last])
    k = int(place)
    return np.exp((logs[k + 1] - logs[k]) * (place - k) + logs[k])
