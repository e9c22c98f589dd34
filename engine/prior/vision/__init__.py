"""Models that look at an artist's photo before the prior does: one cuts the object out, one tells how far its
parts are.
"""
