"""What to take from a data set of photographs, as a row of ``stimuli`` says it."""

from dataclasses import astuple, dataclass
from itertools import chain

from facelab_data.sources.pixels import Crop
from facelab_data.splits import Splits

KINDS = ("categorical", "continuous")
RESERVED = ("file", "identity", "split")
WITH_LABELS = ("csv", "coco", "fer2013", "imagenet", "voxceleb")


@dataclass(frozen=True, kw_only=True)
class Selection:
    """One step of choosing among groups of images: people, classes, videos.

    Groups come in the order of their label (by value when all are whole numbers), images in the
    order of their file.

    Parameters
    ----------
    per : str
        The column that groups the images.
    min_images, max_images : int
        Groups with fewer or more images are left out; a maximum of 0 is none.
    groups : int
        Of the groups that are left, the first so many; 0 for all.
    images : int
        Of each, the first so many images; 0 for all.
    """

    per: str
    min_images: int
    max_images: int
    groups: int
    images: int

    def __post_init__(self) -> None:
        if min(astuple(self)[1:]) < 0:
            raise ValueError("min_images, max_images, groups and images are at least 0")
        if 0 < self.max_images < self.min_images:
            raise ValueError(f"max_images is {self.max_images}, min_images {self.min_images}")
        if not self.per:
            raise ValueError("per is empty; it names the column that groups the images")


@dataclass(frozen=True, kw_only=True)
class InOrder:
    """How many images of each training identity train and are held out, in the order of files.

    The rest of its images are left out. With two zeros, which images are held out is left to
    `Splits.holdout`.
    """

    training: int
    holdout: int

    def __post_init__(self) -> None:
        if min(self.training, self.holdout) < 0 or self.training == 0 < self.holdout:
            raise ValueError(
                f"in_order is {self.training} and {self.holdout}; training is at least 1, "
                f"or both are 0"
            )


@dataclass(frozen=True, kw_only=True)
class Photographs:
    """A data set of photographs, and what to take from it.

    Parameters
    ----------
    source : str
        A key of `catalogue.SOURCES`; it knows the layout of the folder and its labels.
    path : str
        The folder.
    labels : str
        The file of labels in it (for ``csv``), or which of several (for some sources, see there);
        empty for the usual one.
    file_column : str
        For ``csv``: the column that holds each image's path within the folder. Else empty.
    identity : str
        The column that says whose image it is; empty when nobody knows, every image then counts
        as another person.
    split : str
        The column with the data set's own division; empty to divide by `splits`.
    factors : dict of str
        Column to ``categorical`` or ``continuous``.
    missing : tuple of str
        The factors that may be empty in some images, which decoders then leave out.
    keep : dict of tuple of str
        Column to the values that an image must have one of; any column of the source, factor
        or not.
    select : tuple of Selection
        Taken one after the other, after `keep`.
    size_px : int
        Width and height of the images in the set.
    crop : (float, float, float, float)
        Left, top, right, bottom, in fractions of each photograph.
    grey : bool
        Whether to discard colour.
    splits : Splits
        How people and images are divided.
    in_order : InOrder
        Which images of training identities are held out, when their order decides.
    """

    source: str
    path: str
    labels: str
    file_column: str
    identity: str
    split: str
    factors: dict[str, str]
    missing: tuple[str, ...]
    keep: dict[str, tuple[str, ...]]
    select: tuple[Selection, ...]
    size_px: int
    crop: Crop
    grey: bool
    splits: Splits
    in_order: InOrder

    def __post_init__(self) -> None:
        left, top, right, bottom = self.crop
        kinds = [kind for kind in self.factors.values() if kind not in KINDS]
        reserved = [name for name in self.factors if name in RESERVED]
        rules = {
            f"size_px is {self.size_px}; at least 1 is needed": self.size_px >= 1,
            f"crop is {self.crop}; needed is 0 <= left < right <= 1, and so for top, bottom": (
                0 <= left < right <= 1 and 0 <= top < bottom <= 1
            ),
            f"a factor's kind is {kinds[:1]}; known are {', '.join(KINDS)}": not kinds,
            f"no factor can be called {reserved[:1]}; name identity and split apart": not reserved,
            f"missing is {self.missing}, not all of which are factors": (
                set(self.missing) <= self.factors.keys()
            ),
            f"labels is {self.labels!r}; only {', '.join(WITH_LABELS)} have a choice of them": (
                not self.labels or self.source in WITH_LABELS
            ),
            "file_column is for source csv, which needs it": (
                bool(self.file_column) == (self.source == "csv")
            ),
            "in_order counts the images of an identity; identity is empty": (
                bool(self.identity) or not self.in_order.training
            ),
            "in_order decides which images are held out; splits.holdout must then be 0": (
                not (self.in_order.training and self.splits.holdout)
            ),
        }
        for message, kept in rules.items():
            if not kept:
                raise ValueError(f"photographs {self.path}: {message}")

    @property
    def columns(self) -> list[str]:
        """The label columns that are needed, each once."""
        groups = (step.per for step in self.select)
        names = chain((self.identity, self.split), self.factors, self.keep, groups)
        return list(dict.fromkeys(name for name in names if name))
