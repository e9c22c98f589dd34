"""A change in a box: what may change and what is held, in closed form, and whole runs of a ball whose front
turns blue.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.assets.export.ply import sh0_from_rgb, write_splat_ply
from engine.core.boxes import Box, contained, read_boxes
from engine.core.cameras import Cameras, orbit_cameras
from engine.core.views import Views
from engine.errors import InputError
from engine.loop.init_from_file import read_start_file
from engine.loop.messages import Finished, Stop, Unattended, Warned
from engine.loop.plan import plan
from engine.loop.recipe import Recipe
from engine.loop.region import Kept, check_region, editable, only_inside
from engine.loop.results import write_results
from engine.loop.run import run
from engine.loop.settings import Settings
from engine.loop.spec import RunSpec
from engine.loop.terms.outside import consistency
from engine.prior.analytic import AnalyticPrior
from engine.render import choose
from engine.scene.splats import Splats, random_ball
from tests.loop.balls import (
    COLOUR,
    PROMPT,
    RADIUS,
    SIZE,
    ScriptedCommands,
    ball_prior,
    of_type,
    quick_knobs,
    quick_spec,
)

FRONT = "x=0.15:1"
BLUE = "a blue ball"


@pytest.fixture(scope="module")
def red_ball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of ours: a red ball, by its words."""
    ball = random_ball(1500, RADIUS * 0.93, 0.045, torch.Generator().manual_seed(1), opacity=0.9)
    ball = replace(ball, colours=torch.logit(torch.tensor(COLOUR)).expand(1500, 3).contiguous())
    parts = [part.numpy() for part in (ball.means, ball.scales, ball.unit_quats, ball.opacities, ball.rgb)]
    path = tmp_path_factory.mktemp("ball") / "scene.ply"
    recipe = Recipe(Settings(quick_spec(), quick_knobs())).to_toml()
    write_splat_ply(path, *parts[:4], sh0_from_rgb(parts[4]), recipe=recipe)
    return path


def changed_spec(path: Path, **values) -> RunSpec:
    given = {"prompt": BLUE, "region": FRONT, "refine_steps": 10, "start": "file", "start_file": str(path)}
    return quick_spec(**{**given, **values})


def pictures(scene: Splats, cameras: Cameras) -> Views:
    with torch.no_grad():
        return choose(scene).render(scene, cameras, None)


