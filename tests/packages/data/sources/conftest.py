"""A row of ``stimuli`` to vary, and photographs of a few pixels."""

import numpy as np
import pytest
from facelab_data.sources.photographs import InOrder, Photographs
from facelab_data.splits import Splits
from PIL import Image


@pytest.fixture
def ask(tmp_path):
    """Give a function that makes a row: a source, and whatever differs from the usual values."""

    def row(source, **changes):
        values = {
            "path": str(tmp_path),
            "labels": "",
            "file_column": "",
            "identity": "",
            "split": "",
            "factors": {},
            "missing": (),
            "keep": {},
            "select": (),
            "size_px": 8,
            "crop": (0.0, 0.0, 1.0, 1.0),
            "grey": False,
            "splits": Splits(training=1, validation=0, testing=0, holdout=0.0),
            "in_order": InOrder(training=0, holdout=0),
        }
        return Photographs(source=source, **(values | changes))

    return row


@pytest.fixture
def put(tmp_path):
    """Give a function that puts small images of one brightness, or text, into the folder."""

    def paint(*names, brightness=0):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            pixels = np.full((10, 8, 3), brightness, np.uint8)
            Image.fromarray(pixels).save(tmp_path / name, format="PNG")

    def write(name, text):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    paint.text = write
    return paint
