"""From what is seen to light: every pixel's samples, looked up, lit and averaged."""

from typing import NamedTuple

import numpy as np

from facelab_data.rendering.compiled import inline, kernel
from facelab_data.rendering.eyes import eye_surface
from facelab_data.rendering.geometry import Turn, rotated
from facelab_data.rendering.hair import Strand, hair_radiance
from facelab_data.rendering.lighting import radiance
from facelab_data.rendering.mouth import tongue_surface, tooth_surface
from facelab_data.rendering.relief import relief, tilted
from facelab_data.rendering.scene import (
    EYE_RIGHT,
    HAIR,
    LASHES,
    SKIN,
    TEETH_LOWER,
    TEETH_UPPER,
    Camera,
    Light,
    Look,
    Surface,
)
from facelab_data.rendering.shadow import Frame, lit
from facelab_data.rendering.skin import Detail, Skin, skin_surface
from facelab_data.rendering.vectors import added, dot, normalised, scaled
from facelab_data.rendering.visibility import Buffers, Mesh, edges, signed_area


class Maps(NamedTuple):
    """What the shading looks up: arrays."""

    noise: np.ndarray
    wrinkles: np.ndarray
    moles: np.ndarray
    shadow: np.ndarray  # the light's nearness buffer


class Scene(NamedTuple):
    """What the loop over pixels reads: arrays, and the samples along a pixel's side."""

    mesh: Mesh
    seen: Buffers
    maps: Maps
    samples: int


class Settings(NamedTuple):
    """What is the same for all samples: numbers."""

    camera: Camera
    light: Light
    light_frame: Frame
    turned: Turn  # of the head, to carry wrinkles along
    shown: Detail


class Hit(NamedTuple):
    """A point on a triangle: where it is, and the way from there to the eye."""

    part: int
    corners: tuple
    weights: tuple
    point: tuple
    normal: tuple
    gaze: tuple


@inline
def channel(mesh: Mesh, corners: tuple, weights: tuple, k: int) -> float:
    """Interpolate one channel over a triangle."""
    ch = mesh.channels
    a, b, c = corners
    return weights[0] * ch[a, k] + weights[1] * ch[b, k] + weights[2] * ch[c, k]


@inline
def channels3(mesh: Mesh, corners: tuple, weights: tuple, k: int) -> tuple:
    """Interpolate three successive channels over a triangle."""
    return (
        channel(mesh, corners, weights, k),
        channel(mesh, corners, weights, k + 1),
        channel(mesh, corners, weights, k + 2),
    )


@inline
def hit(mesh: Mesh, sample: tuple, camera: Camera) -> Hit:
    """Find the point behind a sample: triangle, column, row, samples along a side."""
    t, column, row, size = sample
    corners = (mesh.triangles[t, 0], mesh.triangles[t, 1], mesh.triangles[t, 2])
    a, b, c = corners
    p = mesh.screen
    e = edges(p, corners, signed_area(p, corners))
    dx, dy = column + 0.5 - e.x, row + 0.5 - e.y
    u, v = e.ax * dx + e.ay * dy, e.bx * dx + e.by * dy
    u, v, w = u * p[a, 2], v * p[b, 2], (1.0 - u - v) * p[c, 2]
    depth = 1.0 / (u + v + w)
    weights = (u * depth, v * depth, w * depth)
    ray_x = ((column + 0.5) / size - 0.5 - camera.shift_x) / camera.focal
    ray_y = (0.5 + camera.shift_y - (row + 0.5) / size) / camera.focal
    point = (camera.x + ray_x * depth, ray_y * depth, camera.distance - depth)
    view = normalised((-ray_x, -ray_y, 1.0))
    normal = normalised(channels3(mesh, corners, weights, 0))
    return Hit(mesh.parts[t], corners, weights, point, normal, view)


@inline
def skin_at(mesh: Mesh, corners: tuple, weights: tuple, place: tuple) -> Skin:
    """Interpolate the maps of the skin."""
    return Skin(
        place,
        channel(mesh, corners, weights, 6),
        channel(mesh, corners, weights, 7),
        channel(mesh, corners, weights, 8),
        channel(mesh, corners, weights, 9),
        channel(mesh, corners, weights, 10),
        channel(mesh, corners, weights, 12),
        channel(mesh, corners, weights, 13),
        channel(mesh, corners, weights, 14),
        channel(mesh, corners, weights, 15),
    )


@inline
def wrinkled(normal: tuple, place: tuple, look: Look, maps: Maps, turned: Turn) -> tuple:
    """Tilt the normal by the relief; returns it and the light that a groove lets in."""
    slope_x, slope_y, height = relief(place, maps.wrinkles, maps.noise, look.noise_seed)
    if slope_x == 0.0 and slope_y == 0.0:
        return normal, 1.0
    normal = tilted(normal, rotated(turned, (slope_x, slope_y, 0.0)))
    return normal, max(0.4, 1.0 + 0.55 * min(0.0, height))


