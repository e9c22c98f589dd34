"""How much memory a run takes, how much there is, and what to give up when that is not enough.

Nothing here touches a network: ``engine.prior.memory_savings`` does what a plan says. The sizes of
activations are counted, by following every live tensor of Stable Diffusion 1.5, 2.1 and 3 and of their VAE
through one call, with torch's fused attention.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

PRECISIONS = ("auto", "fp32", "fp16", "bf16")
GB = 2**30
MARGIN = 0.1  # of what is free stays free: workspaces of kernels, and the holes between blocks
# bytes for each byte of a feature map at the network's first width and full size
UNET, UNET_GRADIENT = 26, 292
TRANSFORMER, TRANSFORMER_GRADIENT = 14, 15  # the second for each block
VAE_GRADIENT = 24
UNFUSED_HEADS = 8  # score matrices that attention keeps at once where it is not fused and not sliced
TILE = 4  # a VAE in tiles, each block computed again on the way back, keeps this many times less
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")


@dataclass(frozen=True)
class Economy:
    """How a prior saves memory. All but ``tiled_vae`` give the same pictures, later."""

    views_per_call: int = 10**6  # through the denoiser
    pictures_per_call: int = 10**6  # through the VAE
    sliced_attention: bool = False
    offloaded: bool = False  # a network that is not at work waits in main memory
    # the VAE sees a picture in overlapping tiles and keeps little of them, which is not quite the same
    tiled_vae: bool = False

    def words(self, views: int) -> str:
        """What is given up for ``views`` views, such as "two views at a time, the VAE in slices"."""
        given_up = {
            f"{number_word(self.views_per_call)} view{'s' * (self.views_per_call > 1)} at a "
            "time": self.views_per_call < views,
            "the VAE in slices": self.pictures_per_call < views,
            "attention in slices": self.sliced_attention,
            "networks that wait in main memory": self.offloaded,
            "the VAE in tiles, which shows a little": self.tiled_vae,
        }
        return ", ".join(what for what, done in given_up.items() if done) or "everything at once"


def tiers(
    views: int,
    *,
    separate_views: bool = True,
    fused_attention: bool = True,
    vae: bool = True,
    can_offload: bool = True,
) -> tuple[Economy, ...]:
    """Economies for a run with ``views`` views a step, from the fastest to the smallest; each gives up one
    thing more.
    """
    economies = [Economy()]
    if not fused_attention:
        economies.append(replace(economies[-1], sliced_attention=True))
    if vae and views > 1:
        economies.append(replace(economies[-1], pictures_per_call=1))
    while separate_views and (chunk := min(views, economies[-1].views_per_call)) > 1:
        economies.append(replace(economies[-1], views_per_call=(chunk + 1) // 2))
    if can_offload:
        economies.append(replace(economies[-1], offloaded=True))
    if vae:
        economies.append(replace(economies[-1], tiled_vae=True))
    return tuple(economies)


@dataclass(frozen=True)
class Footprint:
    """Bytes that a prior takes: all ``weights``, its ``largest`` network, and for one view what a call keeps
    alive.

    ``denoise`` is without gradients, ``learn`` with those of the denoiser, ``encode`` with those of the VAE,
    and ``attention`` the score matrices of one view, which exist only where attention is neither fused nor
    sliced.
    """

    weights: int
    largest: int
    denoise: int = 0
    learn: int = 0
    encode: int = 0
    attention: int = 0


@dataclass(frozen=True)
class Needs:
    """What a run asks for: ``views`` a step, whether its method ``learns`` through the denoiser, and bytes of
    the ``scene``.
    """

    views: int
    learns: bool = False
    scene: int = 0


def estimate(footprint: Footprint, needs: Needs, economy: Economy, *, fused_attention: bool = True) -> int:
    """Bytes in the busiest moment of a step.

    What is encoded at once keeps its activations while the denoiser works; what is encoded in turn is
    computed again afterwards. A method that learns through the denoiser keeps those of all views.
    """
    chunk, pictures = min(needs.views, economy.views_per_call), min(needs.views, economy.pictures_per_call)
    encode = footprint.encode // (TILE if economy.tiled_vae else 1)
    attention = 0 if fused_attention or economy.sliced_attention else footprint.attention
    kept = pictures * encode if pictures == needs.views else 0
    moments = (
        kept + chunk * (footprint.denoise + attention),
        pictures * encode,
        needs.views * (footprint.learn + attention) if needs.learns else 0,
    )
    return (footprint.largest if economy.offloaded else footprint.weights) + needs.scene + max(moments)


@dataclass(frozen=True)
class Plan:
    """An ``economy`` and the ``taken`` bytes that it is estimated to take of the ``free`` ones, for ``views``
    views a step.
    """

    economy: Economy
    taken: int
    free: int
    views: int

    @property
    def fits(self) -> bool:
        """Whether the estimate leaves the margin free."""
        return self.taken <= self.free * (1 - MARGIN)

    def words(self) -> str:
        """Such as "about 6.1 GB of 8.0 GB: two views at a time, the VAE in slices"."""
        return f"about {gigabytes(self.taken)} of {gigabytes(self.free)}: {self.economy.words(self.views)}"


def plan(
    footprint: Footprint,
    needs: Needs,
    free: int,
    ladder: tuple[Economy, ...],
    *,
    fused_attention: bool = True,
) -> Plan:
    """The first economy of the ``ladder`` that fits into ``free`` bytes; the last one if none does (see
    ``Plan.fits``).
    """
    plans = [
        Plan(economy, estimate(footprint, needs, economy, fused_attention=fused_attention), free, needs.views)
        for economy in ladder
    ]
    return next((each for each in plans if each.fits), plans[-1])


def activations(configs: Mapping[str, Mapping[str, Any]], sizes: Mapping[str, int]) -> dict[str, int]:
    """Bytes of ``Footprint``'s activations, from the configs of the "denoiser" and the "vae"; ``sizes`` are
    bytes a number.

    A config that names no size counts nothing.
    """
    denoiser, size = configs.get("denoiser", {}), sizes.get("denoiser", 4)
    count = _unet(denoiser, size) if "block_out_channels" in denoiser else _transformer(denoiser, size)
    if "vae" in configs:
        count |= _vae(configs["vae"], sizes.get("vae", 4), denoiser.get("sample_size"))
    return count


def _unet(config: Mapping[str, Any], size: int) -> dict[str, int]:
    side, widths = config.get("sample_size"), config.get("block_out_channels")
    if not isinstance(side, int) or not widths:  # a config may say (height, width), or nothing
        return {}
    unit = side * side * widths[0] * size
    return {
        "denoise": UNET * unit,
        "learn": UNET_GRADIENT * unit,
        "attention": UNFUSED_HEADS * side**4 * size,
    }


def _transformer(config: Mapping[str, Any], size: int) -> dict[str, int]:
    side, heads, head = (
        config.get(name) for name in ("sample_size", "num_attention_heads", "attention_head_dim")
    )
    if not (isinstance(side, int) and isinstance(heads, int) and isinstance(head, int)):
        return {}
    tokens = (side // (config.get("patch_size") or 1)) ** 2
    unit = tokens * heads * head * size
    gradient = TRANSFORMER_GRADIENT * unit * (config.get("num_layers") or 1)
    return {"denoise": TRANSFORMER * unit, "learn": gradient, "attention": heads * tokens**2 * size}


def _vae(config: Mapping[str, Any], size: int, latent_side: Any) -> dict[str, int]:
    widths = config.get("block_out_channels")
    if not widths or not isinstance(latent_side, int):
        return {}
    side = latent_side * 2 ** (len(widths) - 1)
    return {"encode": VAE_GRADIENT * side * side * widths[0] * size}


def number_word(number: int) -> str:
    """Small numbers in letters."""
    return NUMBERS[number] if number < len(NUMBERS) else str(number)


def gigabytes(count: int) -> str:
    """Bytes as people read them."""
    return f"{count / GB:.1f} GB"
