"""Procedural toy objects: twenty-four kinds, each with continuous variety and colour words bound to named parts."""

from engine.toybox.objects.catalogue import CATALOGUE
from engine.toybox.objects.drawing import draw_object, parts_of
from engine.toybox.objects.mesh import ToyMesh, ToyObject

KINDS: tuple[str, ...] = tuple(kind.name for kind in CATALOGUE)
KINDS_WITH_FRONT: frozenset[str] = frozenset(kind.name for kind in CATALOGUE if kind.has_front)

__all__ = ["KINDS", "KINDS_WITH_FRONT", "ToyMesh", "ToyObject", "draw_object", "parts_of"]
