"""What a picture of a scene may show; named without numpy, so that a command line can."""

LAYERS = ("colour", "depth", "normal", "alpha")
COLOUR = LAYERS[0]
