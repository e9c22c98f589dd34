"""Cut an object out of a picture with a flat background, as multi-view models of the MVDream kind draw
them.
"""

from __future__ import annotations

import torch
from torch import Tensor

BORDER = 1 / 32  # of the side: the ring that is taken for background
FLAT = 0.08  # a ring whose colours spread further than this is no flat background
# colour distances: what a compressed background still varies by, and where an edge is wholly object
CLEAR, SOLID = 0.04, 0.14
MAD_TO_STD = 1.4826


def matte(rgb: Tensor) -> Tensor:
    """Opaque pictures (B,H,W,3) in 0..1 to premultiplied RGBA (B,H,W,4): alpha 0 on the background and 1
    within the object.

    The background's colour is the median of the border. It is taken away only where it is joined to the
    border, so that parts of the object that have the same colour stay, and from the mixed colours of the
    edge. Pictures whose border is not of one colour are left opaque: there is nothing to tell the object by.
    """
    colour, spread = border_colour(rgb)
    distance = (rgb - colour[:, None, None]).abs().amax(dim=-1)
    noise = 2 * spread[:, None, None]
    soft = ((distance - CLEAR - noise) / (SOLID - CLEAR)).clamp(0, 1)
    outside = joined_to_border(soft < 1)
    flat = (spread <= FLAT)[:, None, None]
    alpha = torch.where(outside & flat, soft * soft * (3 - 2 * soft), 1.0)[..., None]
    cut = (rgb - (1 - alpha) * colour[:, None, None]).clamp(min=0).minimum(alpha)
    return torch.cat([torch.where(alpha < 1, cut, rgb), alpha], dim=-1)


def border_colour(rgb: Tensor) -> tuple[Tensor, Tensor]:
    """The median colour (B,3) of each picture's border, and the robust standard deviation (B,) of its most
    uneven channel.
    """
    height, width = rgb.shape[1:3]
    ring = torch.ones(height, width, dtype=torch.bool, device=rgb.device)
    thick = max(1, round(min(height, width) * BORDER))
    ring[thick:-thick, thick:-thick] = False
    pixels = rgb[:, ring]
    colour = pixels.median(dim=1).values
    return colour, MAD_TO_STD * (pixels - colour[:, None]).abs().median(dim=1).values.amax(dim=1)


def joined_to_border(mask: Tensor) -> Tensor:
    """The part of ``mask`` (B,H,W) that is connected to the picture's border, side by side and not across
    corners.
    """
    from engine.core.morphology import propagated  # slow to import, and only needed here

    seeds = torch.zeros_like(mask)
    seeds[:, [0, -1]], seeds[:, :, [0, -1]] = mask[:, [0, -1]], mask[:, :, [0, -1]]
    grown = [
        torch.from_numpy(propagated(seed.cpu().numpy(), allowed.cpu().numpy()))
        for seed, allowed in zip(seeds, mask, strict=True)
    ]
    return torch.stack(grown).to(mask.device)
