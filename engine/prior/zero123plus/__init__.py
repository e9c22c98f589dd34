"""Zero123++'s class (arXiv 2310.15110): six views of an object in one picture, at fixed angles beside the one
that is given.
"""
