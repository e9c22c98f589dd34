"""How fast the studio is and how much memory it takes, as ratios against a reference in the same run; for
people who build.

``python -m engine.benchmark`` runs all of it. One file a measurement, each a function that returns a frozen
dataclass.
"""
