"""Hair and lashes: where a strand covers the image, and how it shines.

A point of the hair shell is known by its strand coordinate, 0 to 1 around the
head, and by its place along the strand, 0 at the root to 1 at the tip.
"""

import math
from typing import NamedTuple

from facelab_data.rendering.compiled import inline
from facelab_data.rendering.lighting import surroundings
from facelab_data.rendering.noise import line, plane
from facelab_data.rendering.scene import Light, Look
from facelab_data.rendering.vectors import (
    added,
    dot,
    mixed,
    normalised,
    scaled,
    smoothstep,
    times,
)

LOCKS, STRANDS = 64.0, 300.0  # around the head
GREY, WHITE = (0.42, 0.40, 0.38), (0.50, 0.48, 0.46)


class Strand(NamedTuple):
    """Hair at a point: place across and along the strands, direction, and light let in."""

    across: float
    along: float
    tangent: tuple
    normal: tuple
    occlusion: float


@inline
def is_dense(along: float, raggedness: float, facing: float) -> bool:
    """Tell whether hair is surely opaque: before every tip, and not at its outline."""
    return along < 0.99 - 1.45 * raggedness and facing > 0.13


@inline
def hair_opacity(across: float, along: float, raggedness: float, facing: float) -> float:
    """Let tips end lock by lock, and the outline of the shell thin out."""
    fade = 0.25 * raggedness + 0.008
    if along >= 1.0 + fade:  # beyond every tip
        return 0.0
    if is_dense(along, raggedness, facing):
        return 1.0
    lock, strand = line(across * LOCKS, 1), line(across * STRANDS, 2)
    end = 1.0 - raggedness * (0.9 * lock * lock + 0.3 * strand)
    tip = smoothstep(end + fade, end - fade, along)
    return tip * smoothstep(-0.06, 0.08, facing + 0.08 * (lock - 0.5))


@inline
def lash_opacity(across: float, along: float) -> float:
    """Let each lash thin out towards its tip; the upper ones, above 100, are longer."""
    lash = line(across * 1.6, 3)
    end = 0.26 + 0.24 * lash if across > 100.0 else 0.05 + 0.12 * lash
    return smoothstep(end + 0.10, end - 0.10, along)


@inline
def pigment(look: Look, across: float, shade: float) -> tuple:
    """Mix hair colour and grey, strand by strand, as `grey` goes from 0 to 1."""
    grey = look.grey
    turned = 1.0 - smoothstep(grey - 0.25, grey + 0.25, line(across * 420.0, 4))
    share = grey * (0.6 * grey + 0.4 * turned)
    base = mixed((look.hair_r, look.hair_g, look.hair_b), GREY, share)
    base = mixed(base, WHITE, smoothstep(0.9, 1.0, grey))
    return (base[0] * shade + 0.003, base[1] * shade + 0.003, base[2] * shade + 0.003)


@inline
def lobes(strand: Strand, view: tuple, light: Light, shift: float, curl: float) -> tuple:
    """Two highlights along the strand (Kajiya & Kay 1989): white, and tinted further down."""
    half = normalised(added(light.direction, view, 1.0))
    t = dot(strand.tangent, half) + shift
    s = max(0.0, 1.0 - t * t)
    s4 = s * s * s * s
    s16 = s4 * s4 * s4 * s4
    white = s16 * s16 * 0.05 * (1.0 - 0.8 * curl)
    t -= 0.22
    s = max(0.0, 1.0 - t * t)
    return white, s * s * s * s * s * s * s * 0.35 * (1.0 - 0.7 * curl)


@inline
def hair_radiance(strand: Strand, look: Look, view: tuple, light: Light, around: tuple) -> tuple:
    """Light that leaves a lock of hair; `around` = (key light let through, noise lattice)."""
    shadow, lattice = around
    curl, seed = look.curl, look.noise_seed
    lock = plane(lattice, strand.across * 130.0 + seed, strand.along * (3.0 + 37.0 * curl), 3)
    fine = plane(lattice, strand.across * 520.0, strand.along * (2.0 + 78.0 * curl) + seed, 8)
    colour = pigment(look, strand.across, 0.40 + 0.80 * lock + (0.35 + 0.4 * curl) * (fine - 0.5))
    normal = strand.normal
    cosine = dot(normal, light.direction)
    along = dot(strand.tangent, light.direction)
    fibre = math.sqrt(max(0.0, 1.0 - along * along)) * 0.55 * smoothstep(-0.35, 0.5, cosine)
    key = (fibre + 0.45 * max(0.0, cosine)) * shadow
    sky = surroundings(normal, light)
    arriving = added(scaled(light.colour, key), sky, (0.15 + 0.85 * strand.occlusion) * 0.8)
    fill = max(0.0, dot(normal, light.fill_direction)) * light.fill * strand.occlusion
    arriving = added(arriving, (1.0, 1.0, 1.0), fill)
    white, tinted = lobes(strand, view, light, 0.12 * (lock - 0.5) + 0.06, curl)
    open_ = smoothstep(-0.2, 0.4, cosine) * shadow * (0.4 + 0.6 * strand.occlusion)
    out = added(times(colour, arriving), light.colour, white * open_)
    return added(out, times(light.colour, colour), tinted * open_)
