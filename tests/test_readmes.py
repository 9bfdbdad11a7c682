"""The rows that READMEs offer for params.yaml have the fields that the stages ask for."""

import json
import re

import pytest
import yaml

from tests.source import ROOT

PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text())
TABLES = ("networks", "recordings", "receptive_fields.maps", "inversion.comparisons")


def blocks():
    found = []
    for path in sorted((ROOT / "projects").glob("*/README.md")):
        texts = re.findall(r"```yaml\n(.*?)```", path.read_text(), re.DOTALL)
        found += [pytest.param(t, id=f"{path.parent.name}-{n}") for n, t in enumerate(texts)]
    return found


def table(params, place):
    for name in place.split("."):
        params = (params or {}).get(name)
    return params or {}


@pytest.mark.parametrize("text", blocks())
def test_offered_rows_have_the_fields_of_those_at_work(text):
    known = f"known: &identity {json.dumps(PARAMS['networks']['identity'])}\n"  # JSON is YAML
    offered = yaml.safe_load(known + text)
    for place in TABLES:
        wanted = set(next(iter(table(PARAMS, place).values())))
        rows = table(offered, place)
        assert {name: set(row) ^ wanted for name, row in rows.items() if set(row) != wanted} == {}
