"""params.yaml, read strictly into typed values.

A stage says what it wants as a frozen dataclass without defaults: a value lives
once, in params.yaml. A key that is missing, unknown or of the wrong type is an
error that names it. Only this module reads params.yaml.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from functools import reduce
from pathlib import Path
from typing import TypeVar, get_args, get_type_hints

import yaml
from pydantic import TypeAdapter, ValidationError
from yaml.constructor import ConstructorError

T = TypeVar("T")
UNKNOWN = ("unexpected_keyword_argument", "extra_forbidden")


def tree() -> dict:
    """Give the whole of params.yaml.

    Raises
    ------
    FileNotFoundError
        Outside the root of the repository.
    ValueError
        When it is not YAML or a key stands twice in one place, naming the line; when it has no
        sections.
    """
    path = Path("params.yaml")
    if not path.exists():
        raise FileNotFoundError(f"no params.yaml in {Path.cwd()}; go to the root of the repository")
    try:
        found = _parse(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = str(error).replace('in "<unicode string>", ', "")
        raise ValueError(f"params.yaml: {' '.join(where.split())}") from None
    if not isinstance(found, dict):
        raise ValueError(f"params.yaml holds no sections, but {type(found).__name__}")
    return found


def read(section: str) -> object:
    """Give one section, as plain YAML values."""
    return look_up(tree(), section)


def typed(kind: type[T], section: str) -> T:
    """Give one section as a value of type `kind`; lists become tuples.

    Raises
    ------
    ValueError
        In one line, naming the first key that is missing, unknown or of the wrong type.
    """
    try:
        text = json.dumps(read(section))
        return TypeAdapter(kind).validate_json(text, strict=True, extra="forbid")
    except ValidationError as error:
        raise ValueError(_complaint(error, kind, section)) from None


def look_up(values: Mapping, section: str) -> object:
    """Give a section such as ``networks.identity`` of a tree of mappings.

    Raises
    ------
    LookupError
        Naming the part that is missing and those that are there.
    """

    def step(node: object, name: str) -> object:
        if not isinstance(node, Mapping) or name not in node:
            there = ", ".join(map(str, node)) if isinstance(node, Mapping) else "nothing"
            raise LookupError(f"params.yaml has no '{section}': no '{name}' among {there}")
        return node[name]

    return reduce(step, section.split("."), values)


def flat(value: object, prefix: str = "") -> dict[str, object]:
    """Turn nested values into dotted names.

    >>> flat({"fit": {"lr": 0.1, "epochs": 2}})
    {'fit.lr': 0.1, 'fit.epochs': 2}
    """
    if is_dataclass(value):
        value = asdict(value)
    if not isinstance(value, dict) or not value:
        return {prefix.removesuffix("."): value}
    return reduce(dict.__or__, (flat(node, f"{prefix}{key}.") for key, node in value.items()))


def _parse(text: str) -> object:
    """Read YAML as `yaml.safe_load` does, which of a key that stands twice takes the last."""
    loader = yaml.SafeLoader(text)
    root = loader.get_single_node()
    nodes, met = [root], set()
    while nodes:
        node = nodes.pop()
        if not isinstance(node, yaml.CollectionNode) or id(node) in met:
            continue  # rows that others refer to are met again
        met.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            nodes += node.value
            continue
        seen = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                raise ConstructorError(None, None, f"'{name}' stands twice", key.start_mark)
            seen.add(name)
            nodes.append(value)
    return None if root is None else loader.construct_document(root)


def _complaint(error: ValidationError, kind: type, section: str) -> str:
    """Turn one of pydantic's findings into one line: the first, but a misspelled key before all."""
    first = min(error.errors(), key=lambda found: found["type"] not in UNKNOWN)
    path = list(first["loc"][:-1])
    place = ".".join([section, *map(str, first["loc"])])
    match first["type"]:
        case "missing" | "missing_keyword_only_argument":
            return f"params.yaml: {place} is missing"
        case name if name in UNKNOWN:
            valid = ", ".join(_fields(kind, path))
            return f"params.yaml: unknown key {place}; valid keys: {valid}"
        case "value_error":
            return f"params.yaml: {place}: {first['ctx']['error']}"
    return f"params.yaml: {place} is {first['input']!r}: {first['msg']}"


def _fields(kind: type, path: list) -> list[str]:
    """Name the fields of the dataclass at `path` inside `kind`."""
    for name in path:
        kind = get_type_hints(kind).get(name, kind) if is_dataclass(kind) else kind
        kind = next(filter(is_dataclass, get_args(kind)), kind)  # of an optional one, or a table
    return [field.name for field in fields(kind)] if is_dataclass(kind) else []
