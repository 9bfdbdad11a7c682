"""What the renderer is given: a head, its looks, and the light on it.

Axes, here and in all of `rendering`: V vertices, F triangles, S samples and
R pixels along an image side. Lengths are metres; x points to the right of the
image, y up, z towards the viewer. Colours are linear light, 0 to 1.

The named tuples go into the compiled kernels as they are, so that a kernel
reads ``look.melanin`` and not a slot number.
"""

from typing import NamedTuple

import numpy as np

SKIN, EYE_LEFT, EYE_RIGHT, TEETH_UPPER, TEETH_LOWER, TONGUE, LASHES, HAIR = 0, 1, 2, 3, 4, 5, 6, 10

N_CHANNELS = 16
NORMAL = 0  # and 1, 2: unit normal of the posed vertex
PLACE = 3  # and 4, 5: skin: canonical position (dm); eyes: direction from the centre; hair: tangent
MELANIN, HAEMOGLOBIN = 6, 7  # on skin
STRAND, STRAND_LENGTH = 6, 7  # on hair and lashes: across the strands, from root (0) to tip (1)
SCALP = 8  # signed height above the hairline, m
LIPS, MOUTH_INSIDE, OCCLUSION = 9, 10, 11  # 0 to 1; OCCLUSION 1 = open to the sky
CLOTH = 12  # signed distance inside the clothing, m
OIL, BEARD, DARK = 13, 14, 15  # 0 to 1


class Look(NamedTuple):
    """Everything of a face's appearance that is not a map over its vertices.

    All are floats. Colours are three fields, ending in _r, _g, _b.
    """

    noise_seed: float
    mottle: float
    freckles: float
    brow_height: float
    brow_arch: float
    brow_slope: float
    brow_thickness: float
    brow_density: float
    brow_inner: float
    brow_outer: float
    brow_r: float
    brow_g: float
    brow_b: float
    hair_r: float
    hair_g: float
    hair_b: float
    grey: float
    scalp: float
    curl: float
    raggedness: float
    beard_r: float
    beard_g: float
    beard_b: float
    lip_melanin: float
    lip_haemoglobin: float
    lipstick: float
    lipstick_r: float
    lipstick_g: float
    lipstick_b: float
    lip_gloss: float
    wrinkles_forehead: float
    wrinkles_eyes: float
    wrinkles_mouth: float
    wrinkles_glabella: float
    iris_r: float
    iris_g: float
    iris_b: float
    iris_size: float
    pupil_size: float
    sclera: float
    lashes: float
    teeth: float
    oil: float
    yellow: float
    cloth_r: float
    cloth_g: float
    cloth_b: float
    cloth_pattern: float


class Head(NamedTuple):
    """One identity, ready to be given an expression and a pose.

    Attributes
    ----------
    vertices : (V, 3) float32
        Neutral shape, the origin midway between the eyes: the head's n vertices, then the
        hair shell.
    triangles : (F, 3) int32
        Corners; the same for every identity.
    parts : (F,) int32
        SKIN … HAIR.
    channels : (V, N_CHANNELS) float32
        See the constants of this module; normals are filled in after posing.
    pose_weight : (V,) float32
        How far a vertex follows the head's rotation: 1 on the skull, 0 at the shoulders.
    thickness : (n,) float32
        How far beard and cloth stand off the skin, m.
    moles : (M, 4) float32
        Canonical x and y (dm), radius (dm), darkness; M >= 1.
    look : Look
    """

    vertices: np.ndarray
    triangles: np.ndarray
    parts: np.ndarray
    channels: np.ndarray
    pose_weight: np.ndarray
    thickness: np.ndarray
    moles: np.ndarray
    look: Look


class Camera(NamedTuple):
    """A pinhole that looks straight ahead, from (x, 0, distance) along -z.

    Two eyes look in parallel; a shift of the image, and no turn of the camera,
    brings the plane z = 0 to the same place in both (no vertical disparity).
    """

    x: float  # m
    distance: float  # m
    focal: float  # image sides per unit of the tangent of the visual angle
    shift_x: float  # image sides, to the right
    shift_y: float  # image sides, downwards


class Light(NamedTuple):
    """A distant key light with a weaker fill, under a sky and above a floor."""

    direction: tuple  # unit vector towards the key light
    colour: tuple
    softness: float  # m over which the edge of a shadow fades
    fill_direction: tuple
    fill: float
    ambient: float
    sky: tuple
    ground: tuple
    exposure: float


class Surface(NamedTuple):
    """What light meets at a point: matter without geometry."""

    colour: tuple  # albedo
    wrap: tuple  # how far light creeps around the terminator, per channel
    specular: float  # reflectance at normal incidence
    roughness: float
    openness: float  # share of the sky that folds and lids leave open, on top of the mesh's own
