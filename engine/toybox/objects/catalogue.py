"""Every kind: how it is built, which parts take a colour, and what colours are usual.

The first twenty-four are those of the quick yardstick; their order and that of the others decides what a seed draws.
"""

from __future__ import annotations

from engine.toybox.objects.crafts import build_airplane, build_boat, build_rocket
from engine.toybox.objects.creature_kinds import CREATURES
from engine.toybox.objects.creatures import build_bird, build_cat, build_fish
from engine.toybox.objects.figures import build_robot, build_snowman
from engine.toybox.objects.furniture import build_chair, build_lamp, build_sofa, build_table
from engine.toybox.objects.gear import build_guitar, build_sword
from engine.toybox.objects.kinds import METALS, WOODS, Kind, Part
from engine.toybox.objects.kitchen import build_bottle, build_cake, build_mug, build_teapot
from engine.toybox.objects.outdoors import build_cactus, build_house, build_mushroom, build_tree
from engine.toybox.objects.thing_kinds import THINGS
from engine.toybox.objects.vehicles import build_bus, build_car

FIRST_KINDS: tuple[Kind, ...] = (
    Kind(
        "mug",
        build_mug,
        (Part("body", ("white", "beige")), Part("handle", ("white", "brown"), True), Part("rim", ("white",), True)),
        True,
    ),
    Kind("chair", build_chair, (Part("body", WOODS), Part("legs", WOODS, True), Part("cushion", ("beige", "white"), True)), True),
    Kind("table", build_table, (Part("body", WOODS), Part("legs", WOODS, True))),
    Kind(
        "car",
        build_car,
        (Part("body", ("red", "blue", "gray")), Part("wheels", ("black",)), Part("roof", ("white",), True)),
        True,
    ),
    Kind(
        "house", build_house, (Part("body", ("beige", "white")), Part("roof", ("dark red", "brown")), Part("door", WOODS)), True
    ),
    Kind("tree", build_tree, (Part("body", ("green", "dark green")), Part("trunk", ("brown",)))),
    Kind("mushroom", build_mushroom, (Part("body", ("red", "brown")), Part("stem", ("beige",)), Part("spots", ("white",)))),
    Kind("rocket", build_rocket, (Part("body", ("white", "light gray")), Part("fins", ("red",)), Part("nose", ("red",)))),
    Kind("snowman", build_snowman, (Part("body", ("white",)), Part("hat", ("black",)), Part("scarf", ("red",)))),
    Kind("lamp", build_lamp, (Part("body", METALS), Part("shade", ("beige", "white"), True))),
    Kind(
        "bottle",
        build_bottle,
        (Part("body", ("green", "dark green")), Part("cap", WOODS, True), Part("label", ("white", "beige"))),
    ),
    Kind(
        "bird",
        build_bird,
        (Part("body", ("brown", "gray", "light blue")), Part("wings", ("brown", "gray"), True), Part("beak", ("orange",))),
        True,
    ),
    Kind("robot", build_robot, (Part("body", METALS), Part("head", METALS, True), Part("legs", METALS, True)), True),
    Kind(
        "cake",
        build_cake,
        (Part("body", ("brown", "beige")), Part("icing", ("white", "pink")), Part("candles", ("white", "light blue"))),
    ),
    Kind("boat", build_boat, (Part("body", ("brown", "white")), Part("sail", ("white",)), Part("flag", ("red",)))),
    Kind("sword", build_sword, (Part("body", ("light gray", "gray")), Part("hilt", ("brown",)), Part("pommel", ("yellow",)))),
    Kind(
        "airplane",
        build_airplane,
        (Part("body", ("white",)), Part("wings", ("light gray",), True), Part("tail", ("red", "blue"), True)),
        True,
    ),
    Kind(
        "cat",
        build_cat,
        (Part("body", ("orange", "gray", "black")), Part("tail", (), True), Part("paws", ("white",), True)),
        True,
    ),
    Kind(
        "fish", build_fish, (Part("body", ("orange",)), Part("fins", ("orange",), True), Part("stripes", ("white",), True)), True
    ),
    Kind(
        "sofa",
        build_sofa,
        (Part("body", ("gray", "brown")), Part("cushions", ("beige", "white"), True), Part("legs", WOODS)),
        True,
    ),
    Kind(
        "teapot",
        build_teapot,
        (
            Part("body", ("white", "beige")),
            Part("lid", ("white",), True),
            Part("handle", ("white",), True),
            Part("spout", ("white",), True),
        ),
        True,
    ),
    Kind("bus", build_bus, (Part("body", ("yellow", "red")), Part("roof", ("white",), True), Part("wheels", ("black",))), True),
    Kind("guitar", build_guitar, (Part("body", ("brown", "light brown")), Part("neck", ("dark brown",))), True),
    Kind("cactus", build_cactus, (Part("body", ("green",)), Part("pot", ("orange", "brown")), Part("flowers", ("pink",)))),
)

CATALOGUE: tuple[Kind, ...] = (*FIRST_KINDS, *CREATURES, *THINGS)
