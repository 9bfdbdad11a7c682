from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from facelab_viz.gallery import Card, Page, write


class Links(HTMLParser):
    """Collect all that a page refers to."""

    def __init__(self):
        super().__init__()
        self.found, self.tags = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.found += [value for name, value in attrs if name in ("href", "src")]


def links(path):
    page = Links()
    page.feed(path.read_text(encoding="utf-8"))
    return page


@pytest.fixture
def gallery(tmp_path, rng):
    def cards():
        for number in range(3):
            picture = rng.integers(0, 256, (12, 20, 3), dtype=np.uint8)
            yield Card(title=f"unit {number}", words="3 < 4 px", picture=picture)

    usual = {"words": "", "links": {}, "tables": {}, "targets": {}, "cards": ()}
    table = pd.DataFrame({"layer": ["conv1", "conv2"], "px": [3, 5]})
    pages = [
        Page(
            **usual
            | {"path": "index.html", "title": "All", "tables": {"Layers": table}}
            | {"targets": {"conv1": "net/deep/conv1.html"}}
        ),
        Page(
            **usual
            | {"path": "net/deep/conv1.html", "title": "conv1 & more", "cards": cards()}
            | {"links": {"all": "index.html"}}
        ),
    ]
    write(tmp_path / "gallery", iter(pages))
    return tmp_path / "gallery"


def test_every_link_leads_to_a_file_of_the_gallery(gallery):
    pages = sorted(gallery.rglob("*.html"))
    assert len(pages) == 2
    for page in pages:
        for link in links(page).found:
            assert ":" not in link
            target = (page.parent / link).resolve()
            assert target.is_file()
            assert target.is_relative_to(gallery.resolve())


def test_a_gallery_that_is_moved_still_works(gallery):
    moved = gallery.rename(gallery.with_name("elsewhere"))
    found = [page.parent / link for page in moved.rglob("*.html") for link in links(page).found]
    assert found
    assert all(target.resolve().is_file() for target in found)


def test_a_cell_links_where_there_is_a_page_and_nowhere_else(gallery):
    text = (gallery / "index.html").read_text()
    assert '<a href="net/deep/conv1.html">conv1</a>' in text
    assert "<td>conv2</td>" in text


def test_pictures_hang_with_their_words_and_without_scripts(gallery):
    path = gallery / "net/deep/conv1.html"
    assert links(path).tags.count("img") == 3
    assert "script" not in links(path).tags
    text = path.read_text()
    assert "3 &lt; 4 px" in text
    assert "conv1 &amp; more" in text
    assert 'width="20" height="12"' in text
