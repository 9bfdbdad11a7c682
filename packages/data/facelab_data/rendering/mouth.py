"""Teeth and tongue.

The mesh holds a plain band; teeth are drawn on it in canonical coordinates, with
the widths of an average dental arch as seen from the front.
"""

from facelab_data.rendering.compiled import inline
from facelab_data.rendering.scene import TEETH_UPPER, Look, Surface
from facelab_data.rendering.vectors import mixed, scaled, smoothstep

ENAMEL, GUM, TONGUE_COLOUR = (0.88, 0.85, 0.77), (0.42, 0.13, 0.12), (0.40, 0.13, 0.12)
# Where incisors, canine and premolars end, dm from the middle.
UPPER_ENDS = (0.086, 0.150, 0.212, 0.256, 0.286, 0.330)
LOWER_ENDS = (0.053, 0.110, 0.170, 0.225, 0.270, 0.330)


@inline
def across_tooth(x: float, ends: tuple) -> float:
    """Place across a tooth, -1 to 1."""
    start = 0.0
    place = 0.0
    for end in ends:
        if start <= x < end:
            place = 2.0 * (x - start) / (end - start) - 1.0
        start = end
    return place


@inline
def tooth_surface(place: tuple, part: int, look: Look) -> Surface:
    """Describe teeth and gums at a canonical place."""
    x, y = abs(place[0]), place[1]
    upper = part == TEETH_UPPER
    q = across_tooth(x, UPPER_ENDS if upper else LOWER_ENDS)
    q2 = q * q
    if upper:
        gum = smoothstep(-0.41, -0.385, y - 0.020 * q2)
        tip = smoothstep(-0.470, -0.495, y - 0.012 * q2)
    else:
        gum = smoothstep(-0.49, -0.53, y + 0.020 * q2)
        tip = smoothstep(-0.42, -0.39, y)
    # each tooth is a rounded block; gaps and the depth of the mouth are dark
    shade = (1.0 - 0.50 * q2 * q2 * q2) * (1.0 - 0.45 * smoothstep(0.16, 0.31, x))
    shade *= 1.0 - 0.12 * tip
    if not upper:
        shade *= 0.82
    colour = mixed(scaled(ENAMEL, shade), scaled(GUM, 0.5 + 0.5 * shade), gum)
    return Surface(scaled(colour, look.teeth), (0.3, 0.3, 0.3), 0.045, 0.25, 1.0)


@inline
def tongue_surface() -> Surface:
    """Describe the tongue."""
    return Surface(TONGUE_COLOUR, (0.3, 0.1, 0.1), 0.03, 0.40, 1.0)
