"""Energies: what pictures should be like beside what the prior says, each a number that is lower where they
are.

They add to any method's score, or to sampling: score - sum_j gamma_j grad g_j (`composition.py`). One small
file a term, which gives ``energy(pictures) -> Tensor | None``: the mean over its pixels, or None where it has
nothing to say of them.
"""
