import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from facelab_data import backgrounds, faces, morphable, shards
from facelab_data.appearance import ALBEDO
from facelab_data.rendering import tone
from facelab_data.rendering.scene import SKIN
from facelab_data.rendering.studio import Studio

MODEL = morphable.load()
STILL = {
    "expression": "neutral", "rotation_x_deg": 0.0, "rotation_y_deg": 0.0, "rotation_z_deg": 0.0,
    "translation_x_mm": 0.0, "translation_y_mm": 0.0, "translation_z_mm": 0.0,
    "light_x_deg": 10.0, "light_y_deg": 20.0, "background": 0,
}  # fmt: skip


def person(number):
    rng = np.random.default_rng(number)
    who = {
        "identity": number,
        "gender": ("female", "male")[number % 2],
        "age_years": 25.0 + 10 * number,
        "ethnicity": ("african", "asian", "caucasian")[number % 3],
    }
    who |= {f"shape_{i:03d}": rng.normal() for i in range(len(MODEL.shape_names))}
    return who | {f"albedo_{i:03d}": rng.normal() for i in range(len(ALBEDO))}


def table(rows):
    """Rows of (person, what departs from STILL)."""
    return pd.DataFrame([person(number) | STILL | changes for number, changes in rows])


MIXED = table([
    (0, {"rotation_y_deg": 20.0, "background": 1}),
    (1, {"expression": "happy", "light_y_deg": -40.0}),
    (0, {"expression": "fear", "translation_x_mm": 15.0, "background": 3}),
    (2, {"rotation_x_deg": -15.0, "rotation_z_deg": 10.0, "background": 2}),
])  # fmt: skip


def draw(factors, size_px=32, eyes=1):
    return faces.draw(MODEL, factors, size_px=size_px, eyes=eyes, seed=3)


def places(factors, size_px=64):
    found = faces.landmarks(MODEL, factors, size_px=size_px, seed=3)
    return dict(zip(faces.LANDMARK_NAMES, found.transpose(1, 0, 2), strict=True))


def test_an_image_depends_on_its_own_row_only():
    together = draw(MIXED)
    assert together.shape == (4, 1, 32, 32, 3)
    assert together.dtype == np.uint8
    np.testing.assert_array_equal(draw(MIXED.iloc[[2, 0, 3, 1]]), together[[2, 0, 3, 1]])
    for row in range(4):
        np.testing.assert_array_equal(draw(MIXED.iloc[[row]]), together[[row]])
    assert all(not np.array_equal(together[0], together[k]) for k in (1, 2, 3))


@pytest.mark.parametrize(
    "change", [{"gender": "female"}, {"age_years": 70.0}, {"shape_003": 4.0}, {"albedo_000": -3.0}]
)
def test_rows_of_one_number_that_differ_in_anything_are_two_people(change):
    both = draw(table([(1, {}), (1, change), (1, {})]))
    np.testing.assert_array_equal(both[1:2], draw(table([(1, change)])))
    np.testing.assert_array_equal(both[0], both[2])
    assert not np.array_equal(both[0], both[1])


def test_threads_do_not_disturb_each_other():
    alone = draw(MIXED)
    with ThreadPoolExecutor(2) as pool:
        for images in pool.map(draw, [MIXED] * 4):
            np.testing.assert_array_equal(images, alone)


def test_another_process_draws_the_same_bytes(tmp_path):
    MIXED.to_pickle(tmp_path / "table.pkl")
    program = """
import sys; sys.path[:0] = sys.argv[2:]
import numpy as np, pandas as pd
from facelab_data import faces, morphable
table = pd.read_pickle(sys.argv[1] + "/table.pkl")
images = faces.draw(morphable.load(), table, size_px=32, eyes=1, seed=3)
np.save(sys.argv[1] + "/images.npy", images)
"""
    subprocess.run([sys.executable, "-c", program, tmp_path, *sys.path], check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "images.npy"), draw(MIXED))


def test_a_pen_draws_with_the_shipped_model():
    pen = shards.Pen(
        open_model=faces.open_model, draw=faces.draw, model=morphable.ASSET,
        size_px=32, eyes=1, seed=3,
    )  # fmt: skip
    np.testing.assert_array_equal(pen(MIXED.iloc[:1]), draw(MIXED.iloc[:1]))


def test_the_background_is_exact_where_nothing_covers_it():
    image = draw(table([(0, {"background": 1})]))[0, 0]
    behind = backgrounds.make(1, 32, seed=3)
    expected = np.empty_like(image)
    tone.encode(behind, 1.0, tone.curve("soft"), expected)
    np.testing.assert_array_equal(image[:3, :3], expected[:3, :3])
    assert not np.array_equal(image, expected)


@pytest.mark.parametrize("light", [-50.0, 50.0])
def test_light_from_a_side_falls_on_that_side(light):
    dark, lit = draw(table([(2, {"light_y_deg": angle}) for angle in (-light, light)]))[:, 0]
    gain = lit.astype(float).mean(axis=2) - dark.astype(float).mean(axis=2)
    side = gain[12:24, 16:22].mean() - gain[12:24, 10:16].mean()
    assert np.sign(side) == np.sign(light)


