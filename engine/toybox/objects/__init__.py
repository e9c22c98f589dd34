"""Procedural toy objects: kinds with continuous variety, and colour words bound to named parts."""

from engine.toybox.objects.catalogue import CATALOGUE
from engine.toybox.objects.catalogue import FIRST_KINDS as _FIRST
from engine.toybox.objects.catalogue import JUDGED as _JUDGED
from engine.toybox.objects.drawing import any_kind, draw_object, parts_of
from engine.toybox.objects.mesh import ToyMesh, ToyObject

KINDS: tuple[str, ...] = tuple(kind.name for kind in CATALOGUE)
FIRST_KINDS: tuple[str, ...] = tuple(kind.name for kind in _FIRST)
"""Those of the quick yardstick."""

JUDGED_KINDS: tuple[str, ...] = tuple(kind.name for kind in _JUDGED)
"""Those that the classifier tells apart; it has to be trained again to learn more."""

KINDS_WITH_FRONT: frozenset[str] = frozenset(kind.name for kind in CATALOGUE if kind.has_front)

__all__ = [
    "FIRST_KINDS",
    "JUDGED_KINDS",
    "KINDS",
    "KINDS_WITH_FRONT",
    "ToyMesh",
    "ToyObject",
    "any_kind",
    "draw_object",
    "parts_of",
]
