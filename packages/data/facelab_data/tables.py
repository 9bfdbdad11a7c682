"""The factor table of a stimulus set: checked, put into HDF5 and taken out again.

Categories that are text are stored as codes, with what they stand for beside them.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import h5py
import numpy as np
import pandas as pd

from facelab_data import splits

KINDS = ("categorical", "continuous")
LEVELS = ("identity", "image")
ALWAYS = ("identity", "split")
ABSENT = -1


@dataclass(frozen=True, eq=False, kw_only=True)
class Table:
    """Factors of N images, and what they mean.

    Parameters
    ----------
    factors : DataFrame
        One row per image; always with ``identity`` and ``split``.
    kinds, levels : mapping of str
        Factor to one of `KINDS` and of `LEVELS`; a factor of several outputs has one entry.
    units, names : mapping
        Factor to its unit, and to what its outputs or its numbers stand for.
    missing : collection of str
        Factors that may lack values.
    """

    factors: pd.DataFrame
    kinds: Mapping[str, str]
    levels: Mapping[str, str]
    units: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    missing: Collection[str] = ()

    @property
    def outputs(self) -> dict[str, tuple[str, ...]]:
        """Factor to its columns: itself, or ``shape_000`` and so on."""
        several: dict[str, list[str]] = {}
        for column in self.factors.columns:
            factor = re.sub(r"_\d{3,}$", "", column)
            if factor in self.kinds and factor not in self.factors:
                several.setdefault(factor, []).append(column)
        return {name: tuple(several.get(name, [name])) for name in self.kinds}


def check(table: Table) -> None:
    """Make sure that a table does not contradict itself.

    Raises
    ------
    ValueError
        Naming the factor and what is wrong with it.
    """
    factors = table.factors
    if factors.empty:
        raise ValueError("the factor table is empty")
    if table.kinds.keys() != table.levels.keys():
        odd = sorted(table.kinds.keys() ^ table.levels.keys())
        raise ValueError(f"factor {odd[0]!r} needs both a kind and a level")
    outputs = table.outputs
    wanted = [*ALWAYS, *(column for columns in outputs.values() for column in columns)]
    absent = [column for column in wanted if column not in factors]
    if absent:
        raise ValueError(f"the factor table has no column {absent[0]!r}")
    if not pd.api.types.is_integer_dtype(factors["identity"]):
        raise ValueError(f"factor 'identity' is {factors['identity'].dtype}, not whole numbers")
    for name, columns in outputs.items():
        _check_words(name, table.kinds[name], table.levels[name])
        _check_values(name, table.kinds[name], factors[list(columns)], name in table.missing)
        if table.levels[name] == "identity":
            _check_constant(name, factors["identity"].to_numpy(), factors[list(columns)])
    splits.check(factors["identity"].to_numpy(), factors["split"].to_numpy(dtype=object))


def store(group: h5py.Group, table: Table) -> None:
    """Put the factors into an HDF5 group, a dataset each."""
    outputs = {name: (name,) for name in ALWAYS} | table.outputs
    for name, columns in sorted(outputs.items()):
        values = table.factors[list(columns)]
        categories: list[str] = []
        if columns != (name,):
            stored = values.to_numpy(np.float32)
        elif pd.api.types.is_numeric_dtype(values[name]):
            stored = values[name].to_numpy()
        else:
            coded = values[name].astype(_order(values[name])).cat
            categories, stored = list(coded.categories), coded.codes.to_numpy(np.int32)
        dataset = group.create_dataset(name, data=stored)
        dataset.attrs["kind"] = table.kinds.get(name, "")
        dataset.attrs["level"] = table.levels.get(name, "")
        dataset.attrs["unit"] = table.units.get(name, "")
        dataset.attrs["missing"] = name in table.missing
        for key, words in {"categories": categories, "names": table.names.get(name, ())}.items():
            if len(words):
                dataset.attrs[key] = json.dumps(list(words))


def load(group: h5py.Group) -> Table:
    """Take the factors out of an HDF5 group; the inverse of `store`."""
    parts, about = [], {}
    for name, dataset in group.items():
        about[name] = dict(dataset.attrs)
        values = dataset[:]
        if values.ndim == 2:
            columns = [f"{name}_{output:03d}" for output in range(values.shape[1])]
            parts.append(pd.DataFrame(values, columns=columns))
            continue
        if "categories" in about[name]:
            words = np.array([*json.loads(about[name]["categories"]), np.nan], dtype=object)
            values = pd.array(words[values], dtype="str")
        parts.append(pd.DataFrame({name: values}))
    lengths = {len(part) for part in parts}
    if len(lengths) != 1:
        raise ValueError(f"its factors have different lengths: {sorted(lengths)}")
    decodable = [name for name, attributes in about.items() if attributes["kind"]]
    return Table(
        factors=pd.concat(parts, axis=1),
        kinds={name: about[name]["kind"] for name in decodable},
        levels={name: about[name]["level"] for name in decodable},
        units={name: about[name]["unit"] for name in decodable},
        names={
            name: tuple(json.loads(attributes["names"]))
            for name, attributes in about.items()
            if "names" in attributes
        },
        missing=tuple(name for name in decodable if about[name]["missing"]),
    )


def _order(values: pd.Series) -> pd.CategoricalDtype:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.dtype
    return pd.CategoricalDtype(sorted(values.dropna().unique()))


def _check_words(name: str, kind: str, level: str) -> None:
    for word, known, what in [(kind, KINDS, "kind"), (level, LEVELS, "level")]:
        if word not in known:
            raise ValueError(f"factor {name!r} has {what} {word!r}; known are {', '.join(known)}")


def _check_values(name: str, kind: str, values: pd.DataFrame, may_lack: bool) -> None:
    lacking = int(values.isna().any(axis=1).sum())
    if lacking and not may_lack:
        raise ValueError(f"factor {name!r} lacks {lacking} of {len(values)} values")
    numeric = all(pd.api.types.is_numeric_dtype(dtype) for dtype in values.dtypes)
    if kind == "continuous" and not numeric:
        raise ValueError(f"factor {name!r} is continuous but holds text")
    if kind == "continuous" and np.isinf(values.to_numpy(float)).any():
        raise ValueError(f"factor {name!r} is not finite in every image")
    if kind == "categorical" and any(dtype.kind == "f" for dtype in values.dtypes):
        raise ValueError(f"factor {name!r} is categorical but holds fractional numbers")


def _check_constant(name: str, identity: np.ndarray, values: pd.DataFrame) -> None:
    own = values.groupby(identity).transform("first")
    changing = identity[((values != own) & values.notna()).any(axis=1)]
    if len(changing):
        raise ValueError(f"factor {name!r} varies within identity {changing[0]}")
