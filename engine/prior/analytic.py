"""Priors whose score is known in closed form, and a counter of denoiser calls: the test doubles of every
floor above.

Data follow a mixture of Gaussians, p(x) = sum_k weights_k N(x; mean_k, std^2 I), and a prompt chooses which.
With ``v = a^2 std^2 + sig^2``, the noised density is the same mixture with means a mean_k and variance v, so
the best denoiser is

    r_k = softmax_k(log weights_k - |x_t - a mean_k|^2 / 2v)
    eps = (sig / v) sum_k r_k (x_t - a mean_k)
    x0  = sum_k r_k (mean_k + (a std^2 / v) (x_t - a mean_k))

The embedding of a prompt *is* its mixture: ``tokens`` (1,K,C*h*w) are the means and ``pooled`` (1,1+K) holds
the std and the weights. So an embedding can be learned here as it is in a text-conditioned network: the means
can, std and weights stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine.core.noise_schedule import NoiseSchedule, scaled_linear
from engine.core.views import Views
from engine.errors import InputError
from engine.prior.base import Condition, Prediction, Prior, PriorInfo, TextEmbedding
from engine.prior.resize import to_square


@dataclass(frozen=True, eq=False)
class Mixture:
    """What a prompt means: ``means`` (K,C,h,w) in the prior's space (pictures: 2 rgb - 1), one ``std``,
    ``weights`` (K,).
    """

    means: Tensor
    std: float
    weights: Tensor


def gaussian(mean: Tensor | float, std: float = 0.5) -> Mixture:
    """One Gaussian around a picture ``mean`` (C,h,w), or around a number (shape 1,1,1)."""
    mean = torch.as_tensor(mean, dtype=torch.float64)
    return Mixture(
        mean.reshape(1, *mean.shape) if mean.ndim else mean.view(1, 1, 1, 1),
        std,
        torch.ones(1, dtype=torch.float64),
    )


class AnalyticPrior:
    """A mixture of Gaussians for each known prompt; the unconditional prompt is the empty string."""

    network: torch.nn.Module | None = None

    def __init__(
        self,
        concepts: Mapping[str, Mixture],
        schedule: NoiseSchedule | None = None,
        device: torch.device | str = "cpu",
        info: PriorInfo | None = None,
    ) -> None:
        shapes = {tuple(concept.means.shape[1:]) for concept in concepts.values()}
        assert len(shapes) == 1, f"all means must have one shape, got {shapes}"
        self.shape = next(iter(shapes))
        self.concepts = dict(concepts)
        self.schedule = scaled_linear() if schedule is None else schedule
        self.device = torch.device(device)
        self.info = self._default_info() if info is None else info

    def encode(self, views: Views) -> Tensor:
        """Pictures (B,H,W,3) 0..1 to (B,C,h,w) in -1..1; with four channels the last is alpha."""
        pictures = views.rgb if self.shape[0] == 3 else views.rgba
        assert pictures.shape[-1] == self.shape[0], (
            f"this prior has {self.shape[0]} channels, which are no picture"
        )
        return 2 * to_square(pictures, self.shape[-1]) - 1

    def decode(self, x: Tensor) -> Views:
        """(B,C,h,w) in -1..1 back to pictures."""
        pictures = ((x + 1) / 2).clamp(0, 1).permute(0, 2, 3, 1)
        rgb, opaque = pictures[..., :3], torch.ones_like(pictures[..., :1])
        return Views(rgb, pictures[..., 3:] if self.shape[0] == 4 else opaque, torch.zeros_like(opaque))

    def embed(self, prompt: str) -> TextEmbedding:
        """The mixture of ``prompt``; raises InputError for a prompt that was not given at construction."""
        if prompt not in self.concepts:
            known = ", ".join(repr(name) for name in self.concepts)
            raise InputError(
                f"The analytic prior does not know the prompt {prompt!r}.", f"Use one of {known}."
            )
        concept = self.concepts[prompt]
        std = torch.tensor([concept.std], dtype=torch.float64)
        pooled = torch.cat([std, concept.weights.to(torch.float64)])
        return TextEmbedding(
            concept.means.flatten(1)[None].to(self.device), pooled=pooled[None].to(self.device)
        )

    def predict(self, x_t: Tensor, t: Tensor, condition: Condition) -> Prediction:
        """The closed form above, on ``x_t`` (B,C,h,w) at times ``t`` (B,)."""
        means, std, weights = _read(condition.text, x_t)
        a, sig = (part[:, None] for part in self.schedule.signal_and_noise(t, x_t))
        variance = a**2 * std**2 + sig**2
        offset = x_t[:, None] - a * means  # (B,K,C,h,w)
        evidence = weights.log() - offset.square().flatten(2).sum(2) / (2 * variance.view(-1, 1))
        share = evidence.softmax(dim=1)[..., None, None, None]
        eps = (sig / variance * share * offset).sum(1)
        return Prediction(eps, (share * (means + a * std**2 / variance * offset)).sum(1))

    def _default_info(self) -> PriorInfo:
        return PriorInfo(
            id="analytic",
            title="Closed-form prior",
            channels="rgba" if self.shape[0] == 4 else "rgb",
            resolution=self.shape[-1],
            default_guidance_scale=2.0,
            takes_adapters=False,
        )


class JointAnalyticPrior(AnalyticPrior):
    """The B views of a call are one object: a single Gaussian in which any two views have correlation ``rho``
    per pixel.

    With C = std^2 ((1 - rho) I + rho 1 1^T) over the views, A = diag(a) and S = diag(sig):
    eps = S (A C A + S^2)^-1 (x_t - A mean), x0 = mean + C A (A C A + S^2)^-1 (x_t - A mean).
    """

    def __init__(
        self,
        concepts: Mapping[str, Mixture],
        rho: float,
        schedule: NoiseSchedule | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        assert all(len(concept.means) == 1 for concept in concepts.values()), (
            "a joint prior takes single Gaussians"
        )
        super().__init__(concepts, schedule, device)
        self.rho = rho

    def predict(self, x_t: Tensor, t: Tensor, condition: Condition) -> Prediction:
        """The closed form above, on the B views ``x_t`` (B,C,h,w) of one object at times ``t`` (B,), which
        may differ.
        """
        means, std, _ = _read(condition.text, x_t)
        a, sig = (part.flatten() for part in self.schedule.signal_and_noise(t, x_t))
        views = len(x_t)
        alike = torch.full((views, views), self.rho, dtype=x_t.dtype, device=x_t.device).fill_diagonal_(1)
        data_covariance = std.flatten()[0] ** 2 * alike
        covariance = a[:, None] * data_covariance * a + (sig**2).diag()
        mean = means[:, 0].flatten(1)
        solved = torch.linalg.solve(covariance, x_t.flatten(1) - a[:, None] * mean)
        x0 = mean + data_covariance @ (a[:, None] * solved)
        return Prediction((sig[:, None] * solved).view_as(x_t), x0.view_as(x_t))

    def _default_info(self) -> PriorInfo:
        return replace(
            super()._default_info(), id="analytic-joint", title="Closed-form joint prior", joint_views=True
        )


def _read(text: TextEmbedding, x_t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Means (B,K,C,h,w), std (B,1,1,1,1) and weights (B,K) of an embedding, in the dtype and on the device of
    ``x_t``.
    """
    text = text.expand(len(x_t))
    assert text.pooled is not None, "its own embeddings are pooled"
    pooled = text.pooled.to(x_t).detach()
    return text.tokens.to(x_t).unflatten(2, x_t.shape[1:]), pooled[:, :1, None, None, None], pooled[:, 1:]


