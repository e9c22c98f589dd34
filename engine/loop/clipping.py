"""Pixel-wise gradient clipping round any method (arXiv 2310.12474): on the rendered pictures, before the
prior encodes them.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from engine.core.gradient import clip_backward, clipped_share
from engine.core.views import Views
from engine.loop.spec import Knobs


def bounded(views: Views, knobs: Knobs) -> Views:
    """``views`` through which no pixel's gradient comes back larger than the knobs allow; "off" gives
    ``views`` themselves.
    """
    if knobs.gradient_clip == "off":
        return views
    pictures = clip_backward(views.rgba, knobs.clip_limit, knobs.gradient_clip)
    rgb, alpha = pictures.split([3, 1], dim=-1)
    rgb.retain_grad()
    alpha.retain_grad()
    return replace(views, rgb=rgb, alpha=alpha)


def clipping_metrics(views: Views, knobs: Knobs) -> dict[str, float]:
    """After the backward pass: which share of the pixels of ``bounded`` views was ``clipped``."""
    if knobs.gradient_clip == "off":
        return {}
    parts = [torch.zeros_like(part) if part.grad is None else part.grad for part in (views.rgb, views.alpha)]
    return {"clipped": clipped_share(torch.cat(parts, dim=-1), knobs.clip_limit, knobs.gradient_clip)}
