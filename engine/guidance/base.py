"""What a guidance method is: pictures in a prior's space in, a loss out.

A method is one file in this folder that ends with ``METHOD = TheClass``. The class is a frozen dataclass
whose marked fields are its knobs, and the file's name is its key in presets and on the page. It knows no 3D
scene and no particular prior.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from engine.core.gradient import loss_from_gradient
from engine.core.noise_schedule import noise_like
from engine.core.views import Views
from engine.guidance.cost import Cost
from engine.lazy import torch
from engine.prior.base import Condition, Prior, PriorInfo, Prompts

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class GuidanceOut:
    """``loss`` moves the scene. ``side_loss`` trains the method's own state. ``metrics`` are shown live.

    ``denoised`` (B,C,h,w) is the clean picture that the prior sees in the noisy render. Each call of
    ``side_loss`` is a fresh estimate, with its own times and noise, that reaches the state and never the
    scene: one call for each training step. ``picture_loss`` moves the scene too: it is asked once, with the
    rendered views, by methods that also compare pictures.
    """

    loss: Tensor
    denoised: Tensor
    side_loss: Callable[[], Tensor] | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    picture_loss: Callable[[Views], Tensor] | None = None


def out_of(
    x: Tensor,
    gradient: Tensor,
    denoised: Tensor,
    side_loss: Callable[[], Tensor] | None = None,
    metrics: Mapping[str, float] = MappingProxyType({}),
) -> GuidanceOut:
    """What a method returns that knows the ``gradient`` (B,C,h,w) it wants: the mean over the batch reaches
    ``x``.

    Values that are not finite are left out and counted: ``not_finite`` is their share of the gradient.
    """
    gradient = gradient.detach()
    finite = gradient.isfinite()
    norm = torch.where(finite, gradient, 0).norm() / len(x)
    counted = {"gradient_norm": float(norm), "not_finite": 1 - float(finite.float().mean()), **metrics}
    return GuidanceOut(loss_from_gradient(x, gradient), denoised.detach(), side_loss, counted)


class Guidance(Protocol):
    """A method of score distillation."""

    title: ClassVar[str]  # what people call it
    sentence: ClassVar[str]  # one plain sentence for the menu

    @property
    def guidance_scale(self) -> float:
        """Every method has one, in diffusers' meaning: 1 = off; never below 1."""
        ...

    @property
    def cost(self) -> Cost:
        """Passes through the denoiser in one step of the scene; a test counts them."""
        ...

    def check(self, info: PriorInfo) -> None:
        """Raises InputError, before anything is loaded, if the method as it is set cannot work with this
        prior.
        """
        ...

    def init(self, prior: Prior, prompts: Prompts, rng: torch.Generator) -> Any:
        """What the method learns while a run goes: None, or a module (an embedding, a LoRA) that
        ``side_loss`` trains.

        A method with such a state `Learns`.
        Raises InputError as ``check`` does.
        """
        ...

    def loss(
        self, x: Tensor, t: Tensor, prompts: Prompts, prior: Prior, state: Any, rng: torch.Generator
    ) -> GuidanceOut:
        """Loss for renders ``x`` (B,C,h,w) in the prior's space at integer times ``t`` (B,)."""
        ...


@runtime_checkable
class Learns(Protocol):
    """A method with a state of its own, and its two knobs: how fast it learns, and steps of it for each step
    of the scene.
    """

    @property
    def prior_learning_rate(self) -> float: ...

    @property
    def prior_steps(self) -> int: ...


def denoising_loss(x: Tensor, condition: Condition, prior: Prior, rng: torch.Generator) -> Tensor:
    """mean |eps(a x + sig eps', t'; condition) - eps'|^2 with fresh times and noise; it never reaches ``x``
    (B,C,h,w).

    Times are even over the range that the prior is good at (the papers draw from the whole schedule); joint
    priors share one.
    """
    low, high = (prior.schedule.index(fraction) for fraction in prior.info.time_range)
    t = torch.randint(
        low, high + 1, (1 if prior.info.joint_views else len(x),), generator=rng, device=rng.device
    )
    t, x = t.expand(len(x)).to(x.device), x.detach()
    eps = noise_like(x, rng)
    return (prior.predict(prior.schedule.add_noise(x, eps, t), t, condition).eps - eps).square().mean()