def psnr(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(-10 * torch.log10((one - other).square().mean().clamp(min=1e-9)))


# ------------------------------------------------------------------------------------ what may change


def sphere(cameras: Cameras, radius: float) -> Views:
    """An opaque sphere at the origin: alpha and depth along the axis, in closed form."""
    origins, directions = cameras.rays()
    along = (origins * directions).sum(-1)
    missed = along.square() - origins.square().sum(-1) + radius**2
    lengths = -along - missed.clamp(min=0).sqrt()
    depth = lengths * (directions * cameras.c2w[:, None, None, :3, 2]).sum(-1)
    alpha = (missed > 0).float()
    return Views(alpha[..., None].expand(-1, -1, -1, 3), alpha[..., None], (alpha * depth)[..., None])


@pytest.mark.parametrize(
    ("box", "middle", "why"),
    [
        ("x=0.6:0.9,y=-0.2:0.2,z=-0.2:0.2", True, "in front of the sphere"),
        ("x=-0.9:-0.6,y=-0.2:0.2,z=-0.2:0.2", False, "behind it"),
        ("x=0.4:0.6,y=-0.2:0.2,z=-0.2:0.2", True, "through its surface"),
        ("x=-0.2:0.2,y=-0.2:0.2,z=-0.2:0.2", False, "within it"),
    ],
)
def test_a_box_may_change_what_it_stands_before(box: str, middle: bool, why: str) -> None:
    cameras = orbit_cameras([0.0], 0.0, 3.0, 40.0, 33)
    mask = editable(sphere(cameras, 0.5), cameras, read_boxes(box))
    assert bool(mask[0, 16, 16, 0]) is middle, why
    assert not mask[0, 0, 0, 0] and set(mask.unique().tolist()) <= {0.0, 1.0}


def test_depths_are_compared_along_one_axis() -> None:
    """Off the axis a ray is longer than its depth by 1/cos: a box hidden just under a wide wall must stay
    hidden.
    """
    cameras = orbit_cameras([0.0], 0.0, 3.0, 60.0, 65)
    wall = Views(torch.ones(1, 65, 65, 3), torch.ones(1, 65, 65, 1), torch.full((1, 65, 65, 1), 2.5))
    assert editable(wall, cameras, (Box((0.1, -1.4, -1.4), (0.49, 1.4, 1.4)),)).sum() == 0
    assert (
        editable(wall, cameras, (Box((0.1, -1.4, -1.4), (0.51, 1.4, 1.4)),))[0, :, :, 0].float().mean() > 0.5
    )


def test_the_consistency_loss_is_zero_outside_and_counts_one_pixel_exactly() -> None:
    rgb, alpha = torch.full((1, 2, 2, 3), 0.5), torch.tensor([1.0, 1.0, 0.0, 1.0]).view(1, 2, 2, 1)
    kept = Kept(Views(rgb, alpha, alpha), torch.tensor([0.0, 0.0, 0.0, 1.0]).view(1, 2, 2, 1))
    assert consistency(rgb, alpha, kept) == 0
    painted, mist = rgb.clone(), alpha.clone()
    painted[0, 0, 0, 1] += 0.2  # solid, outside
    mist[0, 1, 0, 0] += 0.3  # empty, outside
    painted[0, 1, 1] += 0.4  # inside: free
    assert float(consistency(painted, mist, kept)) == pytest.approx(0.2**2 + 0.3**2)


def test_the_prior_pushes_no_pixel_outside() -> None:
    rgb = torch.rand(1, 4, 4, 3, requires_grad=True)
    alpha = torch.rand(1, 4, 4, 1, requires_grad=True)
    mask = torch.zeros(1, 4, 4, 1)
    mask[0, 1, 2] = 1
    views = Views(rgb, alpha, alpha)
    masked = only_inside(views, Kept(views, mask))
    assert torch.equal(masked.rgb, rgb) and only_inside(views, None) is views
    (masked.rgb.sum() + masked.alpha.sum()).backward()
    assert torch.equal(rgb.grad, mask.expand_as(rgb)) and torch.equal(alpha.grad, mask)


# ------------------------------------------------------------------------------------------------ whole runs


@pytest.fixture(scope="module")
def changed(red_ball: Path) -> Finished:
    return list(run(changed_spec(red_ball), quick_knobs(), Unattended(), ball_prior))[-1]


def test_the_front_turns_blue_and_the_rest_stays_to_the_bit(red_ball: Path, changed: Finished) -> None:
    before, after = read_start_file(red_ball).splats, changed.copy.scene
    held = ~contained(read_boxes(FRONT), before.means)  # and those that reach out of the box, too
    assert 400 < int(held.sum()) < 1100
    for name, tensor in before.parameters().items():
        assert torch.equal(after.parameters()[name][: len(before)][held], tensor[held]), name
    front = pictures(after, orbit_cameras([0.0], 10.0, 3.05, 40.0, SIZE)).rgb[0, SIZE // 2, SIZE // 2]
    assert front[2] > 2 * front[0], "the middle of the front"
    new = after.means[len(before) :]
    assert (new[:, 0] >= 0.15 - 1e-6).all(), "what grows stays in the box"


def test_pictures_outside_keep_forty_decibels(red_ball: Path, changed: Finished) -> None:
    before = read_start_file(red_ball).splats
    cameras = orbit_cameras([20.0 + 45.0 * k for k in range(8)], 15.0, 3.05, 40.0, 64)
    was, now = pictures(before, cameras), pictures(changed.copy.scene, cameras)
    outside = (1 - editable(was, cameras, read_boxes(FRONT))).bool().expand_as(was.rgb)
    assert psnr(now.rgb[outside], was.rgb[outside]) >= 40


def test_a_chain_of_changes_is_in_the_file_and_the_words_follow_it(
    red_ball: Path, tmp_path: Path, changed: Finished
) -> None:
    assert [each.settings.spec.prompt for each in changed.recipe.before] == [PROMPT]
    files = write_results(changed, "analytic", tmp_path, formats=("ply",))
    spec = changed_spec(files["ply"], prompt=PROMPT, region="x=-1:-0.15", refine_steps=2)
    last = list(run(spec, quick_knobs(), Unattended(), ball_prior))[-1]
    again = Recipe.from_toml(last.recipe.to_toml())
    assert again == last.recipe
    assert [each.settings.spec.region for each in again.before] == ["", FRONT] and again.before[
        1
    ].settings.spec.prompt == BLUE
    assert last.recipe.settings.spec.region_was == BLUE, "what it is now was read from the file"


def test_a_region_may_start_filled_with_a_prior_that_drafts_nothing(red_ball: Path) -> None:
    single = ball_prior("any")
    single = AnalyticPrior(single.concepts, single.schedule, info=replace(single.info, joint_views=False))
    spec = changed_spec(red_ball, region_start="fill", refine_steps=12)
    finished = list(run(spec, quick_knobs(), Unattended(), lambda name: single))[-1]
    before = read_start_file(red_ball).splats
    assert finished.steps == 12 and len(finished.copy.scene) > len(before)
    with pytest.raises(InputError, match="region_start"):
        plan(replace(spec, region_start="draft"), single.info)


def test_an_interrupted_change_goes_on_to_the_same_end(red_ball: Path, tmp_path: Path) -> None:
    spec = changed_spec(red_ball, refine_steps=4)
    whole = list(run(spec, quick_knobs(), Unattended(), ball_prior))[-1]
    list(run(spec, quick_knobs(), ScriptedCommands({37: [Stop()]}), ball_prior, folder=tmp_path))
    resumed = list(run(spec, quick_knobs(), Unattended(), ball_prior, folder=tmp_path, resume=True))[-1]
    assert resumed.steps == whole.steps
    for name, tensor in whole.copy.scene.parameters().items():
        assert torch.equal(resumed.copy.scene.parameters()[name], tensor), name


# ------------------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"region": "x=-1:1"}, "holds all of the object"),
        ({"region": "x=-0.1:0.1,y=-0.1:0.1,z=-0.1:0.1"}, "cannot be seen"),
        ({"region": "x=1.4:1.5,y=1.4:1.5,z=1.4:1.5"}, "cannot be seen"),
        ({"region": "front"}, "no axis"),
        ({"start": "ball", "start_file": ""}, "finished scene"),
    ],
)
def test_a_region_that_cannot_be_is_told_before_the_first_step(
    red_ball: Path, values: dict, told: str
) -> None:
    with pytest.raises(InputError, match=told) as refused:
        next(run(changed_spec(red_ball, **values), quick_knobs(), Unattended(), ball_prior))
    assert refused.value.remedy


def test_how_much_the_region_holds_is_told(red_ball: Path) -> None:
    source = read_start_file(red_ball).splats
    assert "holds nothing yet" in check_region(read_boxes("z=0.8:1"), source)[0]
    events = list(run(changed_spec(red_ball, refine_steps=1), quick_knobs(), Unattended(), ball_prior))
    assert any("% of the object" in each.what for each in of_type(events, Warned))
