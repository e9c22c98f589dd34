"""Every kind: how it is built, which parts take a colour, and what colours are usual.

The first twenty-four are those of the quick yardstick; their order and that of the others decides what a seed
draws.
"""

from __future__ import annotations

from engine.toybox.objects import animals, beasts, waters
from engine.toybox.objects.crafts import build_airplane, build_boat, build_rocket
from engine.toybox.objects.creatures import build_bird, build_cat, build_fish
from engine.toybox.objects.figures import build_robot, build_snowman
from engine.toybox.objects.furniture import build_chair, build_lamp, build_sofa, build_table
from engine.toybox.objects.further_kinds import FURTHER
from engine.toybox.objects.gear import build_guitar, build_sword
from engine.toybox.objects.kinds import METALS, WOODS, Kind, Part, kind
from engine.toybox.objects.kitchen import build_bottle, build_cake, build_mug, build_teapot
from engine.toybox.objects.outdoors import build_cactus, build_house, build_mushroom, build_tree
from engine.toybox.objects.thing_kinds import THINGS
from engine.toybox.objects.vehicles import build_bus, build_car

CREATURES: tuple[Kind, ...] = (
    kind(
        "dog",
        animals.build_dog,
        "body: brown, light brown, white; ears: brown, black ~; collar: red, blue",
        True,
    ),
    kind(
        "horse",
        animals.build_horse,
        "body: brown, dark brown, white; mane: black, dark brown; tail: black, dark brown; saddle: dark "
        "red, brown",
        True,
    ),
    kind("cow", animals.build_cow, "body: white, brown; spots: black, brown; horns: beige, white", True),
    kind("pig", animals.build_pig, "body: pink; snout: pink ~; ears: pink ~", True),
    kind("sheep", animals.build_sheep, "body: white, beige; head: black, beige; legs: black, beige", True),
    kind("bear", beasts.build_bear, "body: brown, light brown; belly: beige; ears: brown ~", True),
    kind(
        "rabbit",
        animals.build_rabbit,
        "body: white, gray, light brown; ears: pink, white ~; tail: white; paws: white ~",
        True,
    ),
    kind("elephant", beasts.build_elephant, "body: gray, light gray; ears: gray ~; tusks: white", True),
    kind(
        "lion",
        beasts.build_lion,
        "body: light brown, orange; mane: brown, dark brown; tail: light brown ~",
        True,
    ),
    kind("giraffe", beasts.build_giraffe, "body: yellow, beige; spots: brown", True),
    kind(
        "dinosaur",
        beasts.build_dinosaur,
        "body: green, dark green; belly: lime, beige; spikes: orange, dark green",
        True,
    ),
    kind(
        "dragon",
        beasts.build_dragon,
        "body: green, red; wings: orange, dark red ~; spikes: yellow; horns: beige",
        True,
    ),
    kind("turtle", beasts.build_turtle, "body: green, lime; shell: brown, dark green", True),
    kind("deer", beasts.build_deer, "body: brown, light brown; belly: beige; horns: beige, brown", True),
    kind(
        "duck",
        waters.build_duck,
        "body: yellow, white; head: green, yellow ~; beak: orange; wings: yellow, white ~",
        True,
    ),
    kind("penguin", waters.build_penguin, "body: black, dark blue; belly: white; beak: orange", True),
    kind("owl", waters.build_owl, "body: brown, gray; belly: beige; wings: dark brown ~", True),
    kind("shark", waters.build_shark, "body: gray, dark blue; belly: white; fins: gray ~", True),
    kind("whale", waters.build_whale, "body: blue, dark blue; belly: white, light blue; fins: blue ~", True),
    kind("octopus", waters.build_octopus, "body: purple, pink, orange; arms: purple ~", True),
    kind("snake", waters.build_snake, "body: green, yellow; stripes: black, dark green", True),
    kind("frog", waters.build_frog, "body: green, lime; belly: yellow, beige", True),
    kind(
        "butterfly",
        waters.build_butterfly,
        "body: black, brown; wings: orange, blue, yellow; spots: white, black",
        True,
    ),
    kind("spider", waters.build_spider, "body: black, dark brown; legs: black ~; spots: red", True),
    kind("snail", waters.build_snail, "body: beige, light brown; shell: brown, orange", True),
    kind("bee", waters.build_bee, "body: yellow; stripes: black; wings: light blue, white", True),
)

