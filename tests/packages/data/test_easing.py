import numpy as np
from facelab_data.easing import rise, smoothstep


def test_it_is_flat_outside_and_rises_all_the_way_inside():
    x = np.linspace(-2, 5, 1001)
    y = smoothstep(1.0, 3.0, x)
    assert (y[x <= 1] == 0).all()
    assert (y[x >= 3] == 1).all()
    assert (np.diff(y[(x > 1) & (x < 3)]) > 0).all()


def test_turned_around_it_falls():
    x = np.linspace(-1, 2, 31)
    np.testing.assert_allclose(smoothstep(1.0, 0.0, x), 1 - smoothstep(0.0, 1.0, x), atol=1e-12)


def test_a_single_number_rises_to_the_last_bit_as_an_array_does():
    x = np.linspace(-2, 5, 1001)
    for low, high in ((1.0, 3.0), (0.55, -0.2)):
        assert [rise(low, high, one) for one in x] == smoothstep(low, high, x).tolist()
