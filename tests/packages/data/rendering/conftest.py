import numpy as np
import pytest
from facelab_data.rendering.scene import N_CHANNELS, Look
from facelab_data.rendering.visibility import Mesh


@pytest.fixture
def look():
    """A look whose every field is small and positive."""
    values = dict.fromkeys(Look._fields, 0.1)
    values |= {"iris_size": 0.5, "pupil_size": 0.4, "brow_inner": 0.1, "brow_outer": 0.4}
    return Look(**values | {"brow_height": 0.3, "brow_density": 0.9, "sclera": 1.0, "teeth": 1.0})


@pytest.fixture
def soup():
    """Random triangles in an image of 24 samples, as a `Mesh` of skin."""
    rng = np.random.default_rng(4)
    screen = rng.uniform(-4, 28, (60, 3)).astype(np.float32)
    screen[:, 2] = rng.uniform(1, 2, 60)
    triangles = rng.permutation(60).reshape(20, 3).astype(np.int32)
    a, b, c = screen[triangles].transpose(1, 0, 2)[..., :2].astype(float)
    area = (b - a)[:, 0] * (c - a)[:, 1] - (c - a)[:, 0] * (b - a)[:, 1]
    triangles[area > 0] = triangles[area > 0][:, ::-1]
    channels = np.zeros((60, N_CHANNELS), np.float32)
    return Mesh(screen, channels, np.ascontiguousarray(triangles), np.zeros(20, np.int32))