class CountingPrior:
    """A prior that counts: ``forwards`` and ``backwards`` through its denoiser, ``encodes`` and
    ``decodes``.
    """

    def __init__(self, prior: Prior) -> None:
        self.prior, self.info, self.schedule, self.device = prior, prior.info, prior.schedule, prior.device
        self.network = prior.network
        self.reset()

    def reset(self) -> None:
        """Begin again at zero."""
        self.forwards = self.backwards = self.encodes = self.decodes = 0

    def encode(self, views: Views) -> Tensor:
        self.encodes += 1
        return self.prior.encode(views)

    def decode(self, x: Tensor) -> Views:
        self.decodes += 1
        return self.prior.decode(x)

    def embed(self, prompt: str) -> TextEmbedding:
        return self.prior.embed(prompt)

    def predict(self, x_t: Tensor, t: Tensor, condition: Condition) -> Prediction:
        self.forwards += 1
        prediction = self.prior.predict(x_t, t, condition)
        return Prediction(*_CountBackward.apply(self, prediction.eps, prediction.x0))


class _CountBackward(torch.autograd.Function):
    """Identity on the two readings of one call; its backward, which runs once for both, is one pass through
    the denoiser.
    """

    @staticmethod
    def forward(ctx, counter: CountingPrior, eps: Tensor, x0: Tensor) -> tuple[Tensor, Tensor]:
        ctx.counter = counter
        return eps.view_as(eps), x0.view_as(x0)

    @staticmethod
    def backward(ctx, grad_eps: Tensor, grad_x0: Tensor) -> tuple[None, Tensor, Tensor]:
        ctx.counter.backwards += 1
        return None, grad_eps, grad_x0
