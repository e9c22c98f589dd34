"""A ControlNet: loaded, checked against the prior that it shall help, and asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from engine.errors import FileFormatError, InputError
from engine.prior.base import Condition
from engine.prior.control.entries import CONTROLS_FOLDER, ControlEntry, find_control, local_folder
from engine.prior.control.pictures import PICTURES
from engine.prior.entries import lacking
from engine.prior.latent.loading import Network, load_network
from engine.prior.pipeline_folder import read_json
from engine.prior.resize import to_square

if TYPE_CHECKING:  # slow to import
    pass

KIND = "ControlNetModel"
BASES = {768: "Stable Diffusion 1.x", 1024: "Stable Diffusion 2.x", 2048: "Stable Diffusion XL"}
"""By the width of the words that cross-attention reads."""
SHARED = ("in_channels", "block_out_channels", "layers_per_block", "addition_embed_type")
"""What a ControlNet copies of its UNet: where they differ, its residuals fit nowhere."""


@dataclass(frozen=True, eq=False)
class Control:
    """A frozen ``network`` that looks at the pictures that its entry names."""

    entry: ControlEntry
    network: Network

    def pictures(self, condition: Condition, side: int) -> Tensor:
        """What it is shown of ``condition.views``, or of the reference's: (B,3,side,side) in 0..1.

        Raises InputError where there are none.
        """
        reference = condition.reference
        if reference is not None and reference.views is not None and condition.cameras is not None:
            cameras = condition.cameras.resized(reference.views.rgb.shape[2])
            return to_square(PICTURES[self.entry.sees](reference.views, cameras), side)
        if condition.views is None or condition.cameras is None:
            raise InputError(
                f"The ControlNet {self.entry.id!r} sees the {self.entry.sees} of a shape, and there is "
                "none yet.",
                "Use it while a 3D scene is refined.",
            )
        drawn = PICTURES[self.entry.sees](condition.views, condition.cameras)
        return to_square(drawn, side)

    def residuals(
        self, x_t: Tensor, t: Tensor, inputs: dict[str, Any], picture: Tensor, strength: float | Tensor
    ) -> dict[str, Any]:
        """One call of the network; what it adds to the UNet's features, scaled, as the UNet's call takes it.

        ``strength`` is a number, or (B,1,1,1).
        """
        down, middle = self.network(
            x_t, t, controlnet_cond=picture.to(x_t), conditioning_scale=strength, return_dict=False, **inputs
        )
        return {"down_block_additional_residuals": down, "mid_block_additional_residual": middle}


def load_control(control_id: str, device: torch.device, folder: Path = CONTROLS_FOLDER) -> Control:
    """The ControlNet named ``control_id``: half precision on a GPU, full on a CPU.

    Raises InputError (unknown), MissingError (not on this machine), FileFormatError (another kind of network,
    or damaged).
    """
    entry = find_control(control_id, folder)
    place = local_folder(entry)
    if place is None:
        raise lacking(entry, f"The ControlNet {entry.title}")
    kind = read_json(place / "config.json").get("_class_name", "network without a name")
    if kind != KIND:
        raise FileFormatError(
            f"{place} holds a {kind}; a ControlNet's folder holds a {KIND}.", "Choose a plain ControlNet."
        )
    from diffusers import ControlNetModel

    return Control(entry, load_network(place.parent, place.name, ControlNetModel.from_pretrained, device))


def check_base(control: Control, unet: Network, title: str) -> None:
    """Raises InputError for a ControlNet that was not trained on the base of ``unet``, the network of the
    prior ``title``.
    """
    its, ours = (each.config.cross_attention_dim for each in (control.network, unet))
    remedy = (
        f"Choose a ControlNet for {BASES.get(ours, 'the same base')}, or a prior of the ControlNet's base."
    )
    where = f"The ControlNet {control.entry.id!r} was made for {control.entry.base}"
    if its != ours:
        raise InputError(
            f"{where}: it reads words that are {its} wide, and those of {title} are {ours} wide.", remedy
        )
    for name in SHARED:
        its, ours = getattr(control.network.config, name), getattr(unet.config, name)
        if its != ours:
            raise InputError(
                f"{where} and does not fit {title}: its {name} is {its}, and the prior's is {ours}.", remedy
            )