@inline
def lash_surface(look: Look) -> Surface:
    """Describe a lash, fairer where lashes are weak."""
    k = 1.0 - look.lashes
    colour = (0.02 + 0.20 * k, 0.016 + 0.14 * k, 0.013 + 0.10 * k)
    return Surface(colour, (0.0, 0.0, 0.0), 0.0, 0.5, 1.0)


@inline
def surface_at(mesh: Mesh, at: Hit, look: Look, maps: Maps, shown: Detail) -> Surface:
    """Describe the matter at a point, whatever its part."""
    part = at.part
    place = channels3(mesh, at.corners, at.weights, 3)
    if part == SKIN:
        skin = skin_at(mesh, at.corners, at.weights, place)
        return skin_surface(skin, look, maps.moles, maps.noise, shown)
    if part <= EYE_RIGHT:
        return eye_surface(place, look, maps.noise)
    if part <= TEETH_LOWER:
        return tooth_surface(place, part, look)
    if part == LASHES:
        return lash_surface(look)
    return tongue_surface()


@inline
def sample_radiance(mesh: Mesh, maps: Maps, look: Look, settings: Settings, sample: tuple) -> tuple:
    """Light that reaches a sample: triangle, column, row, samples along a side."""
    at = hit(mesh, sample, settings.camera)
    part, normal = at.part, at.normal
    if part >= LASHES and dot(normal, at.gaze) < 0.0:
        normal = scaled(normal, -1.0)
    light = settings.light
    shadow = 1.0
    if dot(normal, light.direction) > -0.35:
        shadow = lit(maps.shadow, settings.light_frame, at.point, normal, light.softness)
    occlusion = channel(mesh, at.corners, at.weights, 11)
    if part == HAIR:
        strand = Strand(
            channel(mesh, at.corners, at.weights, 6),
            channel(mesh, at.corners, at.weights, 7),
            normalised(channels3(mesh, at.corners, at.weights, 3)),
            normal,
            occlusion,
        )
        return hair_radiance(strand, look, at.gaze, light, (shadow, maps.noise))
    surface = surface_at(mesh, at, look, maps, settings.shown)
    if part == SKIN:
        place = channels3(mesh, at.corners, at.weights, 3)
        normal, groove = wrinkled(normal, place, look, maps, settings.turned)
        occlusion *= groove
    elif part >= TEETH_UPPER and part < LASHES:
        # the map of openness is of a mouth that is hardly open
        shadow = 0.55 + 0.45 * shadow
        occlusion = 0.55 + 0.45 * occlusion
    return radiance(surface, normal, at.gaze, light, (shadow, occlusion))


@inline
def is_plain(mesh: Mesh, seen: Buffers, x: int, y: int, samples: int) -> bool:
    """Tell whether a pixel lies within one smooth piece of skin or hair."""
    t = seen.owner[y, x]
    if t < 0 or (mesh.parts[t] != SKIN and mesh.parts[t] != HAIR):
        return False
    part = mesh.parts[t]
    least = most = seen.nearness[y, x]
    for j in range(samples):
        for i in range(samples):
            other = seen.owner[y + j, x + i]
            if other < 0 or mesh.parts[other] != part:
                return False
            least = min(least, seen.nearness[y + j, x + i])
            most = max(most, seen.nearness[y + j, x + i])
    return most <= 1.02 * least


@inline
def pixel_radiance(scene: Scene, look: Look, settings: Settings, x: int, y: int) -> tuple:
    """Average the samples of a pixel; returns light, and the share that nothing covers.

    Within one smooth piece the samples on the pixel's diagonal stand for all.
    """
    mesh, seen, maps, n = scene
    size = seen.owner.shape[0]
    plain = is_plain(mesh, seen, x * n, y * n, n)
    total = (0.0, 0.0, 0.0)
    free = 0
    for j in range(n):
        for i in range(n):
            if plain and i != j:
                continue
            column, row = x * n + i, y * n + j
            t = seen.owner[row, column]
            if t < 0:
                free += 1
                continue
            light = sample_radiance(mesh, maps, look, settings, (t, column, row, size))
            total = added(total, light, 1.0)
    weight = 1.0 / n if plain else 1.0 / (n * n)
    return scaled(total, weight), free * weight


@kernel
def shade(
    scene: Scene, look: Look, settings: Settings, background: np.ndarray, out: np.ndarray
) -> None:
    """Light every pixel; background and out (R, R, 3), linear light."""
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            light, free = pixel_radiance(scene, look, settings, x, y)
            for c in range(3):
                out[y, x, c] = light[c] + background[y, x, c] * free
