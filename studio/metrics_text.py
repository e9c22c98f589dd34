"""Numbers of a run that an artist can act on, each with its meaning in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.loop.messages import LOSS_PREFIX as PREFIX


@dataclass(frozen=True)
class ReadOut:
    """A ``share`` 0..1 under a ``title``, what it means in ``words``, and whether it is a ``warning``."""

    name: str
    title: str
    share: float
    words: str
    warning: bool = False


def read_outs(metrics: Mapping[str, float]) -> list[ReadOut]:
    """The read-outs for the metrics of one step; metrics that mean nothing to an artist are left out."""
    singles = [tell(metrics[name]) for name, tell in TELLERS.items() if name in metrics]
    return [*loss_shares(metrics), *singles]


def loss_shares(metrics: Mapping[str, float]) -> list[ReadOut]:
    """What the loss of a step is made of: the share of each term, the largest first. Empty where there is only one."""
    values = {name.removeprefix(PREFIX): abs(value) for name, value in metrics.items() if name.startswith(PREFIX)}
    total = sum(values.values())
    if len(values) < 2 or total <= 0:
        return []
    (largest, value), *others = sorted(values.items(), key=lambda item: -item[1])
    rest = ", ".join(f"{TERMS.get(name, name)} {other / total:.0%}" for name, other in others)
    return [ReadOut("loss", f"Loss: {TERMS.get(largest, largest)}", value / total, f"of the step's loss. The rest: {rest}.")]


def _convergence(value: float) -> ReadOut:
    """``value`` is 1 - (error of the learned null branch / of the plain one); see ``engine.guidance.learned.null_branch``."""
    share = min(max(value, 0.0), 1.0)
    words = next(told for above, told in CONVERGENCE if share >= above)
    return ReadOut("null_convergence", "Shape learned by the null branch", share, words, warning=share >= PALE)


def _clipped(value: float) -> ReadOut:
    share = min(max(value, 0.0), 1.0)
    words = "of the pixels are pushed less than the method asks." if share else "No pixel is pushed harder than the limit."
    return ReadOut("clipped", "Clipped pixels", share, words)


PALE = 0.9
CONVERGENCE = (
    (PALE, "Nearly all of it: the shape is about to turn pale. Lower the prior learning rate, or let it forget."),
    (0.5, "Most of it: the push is calm now and keeps to what the prompt still lacks."),
    (0.15, "Part of it: the push goes from what is there towards the prompt."),
    (0.0, "Hardly any yet: it pushes like SDS."),
)
TERMS = {
    "distillation": "the prior's push",
    "anchor": "draft anchor",
    "draft": "draft views",
    "pictures": "given pictures",
    "reference": "3D reference",
    "surface": "even surface",
    "density": "clear space",
    "distortion": "one depth a pixel",
    "outside": "what lies outside the box",
    "region_fill": "something in the box",
    "energy": "energies",
}
TELLERS: Mapping[str, Callable[[float], ReadOut]] = {"null_convergence": _convergence, "clipped": _clipped}
