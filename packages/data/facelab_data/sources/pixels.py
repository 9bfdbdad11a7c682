"""One photograph, of whatever kind, to pixels."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

Crop = tuple[float, float, float, float]
WHOLE: Crop = (0.0, 0.0, 1.0, 1.0)
BEHIND = (128, 128, 128)
WITH_ALPHA = ("RGBA", "LA", "PA", "RGBa", "La")


def load(path: Path, *, size_px: int, crop: Crop = WHOLE, grey: bool = False) -> np.ndarray:
    """Read a photograph as a camera held upright saw it, cut out and scaled to a square.

    Of what `crop` leaves, the largest square about its centre is taken, so that no face is
    squeezed. Scaling averages over the pixels it merges (Lanczos). What is transparent becomes
    mid-grey, 16 bits become 8.

    Parameters
    ----------
    crop : (left, top, right, bottom)
        Fractions of width and height.
    grey : bool
        Keep luminance only (in all three channels).

    Returns
    -------
    image : (size_px, size_px, 3), uint8

    Raises
    ------
    ValueError
        Naming the file, when it is no image or a damaged one.
    """
    try:
        with Image.open(path) as file:
            image = _rgb(ImageOps.exif_transpose(file))
    # Decoders of damaged files raise all manner of things.
    except Exception as error:
        raise ValueError(f"cannot read image {path}: {' '.join(str(error).split())}") from None
    size = (size_px, size_px)
    image = image.resize(size, Image.Resampling.LANCZOS, box=_square(image.size, crop))
    return np.array(image.convert("L").convert("RGB") if grey else image)


def _rgb(image: Image.Image) -> Image.Image:
    """Bring any mode to 8-bit RGB."""
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image)
        if image.mode == "F" or values.min() < 0 or values.max() > 65535:
            raise ValueError(f"its values ({image.mode}) are neither of 8 nor of 16 bits")
        image = Image.fromarray((values.astype(np.float64) / 257).round().astype(np.uint8))
    if image.mode in WITH_ALPHA or "transparency" in image.info:
        image = image.convert("RGBA")
        behind = Image.new("RGBA", image.size, BEHIND)
        image = Image.alpha_composite(behind, image)
    return image.convert("RGB")


def _square(size: tuple[int, int], crop: Crop) -> Crop:
    """Find the largest square in the middle of a crop, in pixels."""
    left, top, right, bottom = np.array(crop) * np.array([*size, *size])
    half = min(right - left, bottom - top) / 2
    x, y = (left + right) / 2, (top + bottom) / 2
    return (float(x - half), float(y - half), float(x + half), float(y + half))
