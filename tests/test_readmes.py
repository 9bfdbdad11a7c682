"""The rows that READMEs offer to be copied into params.yaml are rows that stages accept."""

import json
import re

import pytest
import yaml
from pydantic import TypeAdapter

from projects import draw, train
from projects.inversion.compare import Comparison
from projects.receptive_fields.map import Row
from tests.source import ROOT

READMES = sorted((ROOT / "projects").glob("*/README.md"))


def rows(path):
    """Give each row that is written out, by its table; those that build on others are not."""
    for block in re.findall(r"```yaml\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
        if "*identity" in block:
            continue
        tables = yaml.safe_load(block)
        for name in ("stimuli", "networks"):
            yield from ((name, row) for row in tables.get(name, {}).values())
        for project, table in (("receptive_fields", "maps"), ("inversion", "comparisons")):
            yield from ((project, row) for row in tables.get(project, {}).get(table, {}).values())


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.parent.name)
def test_the_rows_in_a_readme_can_be_read(path):
    kinds = {"networks": train.Network, "receptive_fields": Row, "inversion": Comparison}
    found = list(rows(path))
    assert "networks" in dict(found)
    for table, row in found:
        kind = draw.kind_of(row, table) if table == "stimuli" else kinds[table]
        TypeAdapter(kind).validate_json(json.dumps(row), strict=True, extra="forbid")
