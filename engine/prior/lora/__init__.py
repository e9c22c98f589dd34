"""Style files: low-rank changes (LoRA, arXiv 2106.09685) that others trained, worn by a latent prior at a
live strength.
"""
