import numpy as np
import pytest
from facelab_data import backgrounds


@pytest.mark.parametrize("number", range(4))
def test_a_background_is_a_function_of_number_and_seed(number):
    one = backgrounds.make(number, 32, seed=5)
    assert one.shape == (32, 32, 3)
    assert one.dtype == np.float32
    assert (one > 0).all()
    assert (one <= 1).all()
    np.testing.assert_array_equal(one, backgrounds.make(number, 32, seed=5))
    assert not np.array_equal(one, backgrounds.make(number, 32, seed=6))


def test_backgrounds_differ_from_each_other():
    images = np.stack([backgrounds.make(k, 24, seed=0) for k in range(24)])
    apart = np.abs(images[:, None] - images[None]).mean(axis=(2, 3, 4))
    assert apart[~np.eye(24, dtype=bool)].min() > 0.005


def test_every_kind_appears_and_the_plain_one_is_plain():
    contrast = [backgrounds.make(k, 24, seed=0).std(axis=(0, 1)).max() for k in range(4)]
    assert contrast[0] < 1e-5
    assert min(contrast[1:]) > 0.005


def test_noise_holds_most_of_its_power_in_low_frequencies():
    image = backgrounds.make(2, 64, seed=0).mean(axis=2)
    power = np.abs(np.fft.fft2(image - image.mean())) ** 2
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(64), np.fft.fftfreq(64)))
    assert power[frequency < 0.1].mean() > 20 * power[frequency > 0.3].mean()


def test_scrambled_phases_keep_the_amplitude_spectrum_up_to_contrast():
    image = np.random.default_rng(0).random((16, 16, 3)) * [1.0, 0.5, 2.0]
    image[3:8, 4:12] += 1
    scrambled = backgrounds.phase_scramble(image, np.random.default_rng(1))
    before, after = (np.abs(np.fft.fft2(x, axes=(0, 1))).reshape(-1, 3) for x in (image, scrambled))
    for channel in range(3):
        ratio = after[1:, channel] / before[1:, channel]
        assert np.ptp(ratio) < 1e-3 * ratio.mean()
        assert np.ptp(scrambled[..., channel]) == pytest.approx(1)
    assert abs(np.corrcoef(image.ravel(), scrambled.ravel())[0, 1]) < 0.5


def test_scrambling_a_plain_image_gives_no_invalid_number():
    flat = backgrounds.phase_scramble(np.ones((8, 8, 3)), np.random.default_rng(0))
    assert np.isfinite(flat).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [((-1, 8, 0), "background is -1"), ((0, 0, 0), "size_px is 0"), ((0, 8, -2), "seed is -2")],
)
def test_what_cannot_be_painted_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        backgrounds.make(values[0], values[1], seed=values[2])
