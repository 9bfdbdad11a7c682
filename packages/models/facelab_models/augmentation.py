"""How images vary from one epoch to the next: moved, cropped, mirrored, bleached, relit.

Every alteration works on a whole batch and follows from the numbers drawn for each image. Images
with six channels are what two eyes see, red, green and blue of the left and then of the right eye:
both are altered alike, and a mirror also exchanges them, as it does in the world.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

DRAWS = 13
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
YIQ = np.array([LUMA, (0.596, -0.274, -0.322), (0.211, -0.523, 0.312)])  # NTSC
Pair = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Augment:
    """How much images vary; `STILL` leaves them as they are.

    Attributes
    ----------
    crop_area : (float, float)
        Least and largest share of the image that is cut out and enlarged to the whole.
    crop_aspect : (float, float)
        Least and largest width over height of what is cut out, relative to the image's own.
    shift : float
        Largest displacement along x and along y, as a fraction of the image.
    zoom : float
        Largest relative enlargement or reduction.
    flip, grey : float
        Probability of a left-right mirror image; of an image without colour.
    saturation : float
        Largest relative change of the differences from grey.
    hue : float
        Largest turn of all hues, as a fraction of the colour circle.
    brightness : float
        Largest change added to all pixels, on the scale of [0, 1].
    contrast : float
        Largest relative change of the differences from the image's mean.
    """

    crop_area: Pair
    crop_aspect: Pair
    shift: float
    zoom: float
    flip: float
    grey: float
    saturation: float
    hue: float
    brightness: float
    contrast: float

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not isinstance(value, tuple) and not 0 <= value <= 1:
                raise ValueError(f"{name} is between 0 and 1, not {value}")
        if self.zoom == 1:
            raise ValueError("zoom is below 1: nothing can be reduced to no size")
        if not 0 < self.crop_area[0] <= self.crop_area[1] <= 1:
            raise ValueError(f"crop_area rises from above 0 to at most 1, not {self.crop_area}")
        if not 0 < self.crop_aspect[0] <= 1 <= self.crop_aspect[1]:
            raise ValueError(f"crop_aspect holds 1, the image's own, not {self.crop_aspect}")

    @property
    def moves(self) -> bool:
        """Whether pixels change places."""
        return bool(self.shift or self.zoom or self.flip or self.crops)

    @property
    def crops(self) -> bool:
        """Whether a part may be cut out."""
        return self.crop_area != (1, 1) or self.crop_aspect != (1, 1)


STILL = Augment(
    crop_area=(1, 1),
    crop_aspect=(1, 1),
    shift=0,
    zoom=0,
    flip=0,
    grey=0,
    saturation=0,
    hue=0,
    brightness=0,
    contrast=0,
)


def alter(images: Tensor, draws: Tensor, augment: Augment) -> Tensor:
    """Crop, move, mirror, bleach, tint and relight each image by its own draws.

    Parameters
    ----------
    images : (B, 3 or 6, H, W), in [0, 1]
    draws : (B, 13), uniform in [0, 1)
        Of x, y, zoom, flip, grey, brightness, contrast, saturation, hue, and the crop's area,
        aspect, x and y.
    augment : Augment

    Returns
    -------
    images : (B, 3 or 6, H, W), in [0, 1]
        The same tensor if nothing is altered.
    """
    x, y, zoom, flip, grey, brightness, contrast, saturation, hue = draws[:, :9].unbind(dim=1)
    if augment.moves:
        sizes = (1 / (1 + augment.zoom * _signed(zoom))).unsqueeze(1).expand(-1, 2)
        places = torch.stack([_signed(x), _signed(y)], dim=1) * 2 * augment.shift
        if augment.crops:
            windows = _windows(draws[:, 9], draws[:, 10], augment)
            places = places + _signed(draws[:, 11:13]) * (1 - windows)
            sizes = sizes * windows
        images = _resample(images, sizes, places, flip < augment.flip)
    if augment.grey:
        images = _bleach(images, grey < augment.grey)
    if augment.saturation or augment.hue:
        gain = 1 + augment.saturation * _signed(saturation)
        images = _tint(images, gain, 2 * math.pi * augment.hue * _signed(hue)).clamp_(0, 1)
    if augment.brightness or augment.contrast:
        gain = 1 + augment.contrast * _signed(contrast)
        offset = (1 - gain) * images.mean(dim=(1, 2, 3)) + augment.brightness * _signed(brightness)
        images = images.mul(gain.view(-1, 1, 1, 1)).add_(offset.view(-1, 1, 1, 1)).clamp_(0, 1)
    return images


def _signed(draws: Tensor) -> Tensor:
    """Stretch [0, 1) to [−1, 1)."""
    return 2 * draws - 1


def _windows(area: Tensor, aspect: Tensor, augment: Augment) -> Tensor:
    """Give the width and height (B, 2) of what is cut out, relative to the image's.

    The area is uniform over its range, and the logarithm of the aspect uniform over those of its
    range at which such an area fits into the image (torchvision draws again until one fits, which
    thins out large areas).
    """
    smallest, largest = augment.crop_area
    area = smallest + (largest - smallest) * area
    widest = -area.log()  # of log aspect: an area a fits while a < aspect < 1 / a
    low = (-widest).clamp(min=math.log(augment.crop_aspect[0]))
    high = widest.clamp(max=math.log(augment.crop_aspect[1]))
    aspect = (low + (high - low) * aspect).exp()
    return torch.stack([area * aspect, area / aspect], dim=1).sqrt()


def _resample(images: Tensor, sizes: Tensor, places: Tensor, mirrored: Tensor) -> Tensor:
    """Cut out windows of these relative sizes and places ([−1, 1] spans the image).

    What lies beyond the border is the image's reflection, which has no edge for a net to see.
    """
    height, width = images.shape[2:]
    across = torch.where(mirrored, -sizes[:, 0], sizes[:, 0])
    grid = images.new_empty(len(images), height, width, 2)
    grid[..., 0] = (across[:, None] * _centres(width, images) + places[:, :1])[:, None, :]
    grid[..., 1] = (sizes[:, 1:] * _centres(height, images) + places[:, 1:])[:, :, None]
    moved = F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    if images.shape[1] == 6:  # what the left eye sees in a mirror is the mirror of the right's
        moved = torch.where(mirrored.view(-1, 1, 1, 1), moved.roll(3, dims=1), moved)
    return moved.contiguous(memory_format=torch.channels_last)


def _centres(pixels: int, like: Tensor) -> Tensor:
    """Return the centres of pixels on the scale where the image spans [−1, 1]."""
    return (2 * torch.arange(pixels, dtype=like.dtype, device=like.device) + 1) / pixels - 1


def _bleach(images: Tensor, bleached: Tensor) -> Tensor:
    """Replace the colours of these images by their luma."""
    rows = bleached.nonzero()[:, 0]
    images = images.clone()
    for eye in range(0, images.shape[1], 3):
        red, green, blue = images[rows, eye : eye + 3].unbind(dim=1)
        light = (LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue).unsqueeze(1)
        images[rows, eye : eye + 3] = light
    return images


def _tint(images: Tensor, gain: Tensor, turn: Tensor) -> Tensor:
    """Stretch and turn (radians) the colours about grey; luma stays.

    Chroma is the plane of I and Q in the YIQ space of colour television.
    """
    change = images.new_zeros(len(images), 3, 3)
    change[:, 0, 0] = 1
    change[:, 1, 1] = change[:, 2, 2] = gain * turn.cos()
    change[:, 2, 1] = gain * turn.sin()
    change[:, 1, 2] = -change[:, 2, 1]
    matrices = images.new_tensor(np.linalg.inv(YIQ)) @ change @ images.new_tensor(YIQ)
    pixels = images.permute(0, 2, 3, 1).reshape(len(images), -1, 3)  # both eyes in one list
    tinted = torch.bmm(pixels, matrices.transpose(1, 2))
    return tinted.view(len(images), *images.shape[2:], -1).permute(0, 3, 1, 2)
