"""Zero123's class (arXiv 2303.11328): one view of an object, drawn from a picture of it and the way between
two cameras.
"""
