"""From linear light to the bytes of an image."""

import numpy as np

from facelab_data.rendering.compiled import kernel

KNEE = 0.62  # linear light above which the soft curve bends
BRIGHTEST = 4.0  # linear light at the end of a curve's table
LENGTH = 16384


def _srgb(light: np.ndarray) -> np.ndarray:
    """Encode linear light, 0 to 1 (IEC 61966-2-1)."""
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def _shoulder(light: np.ndarray) -> np.ndarray:
    over = np.maximum(light - KNEE, 0)
    return np.where(light > KNEE, KNEE + (1 - KNEE) * (1 - np.exp(-over / (1 - KNEE))), light)


CURVES = {
    "soft": lambda light: _srgb(_shoulder(light)),  # highlights roll off, as in a photograph
    "srgb": _srgb,  # a calibrated sRGB display shows the luminance that was computed; it clips
    "linear": lambda light: np.clip(light, 0, 1),  # bytes proportional to luminance; it clips
}


def curve(name: str) -> np.ndarray:
    """Tabulate a curve of CURVES from no light to BRIGHTEST, in grey levels 0 to 255.

    Raises
    ------
    ValueError
        The name is not in CURVES.
    """
    if name not in CURVES:
        raise ValueError(f"unknown tone {name!r}; there are {', '.join(CURVES)}")
    light = np.linspace(0, BRIGHTEST, LENGTH)
    return (255 * CURVES[name](light)).astype(np.float32)


@kernel
def encode(light: np.ndarray, exposure: float, table: np.ndarray, out: np.ndarray) -> None:
    """Turn (H, W, 3) linear light into (H, W, 3) uint8."""
    last = table.shape[0] - 1
    k = last / 4.0 * exposure
    for y in range(light.shape[0]):
        for x in range(light.shape[1]):
            for c in range(3):
                place = min(max(light[y, x, c] * k, 0.0), last - 1e-3)
                i = int(place)
                level = table[i] + (table[i + 1] - table[i]) * (place - i)
                out[y, x, c] = np.uint8(level + 0.5)
