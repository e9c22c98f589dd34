"""The animals among the kinds beyond the first twenty-four."""

from __future__ import annotations

from engine.toybox.objects import animals, beasts, waters
from engine.toybox.objects.kinds import Kind, kind

CREATURES: tuple[Kind, ...] = (
    kind("dog", animals.build_dog, "body: brown, light brown, white; ears: brown, black ~; collar: red, blue", True),
    kind(
        "horse",
        animals.build_horse,
        "body: brown, dark brown, white; mane: black, dark brown; tail: black, dark brown; saddle: dark red, brown",
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
    kind("lion", beasts.build_lion, "body: light brown, orange; mane: brown, dark brown; tail: light brown ~", True),
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
