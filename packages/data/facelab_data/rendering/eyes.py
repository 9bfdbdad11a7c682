"""The eyeball: sclera, iris and pupil, drawn on a sphere."""

import math

import numpy as np

from facelab_data.rendering.compiled import inline
from facelab_data.rendering.noise import value
from facelab_data.rendering.scene import Look, Surface
from facelab_data.rendering.vectors import added, decay, mixed, normalised, scaled, smoothstep

PUPIL = (0.006, 0.006, 0.006)


@inline
def sclera(direction: tuple, radius: float, look: Look, lattice: np.ndarray) -> tuple:
    """White of the eye, pinker towards the corners."""
    x, y, z = direction
    veins = value(lattice, x * 14.0 + look.noise_seed, y * 14.0, z * 3.0)
    red = max(0.0, radius - 0.3) * (0.35 + veins)
    return scaled((0.80, 0.76 - 0.10 * red, 0.73 - 0.13 * red), look.sclera)


@inline
def iris(direction: tuple, radius: float, look: Look, lattice: np.ndarray) -> tuple:
    """Fibres, a dark rim, a bright collar, and the pupil; `radius` 1 is the iris's edge."""
    reach = math.sqrt(direction[0] * direction[0] + direction[1] * direction[1]) + 1e-6
    c, s = direction[0] / reach, direction[1] / reach
    fibre = value(lattice, c * 9.0 + look.noise_seed, s * 9.0, radius * 3.0)
    rim = 1.0 - 0.72 * smoothstep(0.80, 1.0, radius)
    colour = (look.iris_r, look.iris_g, look.iris_b)
    colour = scaled(colour, (0.65 + 0.75 * fibre) * (1.15 - 0.25 * radius) * rim)
    q = (radius - 0.45) / 0.16
    colour = added(colour, (0.012, 0.008, 0.002), decay(q * q))
    edge = look.pupil_size
    return mixed(PUPIL, colour, smoothstep(edge - 0.06, edge + 0.06, radius))


@inline
def eye_surface(direction: tuple, look: Look, lattice: np.ndarray) -> Surface:
    """Describe the eyeball in a direction from its centre (z is the pupil's)."""
    direction = normalised(direction)
    x, y, z = direction
    reach = math.sqrt(x * x + y * y)
    radius = reach / look.iris_size
    colour = sclera(direction, reach, look, lattice)
    if z > 0.0 and radius < 1.12:
        inner = iris(direction, radius, look, lattice)
        colour = mixed(inner, colour, smoothstep(0.93, 1.10, radius))
    # the lids shade the ball from above, from below and at its corners
    lids = 0.50 * smoothstep(0.14, 0.55, y) + 0.12 * smoothstep(0.2, 0.6, -y)
    lids += 0.25 * smoothstep(0.45, 0.9, abs(x))
    return Surface(colour, (0.25, 0.15, 0.12), 0.06, 0.21, max(0.25, 1.0 - lids))
