"""The kinds that came last: everyday things that people type, which the shelf shows a prior that has not
learned them.
"""

from __future__ import annotations

from engine.toybox.objects import (
    clothes,
    devices,
    hand_tools,
    household,
    outdoor_things,
    small_animals,
    snacks,
    tableware,
)
from engine.toybox.objects.kinds import Kind, kind

FURTHER: tuple[Kind, ...] = (
    kind("spoon", tableware.build_spoon, "body: light gray, gray; handle: light gray, brown ~"),
    kind("fork", tableware.build_fork, "body: light gray, gray; handle: light gray, brown ~"),
    kind("knife", tableware.build_knife, "body: light gray; handle: black, brown"),
    kind("pan", tableware.build_pan, "body: dark gray, black, red; handle: brown, black"),
    kind(
        "jar", tableware.build_jar, "body: orange, light blue, beige; lid: gray, yellow; label: white, beige"
    ),
    kind("goblet", tableware.build_goblet, "body: yellow, light gray; band: red, blue"),
    kind("toaster", tableware.build_toaster, "body: light gray, red, cyan; bread: light brown; lever: black"),
    kind("oven", tableware.build_oven, "body: white, gray; door: light gray, dark gray; plates: black", True),
    kind("scissors", tableware.build_scissors, "body: light gray; handles: red, blue, orange"),
    kind(
        "shirt",
        clothes.build_shirt,
        "body: white, blue, red; sleeves: white, red ~; collar: white, dark blue",
        True,
    ),
    kind(
        "trousers",
        clothes.build_trousers,
        "body: blue, dark blue, brown; cuffs: blue ~; belt: brown, black",
        True,
    ),
    kind("dress", clothes.build_dress, "body: red, pink, blue; hem: white, yellow; belt: black, yellow"),
    kind("sock", clothes.build_sock, "body: red, white, blue; toe: white, gray; cuff: white, gray", True),
    kind("glove", clothes.build_glove, "body: red, brown, blue; cuff: white, dark gray"),
    kind("tie", clothes.build_tie, "body: red, dark blue; knot: red, dark blue ~; stripes: white, yellow"),
    kind("pillow", household.build_pillow, "body: white, light blue, beige; trim: blue, red, gray"),
    kind("mirror", household.build_mirror, "body: brown, yellow; glass: light blue"),
    kind(
        "window",
        household.build_window,
        "body: white, brown; glass: light blue; shutters: green, brown, blue",
        True,
    ),
    kind(
        "suitcase",
        household.build_suitcase,
        "body: brown, blue, red; bands: dark brown, black; handle: black",
    ),
    kind("coin", household.build_coin, "body: yellow, light gray; rim: orange, gray; sign: orange, gray"),
    kind(
        "fan",
        household.build_fan,
        "body: gray, light gray; blades: blue, white, cyan; foot: gray, black",
        True,
    ),
    kind(
        "bathtub", household.build_bathtub, "body: white, pink; rim: white, yellow ~; water: light blue", True
    ),
    kind("toilet", household.build_toilet, "body: white; seat: white, brown", True),
    kind("broom", household.build_broom, "body: yellow, light brown; handle: brown; band: red, brown"),
    kind("painting", household.build_painting, "body: brown, yellow; sky: light blue; hills: green", True),
    kind("lightbulb", household.build_lightbulb, "body: yellow, white; base: gray, light gray"),
    kind(
        "keyboard",
        devices.build_keyboard,
        "body: gray, black, white; keys: white, dark gray; accent: red, cyan",
        True,
    ),
    kind("headphones", devices.build_headphones, "body: black, white, red; cushions: dark gray, red"),
    kind(
        "microphone",
        devices.build_microphone,
        "body: black, dark gray; head: gray, light gray; ring: yellow, gray",
    ),
    kind(
        "speaker",
        devices.build_speaker,
        "body: black, brown; rings: gray, yellow; cones: dark gray, black",
        True,
    ),
    kind(
        "watch",
        devices.build_watch,
        "body: yellow, gray, black; face: white, dark blue; straps: brown, black",
        True,
    ),
    kind(
        "radio", devices.build_radio, "body: red, brown, cyan; grille: dark gray; dials: white, yellow", True
    ),
    kind("saw", hand_tools.build_saw, "body: light gray, gray; handle: brown, red"),
    kind(
        "drill",
        hand_tools.build_drill,
        "body: yellow, green, red; chuck: black; trigger: red; battery: black",
        True,
    ),
    kind("wrench", hand_tools.build_wrench, "body: gray, light gray; handle: red, gray"),
    kind(
        "screwdriver",
        hand_tools.build_screwdriver,
        "body: red, yellow, blue; shaft: light gray; collar: black, gray",
    ),
    kind("shovel", hand_tools.build_shovel, "body: gray, dark gray; handle: brown; knob: black, red"),
    kind("wheel", hand_tools.build_wheel, "body: black, brown; spokes: light gray, brown; hub: gray, red"),
    kind("gear", hand_tools.build_gear, "body: gray, yellow; teeth: gray, yellow ~; hub: dark gray"),
    kind("pineapple", snacks.build_pineapple, "body: yellow, orange; scales: brown, orange; leaves: green"),
    kind("grapes", snacks.build_grapes, "body: purple, green; stem: brown; leaf: green"),
    kind("hotdog", snacks.build_hotdog, "body: light brown; sausage: red, brown; sauce: yellow, red"),
    kind("cupcake", snacks.build_cupcake, "body: pink, brown, light blue; icing: white, pink; cherry: red"),
    kind("cookie", snacks.build_cookie, "body: light brown, brown; chips: dark brown"),
    kind(
        "sandwich",
        snacks.build_sandwich,
        "body: light brown, beige; salad: green; cheese: yellow; olive: green, red",
    ),
    kind("fox", small_animals.build_fox, "body: orange; tail: white; paws: black, dark brown", True),
    kind(
        "camel",
        small_animals.build_camel,
        "body: light brown, beige; hump: brown, light brown ~; cloth: red, blue",
        True,
    ),
    kind("mouse", small_animals.build_mouse, "body: gray, white, brown; ears: pink; tail: pink", True),
    kind(
        "hedgehog",
        small_animals.build_hedgehog,
        "body: beige, light brown; spines: brown, dark brown; paws: brown",
        True,
    ),
    kind(
        "monkey", small_animals.build_monkey, "body: brown, dark brown; face: beige; ears: beige, pink", True
    ),
    kind("crab", small_animals.build_crab, "body: red, orange; claws: red ~; legs: orange, red ~", True),
    kind("ladybug", small_animals.build_ladybug, "body: red, yellow; spots: black; head: black", True),
    kind("cloud", outdoor_things.build_cloud, "body: white, light gray; drops: blue, light blue"),
    kind("moon", outdoor_things.build_moon, "body: yellow; star: yellow, white", True),
    kind(
        "mailbox",
        outdoor_things.build_mailbox,
        "body: blue, red, gray; door: gray, white; flag: red; post: brown",
        True,
    ),
    kind("hydrant", outdoor_things.build_hydrant, "body: red, yellow; caps: white, gray", True),
    kind(
        "igloo",
        outdoor_things.build_igloo,
        "body: white, light blue; joints: light gray; door: dark blue",
        True,
    ),
)
