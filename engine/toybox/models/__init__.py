"""Named 3D models as training objects: where they lie, what they are called, how they are recoloured and
drawn by seed.
"""
