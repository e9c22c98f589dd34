"""Diffusion synchronisation: one canonical thing denoised through many instances of it (SyncTweedies, arXiv
2403.14370).

A `CanonicalSpace` says what is shared (a wide canvas, a panorama, a picture under turns, a mesh's texture)
and how instances see it; `cases` holds the five ways to keep them together, `sampler.synchronised` draws with
any prior.
"""
