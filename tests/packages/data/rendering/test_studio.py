import numpy as np
import pandas as pd
import pytest
from facelab_data import heads, morphable
from facelab_data.appearance import ALBEDO
from facelab_data.rendering import geometry, lighting
from facelab_data.rendering.scene import Camera
from facelab_data.rendering.studio import Shot, Studio, seat

CAMERA = Camera(0.0, 0.6, 1.6, 0.0, 0.05)
BEHIND = np.full((32, 32, 3), 0.2, np.float32)


@pytest.fixture(scope="module")
def head():
    model = morphable.load()
    zeros = {f"shape_{i:03d}": 0.0 for i in range(len(model.shape_names))}
    zeros |= {f"albedo_{i:03d}": 0.0 for i in range(len(ALBEDO))}
    who = {"identity": 0, "gender": "female", "age_years": 30.0, "ethnicity": "asian"}
    return heads.build(model, pd.DataFrame([who | zeros]), seed=0)[0]


def shot(head, *, y_deg=0.0, light=(0, 0), opening=0.0):
    return Shot(
        offsets=np.zeros((len(head.thickness), 3), np.float32),
        wrinkles=np.zeros(4),
        mouth_opening=opening,
        turn=geometry.turn(0.0, y_deg, 0.0),
        shift_m=(0.0, 0.0, 0.0),
        light=lighting.key_light(*light),
    )


def photograph(head, studio=None, **changes):
    studio = studio or Studio(32, 2)
    return studio.photograph(seat(head), shot(head, **changes), [CAMERA], [BEHIND])[0]


def test_a_picture_does_not_depend_on_the_one_before(head):
    studio = Studio(32, 2)
    photograph(head, studio, y_deg=25.0, light=(30, 50))
    np.testing.assert_array_equal(photograph(head, studio), photograph(head))


def test_sitting_does_not_change_the_head(head):
    before = head.vertices.copy(), head.channels.copy()
    photograph(head, y_deg=20.0)
    np.testing.assert_array_equal(head.vertices, before[0])
    np.testing.assert_array_equal(head.channels, before[1])


def test_light_from_a_side_brightens_that_side(head):
    for y_deg, sign in [(60, 1), (-60, -1)]:
        image = photograph(head, light=(0, y_deg)).astype(float)[12:22]
        assert sign * (image[:, 17:21].mean() - image[:, 11:15].mean()) > 10


def test_teeth_come_to_light_as_the_mouth_opens(head):
    studio = Studio(32, 2)
    look = seat(head).look
    closed, opened = (studio.express(look, shot(head, opening=k)).teeth for k in (0.0, 1.0))
    assert closed < opened == look.teeth
