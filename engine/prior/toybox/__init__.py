"""The embedded prior: a small multi-view diffusion model that the project trains itself.

``model_index.json`` names the classes below in this package, and diffusers looks here for their base class
too. They are imported when asked for, because diffusers is slow to import; what computes uses the plain
network in ``engine.prior.toybox.network``.
"""

from __future__ import annotations

__all__ = ["ModelMixin", "ToyboxDenoiser", "ToyboxPipeline"]


def __getattr__(name: str) -> type:
    if name == "ToyboxDenoiser":
        from engine.prior.toybox.pipeline import ToyboxDenoiser

        return ToyboxDenoiser
    if name == "ModelMixin":
        from diffusers import ModelMixin

        return ModelMixin
    if name == "ToyboxPipeline":
        from engine.prior.toybox.pipeline import ToyboxPipeline

        return ToyboxPipeline
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
