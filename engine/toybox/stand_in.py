"""What the shelf gives where the prior has not learned a kind: an object of that kind, built in the colours
of the prompt.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from engine.assets.meshes.mesh_shape import RawMesh
from engine.retrieval.items import Item
from engine.toybox.objects import KINDS, draw_object
from engine.toybox.prompt_parser import Asked, read_prompt
from engine.toybox.shelf import LICENCE, PER_KIND, SOURCE, raw_mesh, seed_of


def stand_in(prompt: str, seed: int, made: Collection[str]) -> Item | None:
    """An object of the first kind that a prompt names, if that is on the shelf and not among the kinds that
    are ``made``.

    Different seeds give different objects; None where the prior does not need one.
    """
    parsed = read_prompt(prompt)
    if not parsed or parsed[0].kind in made or parsed[0].kind not in KINDS:
        return None
    own = seed_of(parsed[0].kind, seed % PER_KIND)
    return Item(
        f"toybox/{own}", f"a {parsed[0].kind}", SOURCE, LICENCE, build=partial(_built, own, parsed[0])
    )


def _built(seed: int, wanted: Asked) -> RawMesh:
    """Parts that the prompt gives no colour look as usual."""
    return raw_mesh(draw_object(seed, wanted.kind, wanted.colours).mesh)
