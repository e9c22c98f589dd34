"""Nearest kinds of the physical nouns of WordNet 3.1, for words that the toybox was not taught.

The table ``nearest.tsv.gz`` is made from Princeton University's WordNet (its licence:
``WORDNET-LICENSE.txt``) and from the sense of each kind, chosen by hand in ``senses.tsv``: WordNet's first
*mug* is an amount, its first *table* an array.
"""
