"""Pictures show what the words say, as a scorer sees them: CLIP guidance (arXiv 2105.05233; eq. 3.8 of Jambon
2024 with CLIP).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.guidance.energy.pictures import Pictures

if TYPE_CHECKING:
    from torch import Tensor


def energy(pictures: Pictures) -> Tensor | None:
    """Mean over the pictures of how unlike the words the scorer finds them; None without one, or where it
    cannot judge.
    """
    if pictures.unlike is None:
        return None
    unlike = pictures.unlike(pictures.views.rgba)
    return None if unlike is None else unlike.mean()
