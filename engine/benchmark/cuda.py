"""What only a GPU can tell: gsplat and nerfacc against their torch twins there, and a whole step against the
bare denoiser.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from engine.benchmark.driving import guided_call, refinement
from engine.benchmark.renderers import TWINS, measure_twins
from engine.benchmark.report import Row
from engine.benchmark.timing import Comparison, clock_of, interleaved, seconds_of
from engine.errors import DeviceError
from engine.loop.settings import Settings
from engine.loop.step import step_cameras
from engine.prior.base import Prior

NO_DEVICE = "not measured: no CUDA device"
LIBRARIES = {"splats": "gsplat", "field": "nerfacc"}


@dataclass(frozen=True)
class Cuda:
    """The rows of what was measured on a GPU, and of what was not, with the reason."""

    measured: tuple[Row, ...]

    def rows(self) -> tuple[Row, ...]:
        return self.measured


def measure_cuda(settings: Settings, prior: Prior, steps: int, repeats: int) -> Cuda:
    """All of it where there is a GPU; a renderer whose kernels cannot be had there is one row that says
    so.
    """
    if not torch.cuda.is_available():
        absent = [
            Row(f"cuda.{name}", f"cuda: {name}", note=NO_DEVICE)
            for name in (*LIBRARIES.values(), "step overhead")
        ]
        return Cuda(tuple(absent))
    libraries = [row for kind in LIBRARIES for row in _library_rows(kind, repeats)]
    return Cuda((*libraries, overhead_row(measure_overhead(settings, prior, steps))))


def _library_rows(kind: str, repeats: int) -> tuple[Row, ...]:
    try:
        return measure_twins([case for case in TWINS if case.kind == kind], repeats, "cuda", "cuda").rows()
    except DeviceError as error:
        return (
            Row(f"cuda.{LIBRARIES[kind]}", f"cuda: {LIBRARIES[kind]}", note=f"not measured: {error.what}"),
        )


def measure_overhead(settings: Settings, prior: Prior, steps: int) -> Comparison:
    """Seconds of whole refine steps, and of the guided denoiser call alone on as many views."""
    clock = clock_of(prior.device)
    refining = refinement(settings, prior, steps)
    cameras = step_cameras(refining.context, settings.knobs, torch.Generator().manual_seed(0))
    denoise = guided_call(refining.context, cameras, settings.knobs.guidance.guidance_scale)
    denoise()
    measures = (lambda: seconds_of(lambda: next(refining.steps), clock), lambda: seconds_of(denoise, clock))
    return Comparison(*interleaved(measures, steps))


def overhead_row(seconds: Comparison) -> Row:
    """A step against what no step can be faster than."""
    return Row("cuda.step overhead", "cuda: a whole refine "
                                     "step", 1e3 * seconds.value, "ms", 1e3 * seconds.reference,
               "the bare denoiser call", seconds.share)  # fmt: skip
