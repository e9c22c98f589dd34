"""Every splat renderer against the float64 definition, and the definition against closed forms, gsplat and
finite differences.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest
import torch
from torch import Tensor

from engine.core.cameras import Cameras, orbit_cameras
from engine.core.views import Views
from engine.render import choose, splats_torch
from engine.scene.splats import Splats, from_points, random_ball

BACKENDS = ["torch", "cpu", pytest.param("cuda", marks=pytest.mark.gpu)]
OUTPUTS = ("rgb", "alpha", "depth", "normal", "depth2")
SIZE = {"depth2": 2.6**2}  # of its values; the others are about 1


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def cast(scene: Splats, dtype: torch.dtype, device: str = "cpu") -> Splats:
    return Splats(**{k: v.detach().to(device, dtype).requires_grad_() for k, v in scene.parameters().items()})


def prepared(scene: Splats, backend: str) -> Splats:
    if backend == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    return cast(scene, torch.float32, "cuda" if backend == "cuda" else "cpu")


def straight_camera(size: int = 33, focal: float = 40.0, dtype: torch.dtype = torch.float32) -> Cameras:
    """At the origin, looking along +z; the middle pixel's centre is the principal point."""
    K = torch.tensor([[focal, 0, size / 2], [0, focal, size / 2], [0, 0, 1]], dtype=dtype)
    return Cameras(torch.eye(4, dtype=dtype)[None], K[None], size, size)


