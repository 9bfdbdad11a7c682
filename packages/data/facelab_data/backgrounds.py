"""What is behind the face: surfaces, gradients, noise and lights out of focus.

Colours are linear light, 0 to 1.
"""

import numpy as np

COARSEST = 5  # cells a side of the lattice that decides where gradients and lights go
LIGHTEST = 0.75


def make(background: int, size_px: int, *, seed: int) -> np.ndarray:
    """Paint a background, (R, R, 3) float32; it depends on its number, the seed and the size only.

    Numbers go in turn through `KINDS`, so that a set of any size holds all kinds.

    Raises
    ------
    ValueError
        If the number or the seed is negative, or there is no pixel.
    """
    for name, value, least in [
        ("background", background, 0),
        ("seed", seed, 0),
        ("size_px", size_px, 1),
    ]:
        if value < least:
            raise ValueError(f"{name} is {value}; at least {least} is needed")
    rng = np.random.default_rng([seed, background])
    paint = list(KINDS.values())[background % len(KINDS)]
    return np.clip(paint(size_px, rng), 0.004, 1).astype(np.float32)


def phase_scramble(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Scramble an image but keep its amplitude spectrum, up to contrast.

    The phases of white noise are added to each channel's own; the outcome is stretched to
    span 0 to 1 (a channel without contrast becomes 0).

    Parameters
    ----------
    image : (H, W, C) array

    Returns
    -------
    scrambled : (H, W, C) float32
    """
    noise = rng.random(image.shape)
    phases = np.angle(np.fft.fft2(noise, axes=(0, 1)))
    spectrum = np.fft.fft2(image, axes=(0, 1)) * np.exp(1j * phases)
    scrambled = np.fft.ifft2(spectrum, axes=(0, 1)).real
    low, high = scrambled.min(axis=(0, 1)), scrambled.max(axis=(0, 1))
    contrast = np.where(high - low > 1e-9 * (1 + np.abs(high)), high - low, np.inf)
    return ((scrambled - low) / contrast).astype(np.float32)


def _colour(rng: np.random.Generator) -> np.ndarray:
    """Draw a colour, most of them muted; (3,)."""
    lightness = 0.04 + 0.5 * rng.random() ** 1.3
    return lightness * np.exp(rng.normal(0, 0.20, 3))


def _grid(size_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows, from -1 to 1."""
    place = (np.arange(size_px) + 0.5) / size_px * 2 - 1
    return place[None, :], place[:, None]


def _plain(size_px: int, rng: np.random.Generator) -> np.ndarray:
    return np.full((size_px, size_px, 3), _colour(rng))


def _gradient(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Light a wall from one side, with a pool of light on it."""
    x, y = _grid(size_px)
    angle = 2 * np.pi * rng.random()
    ramp = 0.5 + 0.35 * (x * np.cos(angle) + y * np.sin(angle))
    centre = rng.uniform(-0.6, 0.6, 2)
    pool = np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / rng.uniform(0.4, 1.2))
    first, second = _colour(rng), _colour(rng)
    wall = first + (second - first) * np.clip(ramp, 0, 1)[..., None]
    return wall * (0.75 + 0.5 * pool[..., None])


def _noise(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Filter noise to the spectrum of natural scenes, amplitude falling as 1/f or faster."""
    across, down = np.fft.rfftfreq(size_px), np.fft.fftfreq(size_px)
    frequency = np.hypot(across[None, :], down[:, None]) * size_px
    fall = 1 / np.maximum(frequency, 1) ** rng.uniform(1.5, 2.2)
    fall[0, 0] = 0
    layers = np.empty((size_px, size_px, 3))
    for k in range(3):
        spectrum = np.fft.rfft2(rng.normal(size=(size_px, size_px))) * fall
        layer = np.fft.irfft2(spectrum, s=(size_px, size_px))
        layers[..., k] = layer / max(layer.std(), 1e-12)
    luminance = np.exp(0.28 * layers[..., :1] + 0.05 * layers)
    return _colour(rng) * luminance


def _bokeh(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Scatter lights out of focus over a dim gradient."""
    x, y = _grid(size_px)
    out = 0.45 * _gradient(size_px, rng)
    edge = max(0.02, 2.0 / size_px)
    for _ in range(rng.integers(10, 26)):
        across, down = rng.uniform(-1.15, 1.15, 2)
        radius = rng.uniform(0.06, 0.26)
        disc = np.clip((radius - np.hypot(x - across, y - down)) / edge + 0.5, 0, 1)
        out += rng.uniform(0.06, 0.40) * disc[..., None] * np.exp(rng.normal(0, 0.35, 3))
    return LIGHTEST * np.tanh(out / LIGHTEST)


KINDS = {"plain": _plain, "gradient": _gradient, "noise": _noise, "bokeh": _bokeh}
