"""Energies while a run goes: what each looks at, with its live weight, in sampling and as a term of the
loss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.core.boxes import first_depth
from engine.core.cameras import Cameras
from engine.core.views import Views
from engine.guidance.energy import depth, likeness, region_colour, silhouette, symmetry
from engine.guidance.energy.composition import composed
from engine.guidance.energy.pictures import Pictures
from engine.loop.energy_settings import read_colour
from engine.loop.judge import judge_of
from engine.loop.region_settings import boxes_in
from engine.loop.spec import Knobs
from engine.loop.state import Context, RunState
from engine.prior.base import Prediction

Correction = Callable[[Prediction, Tensor, Tensor], Prediction]


@dataclass(frozen=True, eq=False)
class Energies:
    """The energies that are switched on in ``knobs``."""

    context: Context
    state: RunState
    knobs: Knobs

    @property
    def weights(self) -> dict[Callable[[Pictures], Tensor | None], float]:
        """Those above 0."""
        knobs = self.knobs
        every = {
            silhouette.energy: knobs.energy_outline,
            depth.energy: knobs.energy_depth,
            symmetry.energy: knobs.energy_symmetry,
            likeness.energy: knobs.energy_likeness,
            region_colour.energy: knobs.energy_colour_weight if knobs.energy_colour.strip() else 0.0,
        }
        return {energy: weight for energy, weight in every.items() if weight}

    def of(self, views: Views, cameras: Cameras, mirrored: Views | None) -> Tensor | None:
        """The weighted sum for these views; None where none of them has anything to say."""
        pictures = self._pictures(views, cameras, mirrored)
        values = [(energy(pictures), weight) for energy, weight in self.weights.items()]
        weighted = [weight * value for value, weight in values if value is not None]
        return sum(weighted[1:], weighted[0]) if weighted else None

    def of_scene(self, views: Views, cameras: Cameras) -> Tensor | None:
        """The same for renders of the scene over black, which is looked at from the other side too where
        symmetry counts.
        """
        if not self.weights:
            return None
        other = symmetry.mirrored(cameras) if symmetry.energy in self.weights else None
        mirrored = None if other is None else self.state.renderer.render(self.state.scene, other, None)
        return self.of(views, cameras, mirrored)

    def _pictures(self, views: Views, cameras: Cameras, mirrored: Views | None) -> Pictures:
        region, colour = self._region(views, cameras), self._colour(views)
        return Pictures(views, cameras, self._target(cameras), mirrored, region, colour, self._unlike())

    def _unlike(self) -> Callable[[Tensor], Tensor | None] | None:
        """The scorer's judgement of the prompt; None where it is not asked for."""
        if likeness.energy not in self.weights:
            return None
        scorer, prompt = judge_of(self.context), self.context.spec.prompt
        return lambda rgba: scorer.unlikeness(rgba, prompt)

    def _target(self, cameras: Cameras) -> Views | None:
        if self.state.source is None or not {silhouette.energy, depth.energy} & set(self.weights):
            return None
        with torch.no_grad():
            return self.state.renderer.render(self.state.source, cameras, None)

    def _region(self, views: Views, cameras: Cameras) -> Tensor | None:
        if region_colour.energy not in self.weights:
            return None
        boxes = boxes_in(self.context.spec.region)
        return first_depth(boxes, cameras).isfinite().to(views.rgb) if boxes else torch.ones_like(views.alpha)

    def _colour(self, views: Views) -> Tensor | None:
        colour = read_colour(self.knobs.energy_colour)
        return None if colour is None else views.rgb.new_tensor(colour)


def energised_draft(
    context: Context, state: RunState, cameras: Cameras, live: Callable[[], Knobs]
) -> Correction:
    """Sampling under the energies, with their weights as they are at each step; they read decoded
    pictures.
    """

    def corrected(prediction: Prediction, x_t: Tensor, t: Tensor) -> Prediction:
        energies = Energies(context, state, live())
        if not energies.weights:
            return prediction
        # the energies are means, and a prior's score is a sum
        cells = float(prediction.x0[0].numel() * len(x_t))

        def energy(x0: Tensor) -> Tensor | None:
            views = context.prior.decode(x0)
            value = energies.of(views, cameras, symmetry.of_partners(views, cameras))
            return None if value is None else cells * value

        return composed(prediction, x_t, t, context.prior.schedule, energy)

    return corrected
