import os

import numpy as np
import pytest
from facelab_data.sources.pixels import load
from PIL import Image


@pytest.fixture
def quarters():
    """Four quarters: red, green, blue, white; 32 by 32 pixels."""
    colours = np.uint8([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]])
    return colours.repeat(16, axis=0).repeat(16, axis=1)


def saved(tmp_path, pixels, name="a.png", mode=None, **options):
    image = Image.fromarray(pixels)
    (image.convert(mode, palette=Image.Palette.ADAPTIVE) if mode else image).save(
        tmp_path / name, **options
    )
    return tmp_path / name


def corners(image):
    return image[[0, 0, -1, -1], [0, -1, 0, -1]].tolist()


RED, GREEN, BLUE, WHITE = [255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]


def test_an_image_of_the_right_size_is_left_as_it_is(tmp_path, quarters):
    image = load(saved(tmp_path, quarters), size_px=32)
    assert image.dtype == np.uint8
    assert (image == quarters).all()


def test_the_camera_is_held_upright(tmp_path, quarters):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise to see it upright
    path = saved(tmp_path, quarters, exif=exif)
    assert corners(load(path, size_px=32)) == [BLUE, RED, WHITE, GREEN]


def test_the_crop_is_taken_in_fractions(tmp_path, quarters):
    image = load(saved(tmp_path, quarters), size_px=8, crop=(0.5, 0, 1, 0.5))
    # Towards the edge the filter sees a little of what lies beyond.
    assert (image[3:-3, 3:-3] == GREEN).all()


def test_nothing_is_squeezed(tmp_path):
    disc = np.hypot(*np.mgrid[-40:40, -60:60] + 0.5) < 30
    image = load(saved(tmp_path, np.uint8(255 * disc)), size_px=80)[..., 0] > 127
    assert abs(image.any(axis=0).sum() - image.any(axis=1).sum()) <= 1
    assert abs(image.any(axis=0).sum() - 60) <= 2


def test_scaling_down_averages_what_it_merges(tmp_path):
    checks = np.uint8(255 * (np.indices((64, 64)).sum(axis=0) % 2))
    image = load(saved(tmp_path, checks), size_px=8)
    assert np.abs(image[1:-1, 1:-1].astype(int) - 127).max() < 8


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "CMYK", "1", "I;16"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    ramp = np.linspace(0, 255, 64, dtype=np.uint8).reshape(8, 8)
    if mode == "I;16":
        path = saved(tmp_path, ramp.astype(np.uint16) * 257)
    elif mode == "1":
        ramp = np.uint8(255 * (ramp > 127))
        path = saved(tmp_path, ramp, mode="1")
    else:
        name = "a.tif" if mode == "CMYK" else "a.png"
        path = saved(tmp_path, np.stack([ramp] * 3, axis=2), name, mode=mode)
    image = load(path, size_px=8)
    assert image.shape == (8, 8, 3)
    assert np.abs(image.astype(int) - ramp[..., None]).max() <= 2


def test_what_is_transparent_becomes_mid_grey(tmp_path):
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[:2] = 255
    image = load(saved(tmp_path, pixels), size_px=4)
    assert (image[:2] == 255).all()
    assert (image[2:] == 128).all()
    palette = saved(tmp_path, np.zeros((4, 4), np.uint8), "p.png", mode="P", transparency=0)
    assert (load(palette, size_px=4) == 128).all()


def test_colour_can_be_discarded(tmp_path, quarters):
    image = load(saved(tmp_path, quarters), size_px=32, grey=True)
    assert (image == image[..., :1]).all()
    assert len(np.unique(image)) == 4


def test_a_damaged_image_is_named_in_one_line(tmp_path, quarters, rng):
    noise = rng.integers(256, size=(64, 64, 3), dtype=np.uint8)
    for name in ["a.png", "a.jpg", "a.tif"]:
        path = saved(tmp_path, noise, name)
        path.write_bytes(path.read_bytes()[:300])
        with pytest.raises(ValueError, match=f"cannot read image .*{name}: ") as error:
            load(path, size_px=8)
        assert "\n" not in str(error.value)
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(ValueError, match=r"cannot read image .*text.png"):
        load(tmp_path / "text.png", size_px=8)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "face.png")
    with pytest.raises(ValueError, match="it is not a file"):
        load(tmp_path / "face.png", size_px=8)


def test_fractional_values_are_refused(tmp_path):
    path = saved(tmp_path, np.ones((4, 4), np.float32), "a.tif")
    with pytest.raises(ValueError, match="neither of 8 nor of 16 bits"):
        load(path, size_px=4)


def test_a_crop_of_as_many_pixels_is_copied_and_not_resampled(tmp_path, rng):
    """227 of 256 pixels lie half a pixel off centre: up and to the left, as others cut them."""
    noise = rng.integers(256, size=(256, 256, 3), dtype=np.uint8)
    path = saved(tmp_path, noise)
    inset = 14.5 / 256
    image = load(path, size_px=227, crop=(inset, inset, 1 - inset, 1 - inset))
    assert (image == noise[14:241, 14:241]).all()
    assert (load(path, size_px=256) == noise).all()
    wide = saved(tmp_path, noise[:100], "b.png")
    assert (load(wide, size_px=100) == noise[:100, 78:178]).all()


def test_another_way_to_open_images_can_be_named(tmp_path, quarters):
    image = load(tmp_path / "none", size_px=32, opened=lambda path: Image.fromarray(quarters))
    assert (image == quarters).all()
    with pytest.raises(ValueError, match=r"cannot read image .*none: 1"):
        load(tmp_path / "none", size_px=32, opened=lambda path: {}[1])