FIRST_KINDS: tuple[Kind, ...] = (
    Kind(
        "mug",
        build_mug,
        (
            Part("body", ("white", "beige")),
            Part("handle", ("white", "brown"), True),
            Part("rim", ("white",), True),
        ),
        True,
    ),
    Kind(
        "chair",
        build_chair,
        (Part("body", WOODS), Part("legs", WOODS, True), Part("cushion", ("beige", "white"), True)),
        True,
    ),
    Kind("table", build_table, (Part("body", WOODS), Part("legs", WOODS, True))),
    Kind(
        "car",
        build_car,
        (Part("body", ("red", "blue", "gray")), Part("wheels", ("black",)), Part("roof", ("white",), True)),
        True,
    ),
    Kind(
        "house",
        build_house,
        (Part("body", ("beige", "white")), Part("roof", ("dark red", "brown")), Part("door", WOODS)),
        True,
    ),
    Kind("tree", build_tree, (Part("body", ("green", "dark green")), Part("trunk", ("brown",)))),
    Kind(
        "mushroom",
        build_mushroom,
        (Part("body", ("red", "brown")), Part("stem", ("beige",)), Part("spots", ("white",))),
    ),
    Kind(
        "rocket",
        build_rocket,
        (Part("body", ("white", "light gray")), Part("fins", ("red",)), Part("nose", ("red",))),
    ),
    Kind(
        "snowman", build_snowman, (Part("body", ("white",)), Part("hat", ("black",)), Part("scarf", ("red",)))
    ),
    Kind("lamp", build_lamp, (Part("body", METALS), Part("shade", ("beige", "white"), True))),
    Kind(
        "bottle",
        build_bottle,
        (Part("body", ("green", "dark green")), Part("cap", WOODS, True), Part("label", ("white", "beige"))),
    ),
    Kind(
        "bird",
        build_bird,
        (
            Part("body", ("brown", "gray", "light blue")),
            Part("wings", ("brown", "gray"), True),
            Part("beak", ("orange",)),
        ),
        True,
    ),
    Kind(
        "robot",
        build_robot,
        (Part("body", METALS), Part("head", METALS, True), Part("legs", METALS, True)),
        True,
    ),
    Kind(
        "cake",
        build_cake,
        (
            Part("body", ("brown", "beige")),
            Part("icing", ("white", "pink")),
            Part("candles", ("white", "light blue")),
        ),
    ),
    Kind(
        "boat",
        build_boat,
        (Part("body", ("brown", "white")), Part("sail", ("white",)), Part("flag", ("red",))),
    ),
    Kind(
        "sword",
        build_sword,
        (Part("body", ("light gray", "gray")), Part("hilt", ("brown",)), Part("pommel", ("yellow",))),
    ),
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
        "fish",
        build_fish,
        (Part("body", ("orange",)), Part("fins", ("orange",), True), Part("stripes", ("white",), True)),
        True,
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
    Kind(
        "bus",
        build_bus,
        (Part("body", ("yellow", "red")), Part("roof", ("white",), True), Part("wheels", ("black",))),
        True,
    ),
    Kind(
        "guitar", build_guitar, (Part("body", ("brown", "light brown")), Part("neck", ("dark brown",))), True
    ),
    Kind(
        "cactus",
        build_cactus,
        (Part("body", ("green",)), Part("pot", ("orange", "brown")), Part("flowers", ("pink",))),
    ),
)

JUDGED: tuple[Kind, ...] = (*FIRST_KINDS, *CREATURES, *THINGS)
CATALOGUE: tuple[Kind, ...] = (*JUDGED, *FURTHER)
"""New kinds come last: shelves, seeds and judges count them by their place."""
