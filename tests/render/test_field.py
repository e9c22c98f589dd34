"""Field renderers against closed forms, and every backend that runs here against the readable one."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from engine.core.camera import look_at
from engine.core.cameras import Cameras, orbit_cameras
from engine.core.views import Views
from engine.render import choose, field_numba, field_torch
from engine.render.field_rays import EARLY_STOP, cube_span, rays_through
from engine.scene.field import Field, blob, from_density, node_positions, update_occupancy

BACKENDS = ["torch", "cpu", pytest.param("cuda", marks=pytest.mark.gpu)]
WHITE = torch.ones(3)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def even(density: float, resolution: int = 9, rgb: tuple[float, float, float] = (0.8, 0.4, 0.1)) -> Field:
    """The whole cube filled with one density and one colour."""
    grid = torch.full((resolution,) * 3, density)
    return from_density(grid, torch.tensor(rgb).expand(*grid.shape, 3))


def empty(resolution: int = 9) -> Field:
    return Field(
        torch.full((resolution,) * 3, -1e4),
        torch.randn(resolution, resolution, resolution, 3, generator=rng()),
    )


def ball(resolution: int, radius: float, density: float) -> Field:
    """A ball of one density; it ends somewhere within the voxels that its surface meets."""
    distance = radius - node_positions(resolution).norm(dim=-1)
    return Field(
        (distance * 1e4).clamp(-30, density),
        torch.randn(resolution, resolution, resolution, 3, generator=rng()),
    )


def clouds(resolution: int = 12) -> Field:
    """Densities and colours without any order."""
    shape = (resolution, resolution, resolution)
    return Field(4 * torch.randn(shape, generator=rng(1)), torch.randn(*shape, 3, generator=rng(2)))


def with_occupancy(field: Field) -> Field:
    return replace(field, occupancy=update_occupancy(field, None, 0))


def orbit(width: int = 14, height: int = 10, distance: float = 3.0) -> Cameras:
    return orbit_cameras([10.0, 130.0, 250.0], [15.0, -40.0, 80.0], distance, 45.0, width, height)


def from_inside() -> Cameras:
    """A camera within the cube, off its centre."""
    c2w = torch.from_numpy(
        look_at(torch.tensor([0.3, -0.2, 0.1]).numpy(), torch.tensor([-1.0, 0.5, 0.2]).numpy())
    )
    return replace(orbit(), c2w=c2w[None], K=orbit().K[:1])


def away() -> Cameras:
    """A camera that has its back to the cube."""
    c2w = torch.from_numpy(
        look_at(torch.tensor([3.0, 0.0, 0.0]).numpy(), torch.tensor([5.0, 0.5, 0.0]).numpy())
    )
    return replace(orbit(), c2w=c2w[None], K=orbit().K[:1])


def straight_through(resolution: int = 2) -> Cameras:
    """A camera far away on the +x axis, so that its rays are nearly parallel."""
    return orbit_cameras([0.0], 0.0, 1000.0, math.degrees(2 * math.atan(0.4 / 1000)), resolution)


def draw(
    field: Field, cameras: Cameras, backend: str, background: Tensor | None = None, **options: object
) -> Views:
    if backend == "cuda":
        if not torch.cuda.is_available():
            pytest.skip("no CUDA device")
        occupancy = None if field.occupancy is None else field.occupancy.to("cuda")
        field = Field(field.raw_density.cuda(), field.raw_colour.cuda(), occupancy)
        background = None if background is None else background.cuda()
    return choose(field, backend).render(field, cameras, background, **options)


# closed forms


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("density", [0.2, 1.5])
@pytest.mark.parametrize("cameras", [orbit(), from_inside()], ids=["outside", "inside"])
def test_an_even_cube_absorbs_by_the_length_of_the_chord(
    backend: str, density: float, cameras: Cameras
) -> None:
    field = even(density)
    views = draw(field, cameras, backend)
    origins, directions = cameras.rays()
    near, far = cube_span(origins.reshape(-1, 3), directions.reshape(-1, 3))
    alpha = (1 - torch.exp(-density * (far - near).clamp_min(0))).reshape(views.alpha.shape)
    # nerfacc does not end its last step at the face
    tolerance = density * field.voxel / 2 if backend == "cuda" else 1e-5
    assert torch.allclose(views.alpha.cpu(), alpha, atol=tolerance)
    assert torch.allclose(views.rgb, views.alpha * torch.tensor([0.8, 0.4, 0.1]).to(views.rgb), atol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_ball_absorbs_by_the_length_of_its_chord(backend: str) -> None:
    field = ball(96, 0.7, 2.0)
    axis = (torch.arange(16) + 0.5) / 16 * 0.8 - 0.4  # where the parallel rays pass the centre
    passing2 = axis[:, None] ** 2 + axis[None] ** 2
    low, high = (
        1 - torch.exp(-math.log1p(math.exp(2.0)) * (2 * (radius**2 - passing2).sqrt() + error))
        for radius, error in ((0.7 - 3**0.5 * field.voxel, -field.voxel), (0.7, field.voxel))
    )
    for known in (field, with_occupancy(field)):
        alpha = draw(known, straight_through(16), backend).alpha[0, :, :, 0].cpu()
        assert (alpha > low).all() and (alpha < high).all() and (high - low).max() < 0.06


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("known", [False, True], ids=["unknown", "occupancy"])
def test_an_empty_field_is_exactly_the_background(backend: str, known: bool) -> None:
    background = torch.rand(3, 10, 14, 3, generator=rng())
    views = draw(with_occupancy(empty()) if known else empty(), orbit(), backend, background)
    assert torch.equal(views.rgb.cpu(), background)
    assert not views.alpha.any() and not views.depth.any()


@pytest.mark.parametrize("backend", BACKENDS)
def test_rays_that_miss_show_the_background_and_have_no_gradient(backend: str) -> None:
    field = even(3.0)
    for tensor in field.parameters().values():
        tensor.requires_grad_()
    views = draw(field, away(), backend, WHITE)
    assert torch.equal(views.rgb, torch.ones_like(views.rgb))
    gradients = torch.autograd.grad(views.rgb.sum() + views.alpha.sum(), list(field.parameters().values()))
    assert not any(gradient.any() for gradient in gradients)


@pytest.mark.parametrize("backend", BACKENDS)
def test_depth_is_the_distance_from_the_image_plane(backend: str) -> None:
    wall = Field((node_positions(65)[..., 0] < -0.25).float() * 4000 - 2000, torch.zeros(65, 65, 65, 3))
    views = draw(wall, orbit_cameras([0.0], 0.0, 3.0, 25.0, 9), backend)
    depth = views.depth / views.alpha
    assert (views.alpha > 0.999).all()
    assert depth.max() - depth.min() < wall.voxel and abs(float(depth.mean()) - 3.25) < 1.5 * wall.voxel


@pytest.mark.parametrize("backend", BACKENDS)
def test_normals_of_a_linear_density_are_its_direction(backend: str) -> None:
    direction = torch.tensor([1.0, 2.0, -2.0]) / 3
    field = Field(-6 * (node_positions(17) @ direction), torch.zeros(17, 17, 17, 3))
    views = draw(field, orbit(), backend, normals=True)
    assert views.alpha.max() > 0.9
    assert torch.allclose(views.normal.cpu(), views.alpha.cpu() * direction, atol=1e-4)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_dense_field_hides_what_is_behind_its_face(backend: str) -> None:
    field = even(4000.0)
    for tensor in field.parameters().values():
        tensor.requires_grad_()
    views = draw(field, straight_through(), backend)
    assert (views.alpha > 1 - 2 * EARLY_STOP).all()
    (gradient,) = torch.autograd.grad(views.rgb.sum(), [field.raw_colour])
    assert gradient[-1].any() and not gradient[:-3].any()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("known", [False, True], ids=["unknown", "occupancy"])
def test_a_density_that_is_not_a_number_is_seen(backend: str, known: bool) -> None:
    field = clouds()
    field.raw_density[6, 6, 6] = math.nan
    views = draw(with_occupancy(field) if known else field, orbit(), backend)
    assert views.rgb.isnan().any() and views.alpha.isnan().any()


# the fast marcher against the readable one

SCENES = {
    "clouds": clouds(),
    "start": blob(12, 0.6, rng()),
    "ball": ball(16, 0.6, 20.0),
    "ball, occupancy": with_occupancy(ball(16, 0.6, 20.0)),
    "full": even(200.0),
    "mist": even(0.05),
}
CAMERAS = {"around": orbit(), "close": orbit(9, 16, 1.3), "inside": from_inside(), "away": away()}
BACKGROUNDS = {"none": None, "white": WHITE, "picture": torch.rand(1, 1, 1, 3, generator=rng(5))}


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("view", CAMERAS)
@pytest.mark.parametrize("background", BACKGROUNDS)
def test_the_fast_marcher_agrees_with_the_reference(scene: str, view: str, background: str) -> None:
    cameras, colour = CAMERAS[view], BACKGROUNDS[background]
    jitter = (
        torch.rand(len(cameras), cameras.height, cameras.width, generator=rng(6))
        if background == "picture"
        else None
    )
    wanted = pictures_and_gradients(SCENES[scene], cameras, "torch", colour, jitter)
    found = pictures_and_gradients(SCENES[scene], cameras, "cpu", colour, jitter)
    for name, value in wanted.items():  # float32, and samples of optical depth below 1e-6 are left out
        assert (found[name] - value).abs().max() < 3e-5 * max(1.0, float(value.abs().max())), name


def pictures_and_gradients(
    field: Field, cameras: Cameras, backend: str, background: Tensor | None, jitter: Tensor | None
) -> dict[str, Tensor]:
    """All pictures, and for each the gradients of a random mixture of its pixels."""
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in field.parameters().items()}
    views = draw(
        Field(**leaves, occupancy=field.occupancy), cameras, backend, background, normals=True, jitter=jitter
    )
    found = {}
    for name in ("rgb", "alpha", "depth", "normal"):
        picture = getattr(views, name)
        mixture = (picture * torch.randn(picture.shape, generator=rng(7))).sum()
        gradients = torch.autograd.grad(
            mixture, list(leaves.values()), retain_graph=True, materialize_grads=True
        )
        found |= {name: picture.detach()} | {
            f"{leaf} by {name}": gradient for leaf, gradient in zip(leaves, gradients)
        }
    return found


def test_the_reference_has_the_gradient_of_finite_differences() -> None:
    generator = rng(3)
    cameras = orbit_cameras([20.0, 200.0], [30.0, -10.0], 2.5, 40.0, 3, 2)
    jitter = torch.rand(2, 2, 3, generator=generator, dtype=torch.float64)
    background = torch.rand(3, generator=generator, dtype=torch.float64)

    def pictures(raw_density: Tensor, raw_colour: Tensor) -> tuple[Tensor, ...]:
        views = field_torch.render(
            Field(raw_density, raw_colour), cameras, background, normals=True, jitter=jitter
        )
        return views.rgb, views.alpha, views.depth, views.normal

    raw = [
        torch.randn(4, 4, 4, *shape, generator=generator, dtype=torch.float64, requires_grad=True)
        for shape in ((), (3,))
    ]
    assert torch.autograd.gradcheck(pictures, raw)


# the rules of the march


def test_samples_tile_the_chord_with_steps_of_at_most_a_voxel() -> None:
    field = clouds()
    rays = rays_through(field, orbit())
    near, far = cube_span(rays.origins, rays.directions)
    hit = far > near
    assert hit.any() and (~hit).any()
    assert torch.allclose((rays.count * rays.delta)[hit], (far - near)[hit], atol=1e-5)
    assert (rays.delta <= field.voxel * 1.001).all() and not rays.count[~hit].any()


def test_weights_are_those_of_emission_and_absorption() -> None:
    density = torch.tensor([[1.0, 2.0, 0.5]], dtype=torch.float64, requires_grad=True)
    colour, background = torch.tensor([1.0, 0.5, 0.0], dtype=torch.float64), 0.2
    weights = field_torch.weights_from_optical_depth(0.5 * density)
    assert torch.allclose(
        weights, torch.tensor([[0.393469, 0.383401, 0.049356]], dtype=torch.float64), atol=1e-6
    )
    (gradient,) = torch.autograd.grad((weights * colour).sum() + (1 - weights.sum()) * background, density)
    assert torch.allclose(
        gradient, torch.tensor([[0.190038, 0.038405, -0.017377]], dtype=torch.float64), atol=1e-6
    )


def test_no_sample_counts_where_no_light_arrives() -> None:
    weights = field_torch.weights_from_optical_depth(torch.tensor([[5.0, 4.0, 1.0, 1.0]]))
    assert weights[0, :3].gt(0).all() and weights[0, 3] == 0  # exp(-9) > 1e-4 > exp(-10)


@pytest.mark.parametrize("backend", BACKENDS)
def test_known_empty_space_changes_no_picture(backend: str) -> None:
    field = ball(24, 0.6, 30.0)
    found, wanted = (draw(scene, orbit(), backend, WHITE) for scene in (with_occupancy(field), field))
    assert torch.allclose(found.rgb, wanted.rgb, atol=1e-5) and torch.allclose(
        found.depth, wanted.depth, atol=1e-5
    )


def test_viewing_without_gradient_shows_the_same_picture() -> None:
    field = clouds()
    field.raw_density.requires_grad_()
    learning = field_numba.render(field, orbit(), WHITE)
    with torch.no_grad():
        viewing = field_numba.render(field, orbit(), WHITE)
    assert learning.rgb.requires_grad and not viewing.rgb.requires_grad
    assert torch.equal(learning.rgb, viewing.rgb) and torch.equal(learning.depth, viewing.depth)


def test_two_threads_draw_at_the_same_time() -> None:
    fields, cameras = [clouds(), ball(24, 0.6, 10.0)], orbit(48, 48)
    alone = [pictures_and_gradients(field, cameras, "cpu", WHITE, None) for field in fields]
    with ThreadPoolExecutor(2) as pool:
        together = list(
            pool.map(lambda n: pictures_and_gradients(fields[n % 2], cameras, "cpu", WHITE, None), range(8))
        )
    for n, found in enumerate(together):
        assert all(torch.equal(found[name], value) for name, value in alone[n % 2].items())
