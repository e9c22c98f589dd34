"""Seconds spent in the prior and in the renderer, forward and backward, of a loop that knows nothing of
it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from engine.benchmark.timing import Clock
from engine.core.cameras import Cameras
from engine.core.views import Views
from engine.prior.base import Condition, Prediction, Prior, TextEmbedding
from engine.render import Renderer
from engine.scene.base import Scene

Result = TypeVar("Result")


@dataclass(eq=False)
class Stopwatch:
    """The seconds of everything that was timed with it."""

    clock: Clock
    seconds: float = 0.0


@dataclass(eq=False)
class Span:
    """One stretch of time for a watch; ``mark`` is what has been counted so far, None before it begins."""

    watch: Stopwatch
    mark: float | None = None

    def start(self) -> None:
        """Begin, unless it has begun."""
        if self.mark is None:
            self.mark = self.watch.clock()

    def lap(self) -> None:
        """Count up to now; nothing if it has not begun."""
        if self.mark is not None:
            now = self.watch.clock()
            self.watch.seconds += now - self.mark
            self.mark = now


def timed(
    watch: Stopwatch,
    inputs: Sequence[Tensor],
    call: Callable[[Sequence[Tensor]], Result],
    outputs: Callable[[Result], Sequence[Tensor]],
) -> Result:
    """``call(inputs)`` with its forward pass on the watch, and the one backward pass through it, if there is
    one.

    The backward pass begins where a gradient reaches one of the ``outputs`` and ends where the last input has
    its own. Autograd takes the newest operation first, so that nothing of another call falls in between.
    """
    learning = torch.is_grad_enabled()
    entered = [tensor.view_as(tensor) if learning and tensor.requires_grad else tensor for tensor in inputs]
    forward, backward = Span(watch), Span(watch)
    forward.start()
    result = call(entered)
    forward.lap()
    for tensor in outputs(result) if learning else ():
        if tensor.requires_grad:
            tensor.register_hook(lambda gradient: backward.start())
    for tensor in entered if learning else ():
        if tensor.requires_grad:
            tensor.register_hook(lambda gradient: backward.lap())
    return result


def timed_renderer(renderer: Renderer, watch: Stopwatch) -> Renderer:
    """The same renderer, on the watch."""

    def render(scene: Scene, cameras: Cameras, background: Tensor | None = None, **options: bool) -> Views:
        names, tensors = zip(*scene.parameters().items())
        drawn: Any = scene  # every scene is a dataclass
        return timed(
            watch,
            tensors,
            lambda entered: renderer.render(
                replace(drawn, **dict(zip(names, entered))), cameras, background, **options
            ),
            lambda views: (views.rgb, views.alpha, views.depth),
        )

    return replace(renderer, render=render)


class TimedPrior:
    """The same prior, on the watch."""

    def __init__(self, prior: Prior, watch: Stopwatch) -> None:
        self.prior, self.watch = prior, watch
        self.info, self.schedule, self.device, self.network = (
            prior.info,
            prior.schedule,
            prior.device,
            prior.network,
        )

    def encode(self, views: Views) -> Tensor:
        def call(entered: Sequence[Tensor]) -> Tensor:
            return self.prior.encode(replace(views, rgb=entered[0], alpha=entered[1]))

        return timed(self.watch, (views.rgb, views.alpha), call, lambda x: (x,))

    def decode(self, x: Tensor) -> Views:
        return timed(
            self.watch,
            (x,),
            lambda entered: self.prior.decode(*entered),
            lambda views: (views.rgb, views.alpha),
        )

    def embed(self, prompt: str) -> TextEmbedding:
        return timed(
            self.watch, (), lambda entered: self.prior.embed(prompt), lambda embedding: (embedding.tokens,)
        )

    def predict(self, x_t: Tensor, t: Tensor, condition: Condition) -> Prediction:
        def call(entered: Sequence[Tensor]) -> Prediction:
            return self.prior.predict(entered[0], t, condition)

        return timed(self.watch, (x_t,), call, lambda prediction: (prediction.eps, prediction.x0))
