import numpy as np
import pytest
from facelab_viz.pictures import contact_sheet, draw_sheet, factor_sheet
from facelab_viz.theme import figure


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (5, 4, 6, 3), dtype=np.uint8)


def words(ax):
    return [text.get_text() for text in ax.texts]


def test_every_image_is_found_again_in_its_place(images):
    sheet = contact_sheet(images, 3, pad=2, background=7)
    assert sheet.shape == (2 * 4 + 2, 3 * 6 + 2 * 2, 3)
    for i, image in enumerate(images):
        y, x = i // 3 * 6, i % 3 * 8
        np.testing.assert_array_equal(sheet[y : y + 4, x : x + 6], image)
    assert (sheet[4:6] == 7).all()
    assert (sheet[6:, 16:] == 7).all()


def test_a_sheet_is_no_wider_than_its_images_and_without_pad_loses_nothing(images):
    np.testing.assert_array_equal(contact_sheet(images, 9, pad=0), np.concatenate(images, axis=1))
    np.testing.assert_array_equal(contact_sheet(images, 1, pad=0), np.concatenate(images))


@pytest.mark.parametrize(
    ("change", "columns", "message"),
    [
        (lambda i: i[0], 3, r"must be \(N, H, W, 3\) uint8, N above 0; got \(4, 6, 3\) uint8"),
        (lambda i: i[:0], 3, r"N above 0; got \(0, 4, 6, 3\)"),
        (lambda i: i / 255, 3, "float64"),
        (lambda i: i, 0, "columns must be 1 or more"),
    ],
)
def test_what_cannot_be_set_in_rows_is_refused_in_one_line(images, change, columns, message):
    with pytest.raises(ValueError, match=message) as error:
        contact_sheet(change(images), columns)
    assert "\n" not in str(error.value)


def test_a_drawn_sheet_without_words_is_the_contact_sheet(images):
    ax = draw_sheet(images, 3)
    np.testing.assert_array_equal(ax.images[0].get_array(), contact_sheet(images, 3))
    assert not ax.texts


def test_words_stand_left_of_rows_above_columns_and_beneath_pictures(images):
    ax = draw_sheet(images, 3, captions="abcde", row_labels=["r0", "r1"], column_labels="xyz")
    assert words(ax) == [*"abcde", "r0", "r1", *"xyz"]
    place = {text.get_text(): text.xy for text in ax.texts}
    assert place["a"][0] == place["d"][0] == place["x"][0]
    assert place["x"][1] < place["r0"][1] < place["a"][1] < place["r1"][1] < place["d"][1]
    assert place["r0"][0] < place["a"][0] < place["b"][0]


@pytest.mark.parametrize(("number", "columns"), [(5, 3), (70, 7), (12, 12)])
def test_no_word_leaves_the_figure_nor_lies_on_a_picture(rng, number, columns):
    images = rng.integers(0, 256, (number, 112, 112, 3), dtype=np.uint8)
    rows = -(-number // columns)
    ax = draw_sheet(
        images,
        columns,
        captions=["word"] * number,
        row_labels=["light azimuth"] * rows,
        column_labels=["above"] * columns if columns != 7 else (),
    )
    ax.figure.draw_without_rendering()
    sheet, page = ax.get_window_extent(), ax.figure.bbox
    for text in ax.texts:
        box = text.get_window_extent()
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= page.x1 and box.y1 <= page.y1
        beside = box.x1 <= sheet.x0 or box.y0 >= sheet.y1
        assert beside == (text.get_text() != "word")


@pytest.mark.parametrize("name", ["captions", "row_labels", "column_labels"])
def test_words_must_be_as_many_as_places(images, name):
    with pytest.raises(ValueError, match=f"{name} must be . in number, or none; got 4"):
        draw_sheet(images, 3, **{name: "abcd"})


def test_a_factor_sheet_has_a_row_per_factor_and_values_with_units(images):
    sweeps = {"rotation_y_deg": images[:3], "gender": images[3:], "translation_x_mm": images[:1]}
    values = {"rotation_y_deg": [-30, 0, 30], "gender": ["female", "male"], "translation_x_mm": [5]}
    ax = factor_sheet(sweeps, values, figure().add_subplot())
    captions = [word for word in words(ax)[:-3] if word]
    assert captions == ["−30°", "0°", "30°", "female", "male", "5 mm"]
    assert words(ax)[-3:] == ["yaw", "gender", "shift x"]


def test_a_factor_sheet_needs_a_value_per_picture(images):
    with pytest.raises(ValueError, match="factor 'gender' has 5 pictures and 2 values"):
        factor_sheet({"gender": images}, {"gender": ["female", "male"]})
    with pytest.raises(ValueError, match="no factor to draw"):
        factor_sheet({}, {})


@pytest.mark.parametrize("draw", [contact_sheet, draw_sheet])
def test_no_column_at_all_is_refused(images, draw):
    with pytest.raises(ValueError, match="columns must be 1 or more"):
        draw(images, 0)


def test_a_factor_sheet_needs_pictures_of_one_size(images):
    sweeps = {"gender": images[:2], "expression": images[:2, :3]}
    with pytest.raises(ValueError, match="'expression' has pictures of 3 × 6 px, others of 4 × 6"):
        factor_sheet(sweeps, {"gender": ["female", "male"], "expression": ["sad", "happy"]})
