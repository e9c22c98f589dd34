"""Evaluation in the manner of T3Bench (arXiv 2310.02977): prompts in, finished assets judged from all sides,
tables out.

Its best viewpoint alone rewards shapes with two faces, so the worst azimuth and a Janus rate stand beside it.
Its second measure, the alignment that language models judge from captions, is not part of this: it needs
services that cannot be pinned.
"""
