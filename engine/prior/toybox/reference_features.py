"""What the reference controller adds for a condition: its maps by noise, beside a given picture, as strongly
as they act.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.prior.base import CleanViews, Reference
from engine.prior.reference.maps import ReferenceMaps, routed
from engine.prior.toybox.network import StemFeatures
from engine.prior.toybox.poses import Poses
from engine.prior.toybox.reference_controller import Pair, ReferenceController, strengthened
from engine.prior.toybox.text_encoder import Words


def features_for(
    controller: ReferenceController,
    reference: Reference,
    clean_views: CleanViews | None,
    times: Tensor,
    words: Words,
    poses: Poses,
) -> StemFeatures | None:
    """What the controller adds to B noisy views and then M given ones at noise times ``times`` (B+M,).

    None, without asking it, where no view has any strength. The given views, which have no noise, follow the
    mean of the others. A controller that was taught no routing sees the finest maps at all times.
    """
    assert reference.maps is not None, "a controller reads maps"
    noisy = reference.maps.mask.shape[1]
    strengths = reference.strengths(times[:noisy])
    if not strengths.any():
        return None
    maps, pair = _maps_and_pair(reference, clean_views, times.device)
    if controller.config.routing:
        maps = routed(maps, times[None], reference.reading)
    features = controller(maps.channels(), pair, times[None], words, poses)
    given = strengths.mean().expand(len(times) - noisy)
    return strengthened(features, torch.cat([strengths, given]))


def _maps_and_pair(
    reference: Reference, clean_views: CleanViews | None, device: torch.device
) -> tuple[ReferenceMaps, Pair]:
    """All views' maps; and the first given view beside the reference from its camera."""
    assert reference.maps is not None, "a controller reads maps"
    maps = reference.maps.to(device)
    if clean_views is None:
        nothing = torch.zeros_like(maps.channels()[:, 0])
        pair = Pair(nothing, nothing, torch.zeros(1, dtype=torch.bool, device=device))
    else:
        assert reference.clean_maps is not None, (
            "given views are seen beside the reference from their cameras"
        )
        given = reference.clean_maps.to(device)
        maps = maps.beside(given)
        pair = Pair(
            clean_views.x[:1].to(device),
            given.channels()[:, 0],
            torch.ones(1, dtype=torch.bool, device=device),
        )
    return maps, pair
