"""Drawing faces of 112 px end to end, every image a new person, beside general renderers.

A stimulus set is made in two processes and written to disk. The renderers draw one head, made
ready beforehand, in one light and with plain colours: no person to build, no skin, no hair, no
shadow, nothing written. Open3D is left out: its renderer asks for a Vulkan driver.
"""

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
from facelab_data import faces, stimuli
from facelab_data.appearance import ALBEDO
from facelab_data.factors import sample
from facelab_data.heads import build
from facelab_data.rendering import geometry
from facelab_data.rendering.scene import Head

from benchmarks.learning import MODEL, design, draw
from benchmarks.table import Row, missing
from benchmarks.timing import cpu_seconds, peer, spread

MS_PER_IMAGE, IMAGES_PER_S = 17, 100
PROCESSES = 2
CAMERA_M = 0.6
Picture = Callable[[], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Size:
    """Images, each of another person, and pictures of one head by other renderers."""

    images: int
    pictures: int
    px: int
    repeats: int


FULL = Size(images=2048, pictures=256, px=112, repeats=3)
TOY = Size(images=4, pictures=4, px=32, repeats=1)


def measure(size: Size) -> list[Row]:
    """Time the production of a set, then single pictures of one head by the renderers."""
    cpu, clock = np.array([_produce(size) for _ in range(size.repeats)]).T
    rows = [_own(size, cpu, clock)]
    head = _head()
    for name, prepare in (("pyrender", _pyrender), ("pyvista", _pyvista)):
        picture = _prepared(prepare, name, head, size.px)
        told = f"{size.pictures} pictures of one head, {size.px} px"
        if picture is None:
            rows.append(missing("draw a mesh", told, name))
            continue
        theirs = np.array([_series(picture, size.pictures) for _ in range(size.repeats)])
        rows.append(
            Row(
                job="draw a mesh",
                size=told,
                facelab=f"{np.median(cpu):.1f} ms per image, all told",
                peer=name,
                theirs=f"{np.median(theirs):.1f} ms per image, mesh only",
                ratio=spread(theirs / cpu),
            )
        )
    return rows


def _own(size: Size, cpu: np.ndarray, clock: np.ndarray) -> Row:
    speed = 1000 / np.median(clock)
    busy = f"; load {os.getloadavg()[0]:.0f} on {os.cpu_count()} processors"
    return Row(
        job="draw faces",
        size=f"{size.images} people, an image of {size.px} px each, {PROCESSES} processes",
        facelab=f"{np.median(cpu):.1f} ms CPU per image; {speed:.0f} images/s by the clock{busy}",
        target=f"≤ {MS_PER_IMAGE} ms CPU, ≥ {IMAGES_PER_S} images/s on two free processors",
        met=bool(np.median(cpu) <= MS_PER_IMAGE and speed >= IMAGES_PER_S),
    )


def _produce(size: Size) -> tuple[float, float]:
    """Make a set; give CPU and clock milliseconds per image, all that writing it takes included."""
    with tempfile.TemporaryDirectory() as folder:
        start, clock = cpu_seconds(), time.perf_counter()
        path = Path(folder) / "faces.h5"
        draw(path, design(size.images, 1, 0.0), size.px, workers=PROCESSES)
        spent = cpu_seconds() - start, time.perf_counter() - clock
        if len(stimuli.read(path).factors) != size.images:
            raise RuntimeError(f"{path} does not hold {size.images} images")
    return tuple(1000 * seconds / size.images for seconds in spent)


def _head() -> Head:
    model = faces.open_model(MODEL)
    people = sample(design(6, 1, 0.0), model.shape_names, ALBEDO, seed=0)
    return build(model, people.iloc[:1], seed=0)[0]


def _prepared(prepare: Callable[..., Picture], name: str, head: Head, px: int) -> Picture | None:
    """Get a renderer ready and let it draw once; None where it is not there or cannot draw."""
    os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
    module = peer(name)
    if module is None:
        return None
    try:
        picture = prepare(module, head, px)
        return picture if picture().std() > 0 else None
    except Exception:  # a driver that is missing shows itself in a way of its own
        return None


def _series(picture: Picture, images: int) -> float:
    """Draw so many pictures; give CPU milliseconds per picture."""
    start = cpu_seconds()
    for _ in range(images):
        picture()
    return 1000 * (cpu_seconds() - start) / images


def _pyrender(module: ModuleType, head: Head, px: int) -> Picture:
    normals = np.empty(head.vertices.shape, np.float32)
    geometry.normals(head.vertices.astype(np.float32), head.triangles, normals)
    primitive = module.Primitive(positions=head.vertices, normals=normals, indices=head.triangles)
    scene = module.Scene(ambient_light=(0.3, 0.3, 0.3))
    place = np.eye(4)
    place[2, 3] = CAMERA_M
    scene.add(module.Mesh([primitive]))
    scene.add(module.PerspectiveCamera(yfov=0.6), pose=place)
    scene.add(module.DirectionalLight(intensity=3.0), pose=place)
    renderer = module.OffscreenRenderer(px, px)
    return lambda: renderer.render(scene)[0]


def _pyvista(module: ModuleType, head: Head, px: int) -> Picture:
    corners = np.full((len(head.triangles), 1), 3)
    mesh = module.PolyData(head.vertices, np.hstack([corners, head.triangles]))
    plotter = module.Plotter(off_screen=True, window_size=(px, px))
    plotter.add_mesh(mesh, smooth_shading=True)
    plotter.camera_position = [(0, 0, CAMERA_M), (0, 0, 0), (0, 1, 0)]
    plotter.show(auto_close=False)

    def picture() -> np.ndarray:
        plotter.render()
        return plotter.screenshot(return_img=True)

    return picture
