"""Load a flow model, whichever pipeline its folder is."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import torch

from engine.errors import FileFormatError
from engine.prior.base import PriorInfo
from engine.prior.flow.sana import load_sana
from engine.prior.flow.sd3 import load_sd3
from engine.prior.latent.prior import LatentPrior
from engine.prior.pipeline_folder import pipeline_class

LOADERS: dict[str, Callable[..., LatentPrior]] = {
    "StableDiffusion3Pipeline": load_sd3,
    "SanaPipeline": load_sana,
}


def load_flow(
    folder: Path,
    device: torch.device | str = "cpu",
    info: PriorInfo | None = None,
    leave_out: Collection[str] = (),
) -> LatentPrior:
    """The model in ``folder``, without the parts to leave out. Raises as the loaders do, and for a pipeline
    that none reads.
    """
    kind = pipeline_class(folder)
    if kind not in LOADERS:
        raise FileFormatError(
            f"{folder} holds a {kind}; this loader takes {' or '.join(LOADERS)}.",
            "Choose another flow model.",
        )
    return LOADERS[kind](folder, device, info, leave_out=leave_out)
