"""The kinds beyond the first twenty-four that are no animals: machines, buildings, things of the house, food,
things to hold.
"""

from __future__ import annotations

from engine.toybox.objects import (
    aircraft_and_ships,
    appliances,
    buildings,
    fruit,
    furnishings,
    meals,
    tools,
    toys,
    vessels,
    wear,
    wheels,
)
from engine.toybox.objects.kinds import Kind, kind

THINGS: tuple[Kind, ...] = (
    kind("truck", wheels.build_truck, "body: white, gray, blue; cab: red, blue ~; wheels: black", True),
    kind(
        "train",
        wheels.build_train,
        "body: black, green, red; cab: red, green ~; chimney: black; wheels: red, black",
        True,
    ),
    kind("bicycle", wheels.build_bicycle, "body: red, blue, black; wheels: black; saddle: black, brown"),
    kind(
        "motorcycle",
        wheels.build_motorcycle,
        "body: red, black, blue; wheels: black; seat: black, brown",
        True,
    ),
    kind(
        "helicopter",
        aircraft_and_ships.build_helicopter,
        "body: red, blue, yellow; tail: white, red ~; rotor: dark gray",
        True,
    ),
    kind("tractor", wheels.build_tractor, "body: green, red, blue; cab: green, red ~; wheels: black", True),
    kind("tank", wheels.build_tank, "body: dark green, beige; turret: dark green ~; tracks: dark gray", True),
    kind(
        "submarine",
        aircraft_and_ships.build_submarine,
        "body: yellow, gray; tower: yellow ~; fins: red ~",
        True,
    ),
    kind(
        "spaceship",
        aircraft_and_ships.build_spaceship,
        "body: light gray, gray; dome: light blue; lights: yellow, red",
    ),
    kind(
        "balloon",
        aircraft_and_ships.build_balloon,
        "body: red, blue, yellow; stripes: yellow, white; basket: brown",
    ),
    kind("skateboard", wheels.build_skateboard, "body: brown, blue, red; wheels: white, red"),
    kind(
        "ship",
        aircraft_and_ships.build_ship,
        "body: dark blue, black, red; cabin: white; funnel: red, yellow",
        True,
    ),
    kind(
        "castle", buildings.build_castle, "body: gray, light gray, beige; roof: red, blue; gate: brown", True
    ),
    kind(
        "tower",
        buildings.build_tower,
        "body: gray, light gray, beige; roof: red, blue, gray; door: brown",
        True,
    ),
    kind("lighthouse", buildings.build_lighthouse, "body: white; stripes: red, blue; roof: red, black"),
    kind(
        "windmill",
        buildings.build_windmill,
        "body: white, beige; roof: brown, dark red; sails: white, beige",
        True,
    ),
    kind(
        "church", buildings.build_church, "body: white, beige; roof: dark red, brown, gray; door: brown", True
    ),
    kind("bridge", buildings.build_bridge, "body: gray, brown; rails: light gray, brown ~"),
    kind("tent", buildings.build_tent, "body: green, orange, beige; door: dark green, brown", True),
    kind("well", buildings.build_well, "body: gray, light gray; roof: brown, dark red; bucket: brown"),
    kind("fence", buildings.build_fence, "body: white, brown; rails: white, brown ~"),
    kind(
        "skyscraper",
        buildings.build_skyscraper,
        "body: gray, light gray, beige; windows: light blue, dark blue; door: dark gray",
    ),
    kind("bed", furnishings.build_bed, "body: brown, white; blanket: blue, red, green; pillows: white", True),
    kind("stool", furnishings.build_stool, "body: brown, red; legs: brown, gray ~"),
    kind("bench", furnishings.build_bench, "body: brown, light brown; legs: black, dark gray", True),
    kind("bookcase", furnishings.build_bookcase, "body: brown, white; books: red, blue, green", True),
    kind("cabinet", furnishings.build_cabinet, "body: brown, white; drawers: brown, beige ~", True),
    kind(
        "television",
        appliances.build_television,
        "body: black, dark gray, brown; screen: dark blue, light blue",
        True,
    ),
    kind("clock", appliances.build_clock, "body: red, blue, black; face: white; bells: yellow, gray ~", True),
    kind("piano", appliances.build_piano, "body: black, brown; keys: white", True),
    kind("umbrella", wear.build_umbrella, "body: red, blue, yellow; ribs: gray, black; handle: brown, black"),
    kind("candle", vessels.build_candle, "body: white, red, beige; plate: yellow, gray"),
    kind("vase", vessels.build_vase, "body: blue, white; band: white, blue; flowers: red, pink"),
    kind("bowl", vessels.build_bowl, "body: white, blue; rim: blue, white ~"),
    kind("bucket", vessels.build_bucket, "body: gray, blue, red; rim: gray ~; handle: dark gray"),
    kind("barrel", vessels.build_barrel, "body: brown, light brown; hoops: gray, dark gray"),
    kind(
        "chest", vessels.build_chest, "body: brown, dark brown; bands: yellow, gray; lock: yellow, gray", True
    ),
    kind("box", vessels.build_box, "body: red, blue, green; lid: red, blue ~; ribbon: yellow, white"),
    kind(
        "basket",
        vessels.build_basket,
        "body: light brown, beige; handle: brown, light brown ~; cloth: red, white",
    ),
    kind("plate", vessels.build_plate, "body: white; rim: blue, white"),
    kind("pot", vessels.build_pot, "body: gray, red; lid: gray ~; handles: black"),
    kind("fridge", appliances.build_fridge, "body: white, light gray; doors: white ~; handles: gray", True),
    kind(
        "computer",
        appliances.build_computer,
        "body: gray, light gray, black; screen: light blue, dark blue; keys: black, white",
        True,
    ),
    kind(
        "door", furnishings.build_door, "body: brown, white, green; frame: white, brown ~; knob: yellow, gray"
    ),
    kind("ladder", furnishings.build_ladder, "body: brown, light brown, gray; rungs: brown, gray ~"),
    kind("apple", fruit.build_apple, "body: red, green; stem: brown; leaf: green"),
    kind("pear", fruit.build_pear, "body: lime, yellow; stem: brown; leaf: green"),
    kind("banana", fruit.build_banana, "body: yellow; stem: brown, green"),
    kind("pumpkin", fruit.build_pumpkin, "body: orange; stem: green, brown"),
    kind("carrot", fruit.build_carrot, "body: orange; leaves: green"),
    kind("tomato", fruit.build_tomato, "body: red; leaf: green"),
    kind("strawberry", fruit.build_strawberry, "body: red; seeds: yellow; leaf: green"),
    kind("watermelon", fruit.build_watermelon, "body: red; rind: green, dark green; seeds: black"),
    kind(
        "burger",
        meals.build_burger,
        "body: light brown, orange; patty: brown, dark brown; salad: green, lime",
    ),
    kind("pizza", meals.build_pizza, "body: yellow; crust: light brown; toppings: red"),
    kind("icecream", meals.build_icecream, "body: pink, brown, white; cone: light brown, beige; cherry: red"),
    kind(
        "donut", meals.build_donut, "body: light brown, beige; icing: pink, brown; sprinkles: white, yellow"
    ),
    kind("cheese", meals.build_cheese, "body: yellow; rind: orange, red; holes: orange, yellow"),
    kind("egg", meals.build_egg, "body: white, beige; stripes: red, blue; cup: light blue, brown"),
    kind("flower", fruit.build_flower, "body: red, yellow, white, pink; centre: yellow, brown; stem: green"),
    kind(
        "palm", fruit.build_palm, "body: green, dark green; trunk: brown, light brown; coconuts: dark brown"
    ),
    kind("bread", meals.build_bread, "body: light brown, brown; cuts: beige"),
    kind("lollipop", meals.build_lollipop, "body: red, pink; stripes: white, yellow; stick: white"),
    kind("cherry", fruit.build_cherry, "body: red, dark red; stem: green, brown; leaf: green"),
    kind("corn", fruit.build_corn, "body: yellow; leaves: green"),
    kind("hammer", tools.build_hammer, "body: gray, dark gray; handle: brown, light brown"),
    kind("axe", tools.build_axe, "body: gray, light gray; handle: brown, light brown"),
    kind(
        "shield", tools.build_shield, "body: red, blue, gray; rim: gray, yellow; emblem: yellow, white", True
    ),
    kind("key", tools.build_key, "body: yellow, gray; bow: yellow, gray ~"),
    kind("book", tools.build_book, "body: red, blue, green; pages: white, beige; band: yellow, white"),
    kind("pencil", tools.build_pencil, "body: yellow, red, blue; tip: black; eraser: pink"),
    kind("crown", wear.build_crown, "body: yellow; jewels: red, blue"),
    kind("hat", wear.build_hat, "body: black, brown, blue; band: red, white"),
    kind("shoe", wear.build_shoe, "body: red, blue, white, brown; sole: white, black; laces: white", True),
    kind("ball", toys.build_ball, "body: white, red; stripes: black, blue, red"),
    kind("dice", toys.build_dice, "body: white, red; dots: black, white"),
    kind("ring", wear.build_ring, "body: yellow, light gray; stone: red, light blue, green"),
    kind("star", toys.build_star, "body: yellow; rim: orange, yellow ~"),
    kind("heart", toys.build_heart, "body: red, pink; ribbon: white, pink"),
    kind("gem", toys.build_gem, "body: cyan, red, purple; edges: white ~"),
    kind("bell", toys.build_bell, "body: yellow; band: orange, brown; handle: brown, yellow"),
    kind(
        "trophy",
        toys.build_trophy,
        "body: yellow, light gray; handles: yellow, light gray ~; base: black, brown",
    ),
    kind(
        "camera",
        appliances.build_camera,
        "body: black, dark gray; lens: black, gray; button: red, gray",
        True,
    ),
    kind(
        "phone",
        appliances.build_phone,
        "body: black, red, white; screen: white, light blue; receiver: black, red ~",
        True,
    ),
    kind("glasses", wear.build_glasses, "body: black, brown, red; lenses: light blue, black", True),
    kind("drum", toys.build_drum, "body: red, blue; rim: white, yellow; sticks: light brown"),
    kind(
        "backpack",
        wear.build_backpack,
        "body: red, blue, green; pocket: blue, red ~; straps: black, brown",
        True,
    ),
    kind("ghost", toys.build_ghost, "body: white; eyes: black", True),
    kind("skull", toys.build_skull, "body: white, beige; eyes: black; teeth: white, beige ~", True),
    kind("lantern", vessels.build_lantern, "body: black, dark gray; glass: yellow, orange; ring: black ~"),
    kind("anchor", tools.build_anchor, "body: dark gray, black; stock: dark gray, brown ~; ring: gray"),
    kind("flag", toys.build_flag, "body: red, blue, green; stripes: white, yellow; pole: brown, gray"),
    kind("magnet", tools.build_magnet, "body: red; tips: light gray, white"),
)