def mixed_cloud(n: int, seed: int = 0) -> Splats:
    """Splats of all shapes and opacities round the origin, some of them behind the cameras or beside the
    image.
    """
    scene, rng = random_ball(n, 0.9, 0.06, seeded(seed)), seeded(seed + 1)
    scene.means[: n // 8] *= 4
    for tensor, spread in (
        (scene.log_scales, 0.7),
        (scene.quats, 1.0),
        (scene.logit_opacities, 2.0),
        (scene.colours, 1.0),
    ):
        tensor += spread * torch.randn(tensor.shape, generator=rng)
    return scene


def one(position=(0.1, 0.2, 0.0), scales=(0.2, 0.1, 0.3), opacity_logit=1.0) -> Splats:
    quats, colours = torch.tensor([[0.8, 0.3, -0.4, 0.2]]), torch.tensor([[0.3, -1.0, 2.0]])
    return Splats(
        torch.tensor([position]), torch.tensor([scales]).log(), quats, torch.tensor([opacity_logit]), colours
    )


def joined(*scenes: Splats) -> Splats:
    return Splats(**{k: torch.cat([s.parameters()[k] for s in scenes]) for k in scenes[0].parameters()})


CLOUDS = {
    "one": one(),
    "two": joined(one(), one((-0.1, 0.1, 0.2), (0.1, 0.4, 0.2))),
    "behind": joined(one((9.0, 0.0, 0.0)), one()),
    "off screen": joined(one((0.0, 2.2, 0.0)), one((0.0, 0.0, 30.0)), one()),
    "huge": joined(one(scales=(50.0, 40.0, 60.0), opacity_logit=0.0), one((0.5, 0.0, 0.0))),
    "needle": joined(one(scales=(1.5, 0.002, 0.002)), one(scales=(0.001, 0.9, 0.9))),
    "opacity 0 and 1": joined(
        *[one((0.0, 0.1, x), opacity_logit=o) for x, o in ((0.0, -60.0), (0.1, 60.0), (-0.4, 60.0))]
    ),
    "identical depths": joined(*[one(opacity_logit=x) for x in (1.0, -1.0, 2.0)]),
    "many": mixed_cloud(2000),
}
CAMERAS = orbit_cameras([10.0, 130.0], [15.0, -30.0], 2.6, 40.0, 45, 30)
BACKGROUNDS = {
    "black": None,
    "white": torch.ones(3),
    "random": torch.rand(2, 30, 45, 3, generator=seeded(5)),
}


def outputs_and_gradients(
    render, scene: Splats, cameras: Cameras, background: Tensor | None
) -> tuple[Views, dict[str, Tensor]]:
    """Pictures, and the gradients of one fixed random linear function of them to every parameter and to
    means2d.
    """
    dtype, device = scene.means.dtype, scene.device
    background = None if background is None else background.to(device, dtype)
    views, rng = render(scene, cameras, background, normals=True), seeded(7)
    weights = {
        name: torch.randn(getattr(views, name).shape, generator=rng, dtype=torch.float64) for name in OUTPUTS
    }
    sum((getattr(views, name) * weights[name].to(device, dtype)).sum() for name in OUTPUTS).backward()
    gradients = {name: tensor.grad.cpu().double() for name, tensor in scene.parameters().items()}
    return views, {**gradients, "means2d": views.means2d.grad.cpu().double()}


@cache
def reference(cloud: str, background: str) -> tuple[Views, dict[str, Tensor]]:
    return outputs_and_gradients(
        splats_torch.render, cast(CLOUDS[cloud], torch.float64), CAMERAS, BACKGROUNDS[background]
    )


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("cloud", CLOUDS)
def test_matches_the_definition_in_float64(backend: str, cloud: str, background: str) -> None:
    """Forward within a few float32 roundings, except where an alpha lies within rounding of the cut at
    1/255.
    """
    scene = prepared(CLOUDS[cloud], backend)
    wanted, wanted_gradients = reference(cloud, background)
    views, gradients = outputs_and_gradients(
        choose(scene, backend).render, scene, CAMERAS, BACKGROUNDS[background]
    )
    for name in OUTPUTS:
        error = (getattr(views, name).detach().cpu() - getattr(wanted, name).detach()).abs() / SIZE.get(
            name, 1.0
        )
        assert error.max() < 3 * splats_torch.MIN_ALPHA, name
        assert (error > 3e-5).double().mean() < 1e-3, (name, float(error.max()))
    for name, gradient in wanted_gradients.items():
        error = (gradients[name] - gradient).norm()
        assert error <= 1e-3 * gradient.norm() + 1e-6, (name, float(error), float(gradient.norm()))


@pytest.mark.parametrize("backend", BACKENDS)
def test_lone_round_splat_is_its_closed_form(backend: str) -> None:
    size, focal, z, scale, opacity = 33, 40.0, 2.0, 0.15, 0.7
    colour = torch.tensor([[0.9, 0.5, 0.2]])
    scene = prepared(from_points(torch.tensor([[0.0, 0.0, z]]), colour, scale, opacity), backend)
    views = choose(scene, backend).render(scene, straight_camera(size, focal))
    offsets = torch.arange(size) - size // 2
    distance2 = offsets[:, None] ** 2 + offsets[None] ** 2
    alpha = opacity * torch.exp(-0.5 * distance2 / ((focal * scale / z) ** 2 + splats_torch.EPS2D))
    alpha = torch.where(alpha >= splats_torch.MIN_ALPHA, alpha, 0)
    assert torch.allclose(views.alpha[0, :, :, 0].cpu(), alpha, atol=2e-6)
    assert torch.allclose(views.rgb[0].cpu(), alpha[..., None] * colour, atol=2e-6)
    assert torch.allclose(views.depth[0, :, :, 0].cpu(), alpha * z, atol=4e-6)
    assert views.alpha[0, 16, 16, 0].item() == pytest.approx(opacity, abs=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_two_splats_compose_front_to_back(backend: str) -> None:
    a_near, a_far, ground = 0.6, 0.3, torch.tensor([0.1, 0.8, 0.4])
    near = from_points(torch.tensor([[0.0, 0.0, 1.0]]), torch.tensor([[0.9, 0.1, 0.2]]), 0.1, a_near)
    far = from_points(torch.tensor([[0.0, 0.0, 3.0]]), torch.tensor([[0.2, 0.7, 0.9]]), 0.1, a_far)
    scene = prepared(joined(far, near), backend)
    views = choose(scene, backend).render(scene, straight_camera(), ground.to(scene.device))
    expected = a_near * near.rgb[0] + (1 - a_near) * a_far * far.rgb[0] + (1 - a_near) * (1 - a_far) * ground
    assert torch.allclose(views.rgb[0, 16, 16].cpu(), expected, atol=2e-6)
    assert views.depth[0, 16, 16].item() == pytest.approx(a_near * 1 + (1 - a_near) * a_far * 3, abs=4e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_pixel_ends_before_the_splat_that_would_close_it(backend: str) -> None:
    """Two opaque splats: T would fall to 1e-6 with the second, so it is left out, and MAX_ALPHA is what
    remains.
    """
    points = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 2.0]])
    scene = from_points(points, torch.tensor([[0.9] * 3, [0.1] * 3]), 0.2, 0.5)
    scene.logit_opacities.fill_(60.0)
    scene = prepared(scene, backend)
    views = choose(scene, backend).render(scene, straight_camera())
    assert views.alpha[0, 16, 16].item() == pytest.approx(splats_torch.MAX_ALPHA, abs=1e-6)
    assert torch.allclose(views.rgb[0, 16, 16].cpu(), splats_torch.MAX_ALPHA * scene.rgb[0].cpu(), atol=2e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_empty_scene_is_exactly_the_background(backend: str) -> None:
    scene = prepared(random_ball(0, 1.0, 0.1, seeded()), backend)
    background = torch.rand(1, 33, 33, 3, generator=seeded()).to(scene.device)
    views = choose(scene, backend).render(scene, straight_camera(), background)
    assert torch.equal(views.rgb, background)
    assert not views.alpha.any() and not views.depth.any()


@pytest.mark.parametrize("backend", BACKENDS)
def test_order_in_memory_does_not_matter(backend: str) -> None:
    scene = prepared(mixed_cloud(300), backend)
    shuffle = torch.randperm(300, generator=seeded()).to(scene.device)
    shuffled = Splats(**{k: v[shuffle] for k, v in scene.parameters().items()})
    render = choose(scene, backend).render
    # not exactly equal: torch rounds the last elements of a tensor, which fill no vector, in another way
    assert torch.allclose(render(scene, CAMERAS).rgb, render(shuffled, CAMERAS).rgb, atol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_length_of_quaternions_does_not_matter(backend: str) -> None:
    scene = prepared(mixed_cloud(50), backend)
    longer = Splats(**{**scene.parameters(), "quats": 3.7 * scene.quats})
    render = choose(scene, backend).render
    assert torch.allclose(render(scene, CAMERAS).rgb, render(longer, CAMERAS).rgb, atol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_screen_gradients_add_up_to_that_of_the_principal_point(backend: str) -> None:
    """Moving the principal point moves all means2d alike, so a finite difference on it must give the sum of
    their gradients.
    """
    cloud, weights = (
        mixed_cloud(40, seed=3),
        torch.randn(1, 33, 33, 3, generator=seeded(), dtype=torch.float64),
    )

    def loss_at(shift: float) -> float:
        cameras = straight_camera(dtype=torch.float64)
        cameras.K[:, 0, 2] += shift
        with torch.no_grad():
            return float((splats_torch.render(cast(pushed, torch.float64), cameras).rgb * weights).sum())

    pushed = Splats(**{**cloud.parameters(), "means": cloud.means + torch.tensor([0.0, 0.0, 4.0])})
    scene = prepared(pushed, backend)
    views = choose(scene, backend).render(scene, straight_camera())
    (views.rgb * weights.to(views.rgb)).sum().backward()
    step = 1e-5
    slope = (loss_at(step) - loss_at(-step)) / (2 * step)
    assert views.means2d.grad[..., 0].sum().item() == pytest.approx(slope, rel=2e-3)


def test_numba_threads_change_nothing() -> None:
    scene, results = mixed_cloud(500), []
    render = choose(scene, "cpu").render
    cameras = orbit_cameras([0.0, 90.0, 180.0], 10.0, 2.6, 40.0, 40)
    for threads in (1, 2):
        leaf = cast(scene, torch.float32)
        views = render(leaf, cameras, threads=threads)
        views.rgb.square().sum().backward()
        results.append((views.rgb.detach(), leaf.means.grad, views.means2d.grad))
    assert all(torch.equal(a, b) for a, b in zip(*results))


def test_two_threads_may_render_at_once() -> None:
    """The engine thread optimises while the frame thread draws other cameras."""
    scene = mixed_cloud(500)
    render = choose(scene, "cpu").render

    def work(seed: int) -> tuple[Tensor, Tensor]:
        leaf = cast(scene, torch.float32)
        views = render(leaf, orbit_cameras([30.0 * seed], 10.0, 2.6, 40.0, 40))
        views.rgb.square().sum().backward()
        return views.rgb.detach(), leaf.means.grad

    alone = [work(seed) for seed in range(8)]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(work, range(8)))
    assert all(torch.equal(a, b) for x, y in zip(alone, together) for a, b in zip(x, y))


def test_definition_passes_gradcheck() -> None:
    # the second beyond the frustum's margin
    scene = cast(joined(one(), one((0.0, 2.5, 0.5), (0.9, 0.1, 0.1))), torch.float64)
    cameras = orbit_cameras([20.0], 10.0, 2.6, 40.0, 5, 4)

    def pictures(*tensors: Tensor) -> tuple[Tensor, ...]:
        views = splats_torch.render(
            Splats(*tensors), cameras, torch.tensor([0.2, 0.5, 0.9], dtype=torch.float64), normals=True
        )
        return views.rgb, views.alpha, views.depth, views.normal

    assert torch.autograd.gradcheck(
        pictures, tuple(scene.parameters().values()), atol=1e-5, fast_mode=True, check_undefined_grad=False
    )


def test_normals_face_the_camera_along_the_shortest_axis() -> None:
    """A tilted flat disc at the middle of the picture, described with its axis this way round and the
    other.
    """
    for angle in (0.4, 0.4 + math.pi):
        quats = torch.tensor([[math.cos(angle / 2), math.sin(angle / 2), 0.0, 0.0]])
        log_scales = torch.tensor([[0.3, 0.3, 0.01]]).log()
        scene = Splats(
            torch.tensor([[0.0, 0.0, 2.0]]), log_scales, quats, torch.tensor([3.0]), torch.zeros(1, 3)
        )
        views = splats_torch.render(scene, straight_camera(), normals=True)
        normal = views.normal[0, 16, 16] / views.alpha[0, 16, 16]
        assert torch.allclose(normal, torch.tensor([0.0, math.sin(0.4), -math.cos(0.4)]), atol=1e-5)
