"""The settings of a change that is bound to a part of the scene, as controls, and those of them that are
words, read.
"""

from __future__ import annotations

from typing import Annotated

from engine.core.boxes import Box, read_boxes
from engine.core.fields import Choice, Range, Text

DRAFT, FILL = "draft", "fill"
GOES_WITH = "region"

Region = Annotated[
    str,
    Text(
        400,
        example="x=0.3:1,z=-0.4:0.4",
        label="Region",
        goes_with="start_file",
        advanced=True,
        help="Boxes of the start file that alone may change, with ; between them: where they begin and end "
        "on each axis "
        "(x is the front, z is up; the object fills -1 to 1). Empty: all of it.",
    ),
]
Was = Annotated[
    str,
    Text(
        1000,
        example="a red mug",
        label="What it is now",
        goes_with=GOES_WITH,
        advanced=True,
        help="The words for the start file, from which the prompt differs in the region. Empty: those it "
        "was made by.",
    ),
]
Start = Annotated[
    str,
    Choice(
        (DRAFT, FILL),
        label="Region starts",
        goes_with=GOES_WITH,
        advanced=True,
        help="From views that the prior drafts with all else held (multi-view priors), or filled with grey "
        "matter.",
    ),
]
Suppression = Annotated[
    float,
    Range(
        1,
        16,
        0.25,
        label="What it was, suppressed",
        goes_with=GOES_WITH,
        advanced=True,
        help="Divides what old and new words have in common, so that the difference shows. 1: not at all.",
    ),
]
Outside = Annotated[
    float,
    Range(
        0,
        10,
        0.1,
        label="Hold the rest",
        goes_with=GOES_WITH,
        help="How strongly pictures of what lies outside the region are kept as they were, in colour and "
        "outline.",
    ),
]
Fill = Annotated[
    float,
    Range(
        0,
        2,
        0.05,
        label="Region filling",
        goes_with=GOES_WITH,
        advanced=True,
        help="How strongly a region that starts filled is kept from emptying, during the first quarter. 0: "
        "not at all.",
    ),
]


def boxes_in(text: str) -> tuple[Box, ...]:
    """The boxes that ``region`` writes; none where it is empty. Raises InputError."""
    return read_boxes(text) if text.strip() else ()
