"""What a 3D reference is worth: assets made without one, with a random, a retrieved and the true one,
compared with the truth.
"""
