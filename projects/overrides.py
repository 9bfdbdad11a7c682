"""Values changed for one run: params.yaml is other while it lasts, and afterwards as it was."""

import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from dvc.utils.hydra import apply_overrides

from projects import values

ROOT = Path(__file__).resolve().parents[1]
PARAMS, KEPT, CHANGED = (
    ROOT / name for name in ("params.yaml", "scratch/params.before.yaml", "scratch/params.run.yaml")
)


def words(text: str) -> list[str]:
    """Split overrides at the spaces between them, as a shell does.

    Raises
    ------
    ValueError
        When a quotation has no end.
    """
    try:
        return shlex.split(text)
    except ValueError as error:
        raise ValueError(f"--overrides: {str(error).lower()} in {text}") from None


@contextmanager
def applied(overrides: list[str]) -> Iterator[list[str]]:
    """While open, params.yaml holds the overrides; afterwards it is as it was.

    What a killed run left behind is put right first, unless params.yaml was
    edited since.

    Raises
    ------
    ValueError
        When params.yaml has no such key, or a mapping is given, which would be merged.
    """
    restore()
    if not overrides:
        yield overrides
        return
    _refuse_mappings(overrides)
    KEPT.parent.mkdir(exist_ok=True)
    CHANGED.write_text(yaml.dump(values.tree(), Dumper=_Apart, sort_keys=False))
    try:
        apply_overrides(CHANGED, overrides)
    except Exception as error:  # hydra and omegaconf raise many kinds
        reason = _unknown(overrides) or error.__cause__ or error
        raise ValueError(f"--overrides: {reason}") from None
    _copy(PARAMS, KEPT)
    _copy(CHANGED, PARAMS)
    try:
        yield overrides
    finally:
        restore()


def restore() -> None:
    """Put params.yaml back as a killed run found it, unless it was edited since."""
    if KEPT.exists():
        if PARAMS.read_text() == CHANGED.read_text():
            _copy(KEPT, PARAMS)
        KEPT.unlink(missing_ok=True)


class _Apart(yaml.SafeDumper):
    """Writes out rows that are made from other rows: changing one leaves the others alone."""

    def ignore_aliases(self, _: object) -> bool:
        return True


def _refuse_mappings(overrides: list[str]) -> None:
    """Refuse to set a whole mapping: what it does not name would stay as it was."""
    for key, _, value in (word.partition("=") for word in overrides):
        if key[:1].isalpha() and value.startswith("{"):
            raise ValueError(
                f"--overrides: '{key}' cannot be set to a mapping; name the values in it, as in "
                f"{key}.name=value, add a row with +{key}.row={{…}}, or remove one with ~{key}.row"
            )


def _unknown(overrides: list[str]) -> LookupError | None:
    """Name the first key that params.yaml lacks, and those that it has in that place."""
    tree = values.tree()
    keys = [key for key, equals, _ in (word.partition("=") for word in overrides) if equals]
    for key in (key for key in keys if key[:1].isalpha()):  # others add or remove
        try:
            values.look_up(tree, key)
        except LookupError as error:
            return error
    return None


def _copy(source: Path, target: Path) -> None:
    """Copy a file; the target is what it was or what the source is, at any moment."""
    part = target.with_name(f"{target.name}.part")  # beside it: scratch/ may be another disk
    shutil.copy(source, part)
    part.replace(target)
