"""KDEF (Lundqvist, Flykt & Öhman 1998): 70 people, 7 expressions, 5 angles, 2 sessions.

Layout: ``KDEF_and_AKDEF/KDEF/AF01/AF01ANS.JPG``, or ``KDEF/…``, or the images in one folder. A
file's name is its labels: session A or B, F or M, the number of the person, expression (AF afraid,
AN angry, DI disgusted, HA happy, NE neutral, SA sad, SU surprised), angle (FL, HL full and half
left profile, S straight, HR, FR half and full right). The published set has a few files whose
names are cut short; they are left out.

Columns: ``identity`` (F01 and M01 are two people), ``gender``, ``expression`` in the generator's
words, ``angle``, ``session``. There is no official division.
"""

import re
from pathlib import Path

import pandas as pd

from facelab_data.sources import listing
from facelab_data.sources.photographs import Photographs

HOME = "KDEF is at https://kdef.se"
CODE = re.compile(r"([AB])([FM])(\d\d)(AF|AN|DI|HA|NE|SA|SU)(FL|HL|S|HR|FR)")
GENDERS = {"F": "female", "M": "male"}
EXPRESSIONS = {
    "AF": "fear",
    "AN": "anger",
    "DI": "disgust",
    "HA": "happy",
    "NE": "neutral",
    "SA": "sad",
    "SU": "surprise",
}


def read(photographs: Photographs) -> pd.DataFrame:
    """List the images whose names are codes.

    Raises
    ------
    ValueError
        When there is none, or two of the same code.
    """
    folder = Path(photographs.path)
    root = listing.find(folder, ("KDEF_and_AKDEF/KDEF", "KDEF", "."), HOME)
    found = {}
    for name in listing.images(root):
        stem = Path(name).stem.upper()
        code = CODE.fullmatch(stem)
        if code and stem in found:
            raise ValueError(f"{root} holds {stem} twice: {found[stem][0]} and {name}")
        if code:
            found[stem] = (name, *code.groups())
    if not found:
        raise ValueError(f"{root} holds no image with a name like AF01ANS.JPG; {HOME}")
    files, session, gender, number, expression, angle = zip(*found.values(), strict=True)
    return listing.text(
        file=[(root / name).relative_to(folder).as_posix() for name in files],
        identity=[f"{sex}{who}" for sex, who in zip(gender, number, strict=True)],
        gender=[GENDERS[sex] for sex in gender],
        expression=[EXPRESSIONS[code] for code in expression],
        angle=angle,
        session=session,
    )