def test_landmarks_lie_where_the_image_shows_the_face():
    """The pupil is the dark middle of the eye; a landmark moved to the cheek is not."""
    size = 160
    rows = table([(2, {"expression": "surprise"}), (4, {"expression": "surprise"})])
    images, found = draw(rows, size)[:, 0].astype(float).mean(axis=3), places(rows, size)
    for row, image in enumerate(images):
        for eye in ("pupil_left", "pupil_right"):
            column, line = found[eye][row].astype(int)
            pupil = image[line - 1 : line + 2, column - 1 : column + 2].min()
            cheek = image[line + 14 : line + 17, column - 1 : column + 2].min()
            assert pupil < 0.7 * cheek


@pytest.mark.parametrize("turned", [0.0, 15.0])
def test_landmarks_project_to_within_half_a_pixel_of_their_triangles(turned):
    """The samples around a visible landmark belong to a triangle that has it for a corner."""
    rows = table([(2, {"rotation_y_deg": turned})])
    chosen, (camera,), studio = faces._landmark_vertices(MODEL), faces._cameras(1), Studio(240, 2)
    ((_, sitter, shot),) = faces._sittings(MODEL, rows, 3)
    studio.pose(sitter, shot)
    mesh = studio.look_through(camera, sitter, sitter.look)
    found = places(rows, 240)
    checked = 0
    for name, vertex in zip(faces.LANDMARK_NAMES, chosen, strict=True):
        column, line = (2 * found[name][0]).astype(int)
        around = studio.seen.owner[line - 1 : line + 2, column - 1 : column + 2]
        if (mesh.parts[around] == SKIN).all():
            assert (mesh.triangles[around] == vertex).any(), name
            checked += 1
    assert checked >= 4


def test_translations_move_the_face_by_millimetres_whatever_its_distance():
    rows = [(0, {"translation_z_mm": z, "translation_x_mm": x}) for z in (-20, 20) for x in (0, 15)]
    centre = np.mean(list(places(table(rows)).values()), axis=0)
    far, near = centre[1] - centre[0], centre[3] - centre[2]
    np.testing.assert_allclose(far, near, atol=0.1)
    # the face is nearer than the head's centre, to which the millimetres refer
    assert 1 < far[0] / (15e-3 / faces.FRAME_M * 64) < 1.3


def test_the_face_turns_to_the_right_nods_down_and_tilts():
    turns = [{}, *({f"rotation_{axis}_deg": 20.0} for axis in "xyz")]
    found = places(table([(0, turn) for turn in turns]))
    nose, eyes = found["nose_tip"], (found["pupil_left"], found["pupil_right"])
    assert nose[2, 0] > nose[0, 0] + 3
    assert nose[1, 1] > nose[0, 1] + 3
    across = eyes[0][3] - eyes[1][3]
    assert np.degrees(np.arctan2(-across[1], across[0])) == pytest.approx(20, abs=3)


def test_surprise_opens_the_mouth():
    def gap(name):
        rows = table([(0, {"expression": name})])
        found = places(rows)
        return (found["chin"] - found["nose_tip"])[0, 1]

    assert gap("surprise") > gap("neutral") + 1
    images = draw(table([(2, {"expression": name}) for name in ("neutral", "surprise")]), 64)
    corner = places(table([(2, {"expression": "neutral"})]))
    column = int(corner["nose_tip"][0, 0])
    line = int(corner["mouth_left"][0, 1])
    mouth = (
        images[:, 0, line : line + 6, column - 1 : column + 2].astype(float).mean(axis=(1, 2, 3))
    )
    assert mouth[1] < 0.8 * mouth[0]


def test_two_eyes_see_the_nose_nearer_than_the_background():
    rows = table([(0, {"background": 3})])
    left, right = draw(rows, 64, eyes=2)[0].astype(float)
    assert not np.array_equal(left, right)

    def disparity(lines, columns):
        """By how much the left image's patch lies further right than in the right image."""
        patch = left[lines, columns]
        shifts = range(-8, 9)
        errors = [
            np.abs(patch - right[lines, columns.start - s : columns.stop - s]).mean()
            for s in shifts
        ]
        return shifts[int(np.argmin(errors))]

    nose = places(rows)["nose_tip"][0].astype(int)
    near = disparity(slice(nose[1] - 4, nose[1] + 3), slice(nose[0] - 4, nose[0] + 5))
    far = disparity(slice(0, 8), slice(8, 56))
    assert near > 0 > far


def test_more_samples_approach_the_same_image():
    rows = table([(2, {})])
    one, two, four = (
        faces.draw(MODEL, rows, size_px=48, eyes=1, seed=3, samples=n).astype(float)
        for n in (1, 2, 4)
    )
    assert np.abs(two - four).mean() < 0.8 * np.abs(one - four).mean()


def test_a_table_that_cannot_be_drawn_is_refused_in_one_line():
    with pytest.raises(ValueError, match="eyes is 3; choose from 1, 2"):
        draw(MIXED, eyes=3)
    with pytest.raises(ValueError, match="lack the column 'light_x_deg'"):
        draw(MIXED.drop(columns="light_x_deg"))
    with pytest.raises(ValueError, match="unknown expression 'bored'"):
        draw(MIXED.assign(expression="bored"))
    with pytest.raises(ValueError, match="rotation_x_deg holds a value that is not"):
        draw(MIXED.assign(rotation_x_deg=np.nan))
