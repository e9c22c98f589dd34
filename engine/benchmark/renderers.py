"""The fast renderers against their plain torch twins, forward and backward, and how they grow with the scene
and the picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from engine.benchmark.report import Goal, Row
from engine.benchmark.timing import Clock, Comparison, clock_of, interleaved, seconds_of
from engine.core.cameras import Cameras, orbit_cameras
from engine.loop.stages import BALL_RADIUS, BALL_SPLAT_SCALE
from engine.render import Backend, choose
from engine.scene import field, splats
from engine.scene.base import Scene

Kind = Literal["splats", "field"]
State = Literal["settled", "fresh"]

RADIUS = 0.7  # of the settled ball
THICKNESS = 0.2  # of a settled splat, in its widths
OPACITY, DENSITY = 0.9, 60.0
FRESH_OPACITY = 0.1
AZIMUTH_DEG, ELEVATION_DEG, DISTANCE, FOV_DEG = 30.0, 15.0, 3.05, 40.0


@dataclass(frozen=True)
class Case:
    """A ``kind`` of scene of ``size`` splats, or voxels a side, drawn once at ``pixels`` a side."""

    kind: Kind
    state: State
    size: int
    pixels: int

    @property
    def key(self) -> str:
        """A name for documents, for example ``splats.settled.20000.128px``."""
        return f"{self.kind}.{self.state}.{self.size}.{self.pixels}px"

    @property
    def title(self) -> str:
        """A name for people."""
        return f"{self.kind}, {self.state}, {self.size_title}, {self.pixels} px"

    @property
    def size_title(self) -> str:
        """The size for people."""
        return f"{self.size / 1000:g} k" if self.kind == "splats" else f"{self.size}³"


def scene_of(case: Case) -> Scene:
    """The scene of a case, ready to learn; the same each time."""
    rng = torch.Generator().manual_seed(case.size)
    if case.kind == "splats":
        scene = _shell(case.size, rng) if case.state == "settled" else _cloud(case.size, rng)
    else:
        scene = _ball(case.size) if case.state == "settled" else field.blob(case.size, BALL_RADIUS, rng)
        scene = replace(scene, occupancy=field.update_occupancy(scene, None, 0))
    for tensor in scene.parameters().values():
        tensor.requires_grad_()
    return scene


def camera_of(case: Case) -> Cameras:
    """One camera that has the whole object in view."""
    return orbit_cameras([AZIMUTH_DEG], ELEVATION_DEG, DISTANCE, FOV_DEG, case.pixels)


def _shell(count: int, rng: torch.Generator) -> splats.Splats:
    """Flat, nearly opaque splats that cover the surface of a ball, each as wide as its share of it."""
    normals = torch.nn.functional.normalize(torch.randn(count, 3, generator=rng), dim=1)
    width = RADIUS * math.sqrt(4 / count)  # a circle of this radius has the area of one share
    cloud = splats.from_points(RADIUS * normals, (normals + 1) / 2, width, OPACITY)
    flat = cloud.log_scales + torch.tensor([1.0, 1.0, THICKNESS]).log()
    return replace(cloud, log_scales=flat, quats=_from_z_to(normals))


def _from_z_to(normals: Tensor) -> Tensor:
    """Quaternions (N,4) w,x,y,z of any length that turn +z to ``normals`` (N,3)."""
    x, y, z = normals.unbind(1)
    return torch.stack([1 + z, -y, x, torch.zeros_like(z)], dim=1)


def _cloud(count: int, rng: torch.Generator) -> splats.Splats:
    """The ball of faint splats that a run without a draft begins with."""
    return splats.random_ball(count, BALL_RADIUS, BALL_SPLAT_SCALE, rng, FRESH_OPACITY)


def _ball(voxels: int) -> field.Field:
    """A dense ball with a soft edge one voxel wide, coloured by direction."""
    nodes = field.node_positions(voxels)
    distance = nodes.norm(dim=-1)
    inside = ((RADIUS - distance) * (voxels - 1) / 2 + 0.5).clamp(0, 1)
    return field.from_density(DENSITY * inside, (nodes + 1) / 2)


CALLS = 3  # of the fast renderer for one of its slow twin
TWIN_GOAL = Goal(">=", 10)
STATES: tuple[State, ...] = ("settled", "fresh")
TWIN_SIZES: dict[Kind, int] = {"splats": 20_000, "field": 48}
TWINS = tuple(Case(kind, state, size, 128) for kind, size in TWIN_SIZES.items() for state in STATES)
SIZES: dict[Kind, tuple[int, ...]] = {"splats": (2_000, 5_000, 20_000, 50_000), "field": (24, 48, 96)}
PIXELS = (64, 128, 256)


@dataclass(frozen=True)
class Twins:
    """Seconds of a fast renderer (values) and of its torch twin (references): backend, the renderer's name,
    case, seconds.
    """

    comparisons: tuple[tuple[Backend, str, Case, Comparison], ...]

    def rows(self) -> tuple[Row, ...]:
        return tuple(
            Row(f"twin.{backend}.{case.key}", f"{name}: {case.title}", 1e3 * pair.value, "ms",
                1e3 * pair.reference,
                "its torch twin", pair.speed_up, TWIN_GOAL if backend == "cpu" else None)
            for backend, name, case, pair in self.comparisons
        )  # fmt: skip


@dataclass(frozen=True)
class Series:
    """Cases that grow along one axis."""

    axis: Literal["size", "pixels"]
    cases: tuple[Case, ...]

    @property
    def beginning(self) -> str:
        """Where the series begins, for people."""
        first = self.cases[0]
        return f"at {first.size_title if self.axis == 'size' else f'{first.pixels} px'}"


@dataclass(frozen=True)
class Growth:
    """Seconds of the fast renderer for each case of each series (values), and for the first of its series
    (references).
    """

    comparisons: tuple[tuple[Series, tuple[Comparison, ...]], ...]

    def rows(self) -> tuple[Row, ...]:
        return tuple(
            Row(f"growth.{series.axis}.{case.key}", f"cpu: {case.title}", 1e3 * pair.value, "ms",
                1e3 * pair.reference,
                series.beginning, pair.share)
            for series, pairs in self.comparisons
            for case, pair in zip(series.cases[1:], pairs[1:])
        )  # fmt: skip


def measure_twins(
    cases: Sequence[Case],
    repeats: int,
    backend: Backend = "cpu",
    device: torch.device | str = "cpu",
    clock: Clock | None = None,
) -> Twins:
    """``backend`` against "torch", both on ``device``. Raises DeviceError for a backend that this machine
    cannot run.
    """
    clock = clock or clock_of(device)

    def compare(case: Case) -> tuple[Backend, str, Case, Comparison]:
        fast, slow = (forward_backward(case, name, device) for name in (backend, "torch"))
        seconds = interleaved(
            (lambda: seconds_of(fast, clock, CALLS), lambda: seconds_of(slow, clock)), repeats
        )
        return backend, choose(scene_of(case), backend).name, case, Comparison(*seconds)

    return Twins(tuple(map(compare, cases)))


def measure_growth(series: Sequence[Series], repeats: int, clock: Clock | None = None) -> Growth:
    """Each case of each series against the first one, on the CPU."""
    clock = clock or clock_of("cpu")

    def compare(cases: Sequence[Case]) -> tuple[Comparison, ...]:
        works = [forward_backward(case, "cpu") for case in cases]
        seconds = interleaved([lambda work=work: seconds_of(work, clock, CALLS) for work in works], repeats)
        return tuple(Comparison(values, seconds[0]) for values in seconds)

    return Growth(tuple((each, compare(each.cases)) for each in series))


def growing(states: Sequence[State]) -> tuple[Series, ...]:
    """More splats or voxels at 128 px, and more pixels at the size of the twins."""
    series = []
    for state in states:
        for kind, sizes in SIZES.items():
            series.append(Series("size", tuple(Case(kind, state, size, 128) for size in sizes)))
            series.append(
                Series("pixels", tuple(Case(kind, state, TWIN_SIZES[kind], pixels) for pixels in PIXELS))
            )
    return tuple(series)


def forward_backward(case: Case, backend: Backend, device: torch.device | str = "cpu") -> Callable[[], None]:
    """Draws the case and takes the gradient of every parameter; called once here, so that kernels are
    compiled.
    """
    scene = scene_of(case).to(device)
    parameters = [tensor.requires_grad_() for tensor in scene.parameters().values()]
    cameras, render = camera_of(case).to(device), choose(scene, backend).render

    def work() -> None:
        views = render(scene, cameras)
        torch.autograd.grad(
            (views.rgb, views.alpha), parameters, (torch.ones_like(views.rgb), torch.ones_like(views.alpha))
        )

    work()
    return work
