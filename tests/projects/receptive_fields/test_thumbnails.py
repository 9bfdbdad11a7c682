import numpy as np
import pytest

from projects.receptive_fields.thumbnails import keep_thumbnails, read_thumbnails


def test_small_copies_are_kept_and_read_in_any_order(viewer, made, tmp_path):
    keep_thumbnails(tmp_path / "images.h5", viewer, np.array([1, 4, 9]), 12)
    found = read_thumbnails(tmp_path / "images.h5", np.array([9, 1]))
    assert found.shape == (2, 12, 12, 3)
    means = made.images(np.array([9, 1])).reshape(2, 12, 2, 12, 2, 3).mean(axis=(2, 4))
    assert abs(found - means).max() <= 1


def test_images_that_are_small_already_stay_as_they_are(viewer, made, tmp_path):
    keep_thumbnails(tmp_path / "images.h5", viewer, np.array([3]), 100)
    found = read_thumbnails(tmp_path / "images.h5", np.array([3]))
    assert np.array_equal(found, made.images(np.array([3])))


def test_an_image_that_was_not_kept_is_named(viewer, tmp_path):
    keep_thumbnails(tmp_path / "images.h5", viewer, np.array([1, 4]), 12)
    with pytest.raises(ValueError, match="has no image 11"):
        read_thumbnails(tmp_path / "images.h5", np.array([4, 11]))
