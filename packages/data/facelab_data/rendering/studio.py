"""One head, in one pose and light, before one or two cameras: the order of the stages.

pose -> shadow map -> visibility -> normals -> shading -> tone. A studio owns the
arrays that the stages write to, so that a series of pictures allocates nothing;
no picture depends on the one before.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from facelab_data.rendering import geometry, noise, relief, shade, shadow, skin, tone, visibility
from facelab_data.rendering.scene import (
    LASHES,
    PLACE,
    Camera,
    Head,
    Light,
    Look,
)

HEAD_CENTRE = np.array([0.0, -0.012, -0.068], np.float32)  # m, from between the eyes
LIGHT_SIZE = 168  # samples along a side of the light's picture
LIGHT_EXTENT = 0.215  # m, half a side of it
LIGHT_CENTRE = (0.0, -0.02, 0.0)  # m, from the head's centre


class Sitter(NamedTuple):
    """A head made ready, its centre at the origin.

    vertices (V, 3) and channels (V, C) are the sitter's own; tangents (V - first_hair, 3).
    """

    vertices: np.ndarray
    channels: np.ndarray
    tangents: np.ndarray
    head: Head
    look: Look


def seat(head: Head) -> Sitter:
    """Make a head ready: put on beard and cloth, and move its centre to the origin."""
    n = len(head.thickness)
    vertices = head.vertices.astype(np.float32)
    lifted = np.zeros(len(vertices), bool)
    lifted[:n] = head.thickness > 0
    outside = np.zeros(vertices.shape, np.float32)
    geometry.normals_at(lifted, vertices, head.triangles, outside)
    lifted = np.flatnonzero(lifted)
    vertices[lifted] += outside[lifted] * head.thickness[lifted, None]
    vertices -= HEAD_CENTRE  # vertices are counted from between the eyes
    tangents = head.channels[n:, PLACE : PLACE + 3].copy()
    look = Look(*(float(value) for value in head.look))
    return Sitter(vertices, head.channels.copy(), tangents, head, look)


@dataclass(frozen=True, kw_only=True)
class Shot:
    """What changes from picture to picture of one sitter.

    Attributes
    ----------
    offsets : (n, 3) float32
        Displacement of the head's vertices by the expression, m.
    wrinkles : (4,) array
        How much deeper the expression makes each group of `relief.GROUPS`.
    mouth_opening : float
        0 to 1; light on teeth.
    turn : Turn
    shift_m : tuple of 3 floats
    light : Light
    """

    offsets: np.ndarray
    wrinkles: np.ndarray
    mouth_opening: float
    turn: geometry.Turn
    shift_m: tuple[float, float, float]
    light: Light


class Studio:
    """Draws sitters at one size.

    Parameters
    ----------
    size_px : int
    samples : int
        Samples along each side of a pixel.
    tone_curve : str
        One of `tone.CURVES`.
    """

    def __init__(self, size_px: int, samples: int, tone_curve: str = "soft") -> None:
        self.size_px, self.samples = size_px, samples
        self.noise = noise.table()
        self.grooves = relief.grooves()
        self.curve = tone.curve(tone_curve)
        self.thresholds = visibility.coverage_thresholds(samples)
        self.opaque = np.full((1, 1), 0.5, np.float32)
        self.seen = visibility.buffers(size_px * samples)
        self.seen_by_light = visibility.buffers(LIGHT_SIZE)
        self.wrinkles = np.empty(self.grooves.shape[1:], np.float32)
        self.light = np.empty((size_px, size_px, 3), np.float32)
        self.posed = self.screen = np.empty((0, 3), np.float32)
        self.wanted = np.empty(0, bool)

    def photograph(
        self, sitter: Sitter, shot: Shot, cameras: list[Camera], backgrounds: list[np.ndarray]
    ) -> np.ndarray:
        """Draw one picture per camera.

        Parameters
        ----------
        sitter : Sitter
        shot : Shot
        cameras : list of Camera
        backgrounds : list of (R, R, 3) float32
            Linear light behind the head, for each camera.

        Returns
        -------
        images : (cameras, R, R, 3) uint8
        """
        self.pose(sitter, shot)
        frame = self.cast_shadow(sitter, shot)
        look = self.express(sitter.look, shot)
        maps = shade.Maps(self.noise, self.wrinkles, sitter.head.moles, self.seen_by_light.nearness)
        images = np.empty((len(cameras), self.size_px, self.size_px, 3), np.uint8)
        for image, camera, background in zip(images, cameras, backgrounds, strict=True):
            mesh = self.look_through(camera, sitter, look)
            pixel_m = camera.distance / camera.focal / self.size_px
            settings = shade.Settings(camera, shot.light, frame, shot.turn, skin.detail(pixel_m))
            scene = shade.Scene(mesh, self.seen, maps, self.samples)
            shade.shade(scene, look, settings, background, self.light)
            tone.encode(self.light, shot.light.exposure, self.curve, image)
        return images

    def pose(self, sitter: Sitter, shot: Shot) -> None:
        """Put the sitter's vertices in place, and find the normals of the hair."""
        head, n = sitter.head, len(shot.offsets)
        if len(self.posed) != len(sitter.vertices):
            self.posed, self.screen = (np.empty_like(sitter.vertices) for _ in range(2))
        moved = sitter.vertices.copy()
        moved[:n] += shot.offsets
        geometry.pose(moved, head.pose_weight, shot.turn, shot.shift_m, self.posed)
        hair = sitter.channels[n:, PLACE : PLACE + 3]
        geometry.turn_tangents(sitter.tangents, head.pose_weight[n:], shot.turn, hair)
        if len(self.wanted) != len(sitter.vertices):
            self.wanted = np.empty(len(sitter.vertices), bool)
        self.wanted[:n], self.wanted[n:] = False, True
        geometry.normals_at(self.wanted, self.posed, head.triangles, sitter.channels)

    def cast_shadow(self, sitter: Sitter, shot: Shot) -> shadow.Frame:
        """Draw the head as the light sees it."""
        centre = tuple(a + b for a, b in zip(shot.shift_m, LIGHT_CENTRE, strict=True))
        frame = shadow.frame(shot.light.direction, centre, LIGHT_EXTENT)
        shadow.project_to_light(self.posed, frame, LIGHT_SIZE, self.screen)
        head = sitter.head
        mesh = visibility.Mesh(self.screen, sitter.channels, head.triangles, head.parts)
        visibility.raster(mesh, self.opaque, sitter.look.raggedness, LASHES, self.seen_by_light)
        return frame

    def express(self, look: Look, shot: Shot) -> Look:
        """Deepen the wrinkles and light up the teeth as the expression asks."""
        own = np.array([getattr(look, f"wrinkles_{group}") for group in relief.GROUPS])
        flat = self.grooves.reshape(len(own), -1)  # in one row, so that it is done in vectors
        relief.engrave(flat, relief.extents(), own + shot.wrinkles, self.wrinkles.reshape(-1))
        return look._replace(teeth=look.teeth * (0.22 + 0.78 * shot.mouth_opening))

    def look_through(self, camera: Camera, sitter: Sitter, look: Look) -> visibility.Mesh:
        """Find what a camera sees, and the normals there."""
        geometry.project(self.posed, camera, len(self.seen.owner), self.screen)
        head = sitter.head
        mesh = visibility.Mesh(self.screen, sitter.channels, head.triangles, head.parts)
        visibility.raster(mesh, self.thresholds, look.raggedness, -1, self.seen)
        visibility.corners_seen(mesh.triangles, self.seen, self.wanted)
        geometry.normals_at(self.wanted, self.posed, head.triangles, sitter.channels)
        return mesh
