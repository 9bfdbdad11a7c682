"""One photograph, of whatever kind, to pixels."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

Crop = tuple[float, float, float, float]
WHOLE: Crop = (0.0, 0.0, 1.0, 1.0)
BEHIND = (128, 128, 128)
WITH_ALPHA = ("RGBA", "LA", "PA", "RGBa", "La")


def load(
    path: Path,
    *,
    size_px: int,
    crop: Crop = WHOLE,
    grey: bool = False,
    opened: Callable[[Path], Image.Image] | None = None,
) -> np.ndarray:
    """Read a photograph, cut out and scaled to a square.

    Of what `crop` leaves, the largest square about its centre is taken, so that no face is
    squeezed. When that has as many pixels as the image shall have, they are copied as they are
    (half a pixel off centre where it must be, up and to the left). Otherwise they are scaled, which
    averages over the pixels it merges (Lanczos).

    Parameters
    ----------
    crop : (left, top, right, bottom)
        Fractions of width and height.
    grey : bool
        Keep luminance only (in all three channels).
    opened : callable, optional
        What opens the image, by default `picture`.

    Returns
    -------
    image : (size_px, size_px, 3), uint8

    Raises
    ------
    ValueError
        Naming the file, when it is no image or a damaged one.
    """
    try:
        image = (opened or picture)(path)
    # Decoders of damaged files raise all manner of things.
    except Exception as error:
        raise ValueError(f"cannot read image {path}: {' '.join(str(error).split())}") from None
    box = _square(image.size, crop)
    if round(box[2] - box[0], 6) == size_px:
        left, top = round(box[0] - 1e-6), round(box[1] - 1e-6)
        image = image.crop((left, top, left + size_px, top + size_px))
    else:
        image = image.resize((size_px, size_px), Image.Resampling.LANCZOS, box=box)
    return np.array(image.convert("L").convert("RGB") if grey else image)


def picture(path: Path) -> Image.Image:
    """Open a photograph as a camera held upright saw it, in RGB.

    What is transparent becomes mid-grey, 16 bits become 8.
    """
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise ValueError("it is not a file")
    with Image.open(path) as file:
        return _rgb(ImageOps.exif_transpose(file))


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
