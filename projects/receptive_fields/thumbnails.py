"""Small copies of the images that excite some unit most, kept beside its maps."""

from pathlib import Path

import h5py
import numpy as np
from facelab_probing import files
from PIL import Image

from projects.material import pixels
from projects.receptive_fields.viewers import Viewer


def keep_thumbnails(path: Path, viewer: Viewer, ids: np.ndarray, side_px: int) -> None:
    """Store images, (n, h, w, 3) uint8, the larger side at most `side_px`, of the left eye."""
    height, width = viewer.made.size_px
    scale = min(1.0, side_px / max(height, width))
    size = round(height * scale), round(width * scale)
    with files.create(path) as file:
        files.reserve(file, len(ids) * (size[0] * size[1] * 3 + 8))
        file["ids"] = ids
        kept = file.create_dataset("images", (len(ids), *size, 3), np.uint8, chunks=(1, *size, 3))
        for row, image in enumerate(ids):
            shown = pixels(viewer.made, np.array([image]), viewer.net.eyes)[0, :, :, :3]
            kept[row] = np.asarray(Image.fromarray(shown).resize(size[::-1], Image.Resampling.BOX))


def read_thumbnails(path: Path, ids: np.ndarray) -> np.ndarray:
    """Read the small copies of some images, (n, h, w, 3) uint8, in the order asked for.

    Raises
    ------
    ValueError
        When one was not kept.
    """
    with h5py.File(path) as file:
        kept = file["ids"][:]
        places = np.searchsorted(kept, ids).clip(max=len(kept) - 1)
        if (kept[places] != ids).any():
            raise ValueError(f"{path} has no image {ids[kept[places] != ids][0]}")
        return np.stack([file["images"][place] for place in places])
