"""From an artist's picture file to what a prior can be shown: read it safely, cut the object out, bring it to
the middle.
"""
