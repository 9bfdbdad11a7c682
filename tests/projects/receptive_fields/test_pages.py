import re
from dataclasses import replace

import numpy as np
from facelab_viz.gallery import write

from projects.receptive_fields.map import measure
from projects.receptive_fields.pages import pages
from projects.receptive_fields.summary import summarise
from tests.projects.receptive_fields.conftest import plain_row, start


def hang(tmp_path, viewer, mapped=3, **some):
    run = start(tmp_path / "run")
    table = summarise(measure(run, viewer, plain_row(units=mapped))).assign(row="net")
    how = {"units": 0, "images": 2, "tile_px": 16} | some
    write(tmp_path / "gallery", pages({"net": run.artifacts}, table, **how))
    return tmp_path / "gallery"


def test_every_link_of_the_gallery_resolves(tmp_path, viewer):
    gallery = hang(tmp_path, viewer)
    names = {str(path.relative_to(gallery)) for path in gallery.rglob("*.html")}
    home = "net/epoch-5"
    layers = {f"{home}/trunk.conv1.html", f"{home}/trunk.block1.conv.html"}
    assert names == {"index.html", f"{home}/index.html"} | layers
    reached = set()
    for name in names:
        text = (gallery / name).read_text(encoding="utf-8")
        for link in re.findall(r'(?:href|src)="([^"]+)"', text):
            target = ((gallery / name).parent / link).resolve()
            assert target.is_file()
            reached.add(str(target.relative_to(gallery.resolve())))
    pictures = {str(path.relative_to(gallery)) for path in gallery.rglob("*.jpg")}
    assert len(pictures) == 6 + 2
    assert pictures | names <= reached


def test_fewer_units_can_be_hung_and_the_page_says_so(tmp_path, viewer):
    gallery = hang(tmp_path, viewer, units=1)
    text = (gallery / "net/epoch-5/trunk.conv1.html").read_text(encoding="utf-8")
    assert "conv1: 1 of its 16 units" in text
    assert text.count("<figure>") == 1


def test_the_means_of_the_layers_are_told(tmp_path, viewer):
    gallery = hang(tmp_path, viewer)
    text = (gallery / "net/epoch-5/index.html").read_text(encoding="utf-8")
    cells = re.findall(r"<td>([\d.]+)</td>", text)
    assert np.isfinite([float(cell) for cell in cells]).all()
    assert "7" in cells
    assert "19" in cells


def test_a_layer_of_a_single_unit_has_its_line_without_an_interval(tmp_path, viewer):
    text = (hang(tmp_path, viewer, mapped=1) / "net/epoch-5/index.html").read_text(encoding="utf-8")
    assert text.count("<td>nan … nan</td>") == 2


def test_a_network_that_was_given_its_weights_is_not_called_untrained(tmp_path, viewer):
    start = replace(viewer, facts=viewer.facts | {"epoch": 0.0})
    for name, weights, title in (
        ("drawn", "", "net, epoch 0"),
        ("given", "net.pt", "net, with the weights it was given"),
    ):
        gallery = hang(tmp_path / name, replace(start, weights=weights), mapped=1)
        for page in ("index.html", "net/epoch-0/index.html", "net/epoch-0/trunk.conv1.html"):
            assert f">{title}<" in (gallery / page).read_text(encoding="utf-8")
