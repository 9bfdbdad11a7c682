"""How much light leaves a point towards the eye.

Diffuse light wraps around the terminator, more in red than in blue, as it does
under the skin. The mirror part has two lobes of the GGX distribution (Walter et
al. 2007). The sky and the floor light what the mesh leaves open; in a fold, light
that bounces takes on the colour of the skin (Jimenez et al. 2016).
"""

import math

import numpy as np

from facelab_data.rendering.compiled import inline
from facelab_data.rendering.scene import Light, Surface
from facelab_data.rendering.vectors import (
    added,
    clamped,
    dot,
    mixed,
    normalised,
    scaled,
    smoothstep,
    times,
)

KEY, SKY, GROUND = (1.12, 1.09, 1.03), (0.92, 0.97, 1.06), (0.62, 0.55, 0.50)


def key_light(x_deg: float, y_deg: float) -> Light:
    """Build a studio's light: a key light, a weak fill from its other side, and a room.

    Parameters
    ----------
    x_deg : float
        Elevation of the key light; 0 at the height of the head, 90 straight above.
    y_deg : float
        Azimuth; 0 in front of the face, 90 at the right of the image.
    """
    x, y = np.radians(x_deg), np.radians(y_deg)
    direction = (np.sin(y) * np.cos(x), np.sin(x), np.cos(y) * np.cos(x))
    opposite = np.array([-direction[0], 0.25, 0.55])
    opposite /= np.sqrt(opposite @ opposite)
    return Light(
        direction=tuple(round(float(v), 12) for v in direction),
        colour=KEY,
        softness=0.006,
        fill_direction=tuple(float(v) for v in opposite),
        fill=0.10,
        ambient=0.34,
        sky=SKY,
        ground=GROUND,
        exposure=1.0,
    )


@inline
def wrapped(cosine: float, wrap: float) -> float:
    """Lambert's cosine, let around the terminator; wrap = 0 is Lambert's law."""
    d = max(0.0, (cosine + wrap) / (1.0 + wrap))
    return d * (1.0 - 0.5 * wrap + 0.5 * wrap * d)


@inline
def ggx(cosine: float, alpha_squared: float) -> float:
    """Density of microfacets whose normal makes this cosine with the surface normal."""
    d = cosine * cosine * (alpha_squared - 1.0) + 1.0
    return alpha_squared / (3.14159265 * d * d)


@inline
def bounced(occlusion: float, albedo: float) -> float:
    """Brighten an open share of the sky by the light that a fold of this albedo throws back."""
    return occlusion * occlusion / (occlusion + (1.0 - occlusion) * (1.0 - 0.75 * albedo) + 1e-6)


@inline
def fifth(x: float) -> float:
    """Raise to the fifth power, for Schlick's approximation of the Fresnel factor."""
    return x * x * x * x * x


@inline
def surroundings(normal: tuple, light: Light) -> tuple:
    """Light that arrives from sky and floor."""
    return scaled(mixed(light.ground, light.sky, 0.5 + 0.5 * normal[1]), light.ambient)


@inline
def highlight(surface: Surface, normal: tuple, view: tuple, light: Light) -> float:
    """Mirror reflection of the key light."""
    cosine = dot(normal, light.direction)
    if cosine <= 0.0 or surface.specular <= 0.0:
        return 0.0
    half = normalised(added(light.direction, view, 1.0))
    nh, vh = max(0.0, dot(normal, half)), clamped(dot(view, half))
    fresnel = surface.specular + (1.0 - surface.specular) * fifth(1.0 - vh) * 0.6
    rough = surface.roughness
    alpha = rough * rough * rough * rough
    facets = 0.7 * ggx(nh, alpha) + 0.3 * ggx(nh, min(1.0, 4.0 * alpha))
    k = (rough + 1.0) * (rough + 1.0) / 8.0
    nv = max(dot(normal, view), 0.05)
    masking = 0.25 / ((cosine * (1.0 - k) + k) * (nv * (1.0 - k) + k))
    return min(facets * masking * fresnel * cosine * 3.14159265, 6.0)


@inline
def sheen(surface: Surface, normal: tuple, view: tuple) -> float:
    """Mirror reflection of the surroundings, strongest at grazing angles."""
    edge = fifth(clamped(1.0 - dot(normal, view)))
    return (surface.specular + (1.0 - surface.specular) * edge * 0.35) * (
        0.9 - 0.6 * surface.roughness
    )


@inline
def diffuse(surface: Surface, normal: tuple, light: Light, shadow: float, open_: float) -> tuple:
    """Light that a surface scatters towards all sides."""
    cosine = dot(normal, light.direction)
    # A shadow map errs where the light grazes; the cosine does that part's work.
    shadow = 1.0 + (shadow - 1.0) * smoothstep(-0.15, 0.12, cosine)
    softer = 0.55 * shadow + 0.45 * math.sqrt(shadow) if surface.wrap[0] > 0.0 else shadow
    crevice = 0.35 + 0.65 * open_
    key = (
        light.colour[0] * wrapped(cosine, surface.wrap[0]) * softer * crevice,
        light.colour[1] * wrapped(cosine, surface.wrap[1]) * shadow * crevice,
        light.colour[2] * wrapped(cosine, surface.wrap[2]) * shadow * crevice,
    )
    fill = max(0.0, (dot(normal, light.fill_direction) + 0.2) / 1.2) * light.fill * open_
    bounce = (
        bounced(open_, surface.colour[0]),
        bounced(open_, surface.colour[1]),
        bounced(open_, surface.colour[2]),
    )
    arriving = added(key, times(surroundings(normal, light), bounce), 1.0)
    return times(surface.colour, added(arriving, (1.0, 1.0, 1.0), fill))


@inline
def radiance(surface: Surface, normal: tuple, view: tuple, light: Light, reach: tuple) -> tuple:
    """Light that leaves towards `view`; `reach` = (key light let through, sky left open)."""
    shadow, occlusion = reach
    open_ = occlusion * surface.openness
    out = diffuse(surface, normal, light, shadow, open_)
    if surface.specular <= 0.0:
        return out
    key = highlight(surface, normal, view, light) * shadow * (0.3 + 0.7 * open_)
    out = added(out, light.colour, key)
    return added(out, surroundings(normal, light), sheen(surface, normal, view) * open_)
