"""Multi-view diffusion models of MVDream's class (arXiv 2308.16512): four views of one object, which see each
other.
"""
