"""Whole runs with a tiny Stable Diffusion, a ControlNet and a style file, on splats and on a field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.errors import InputError
from engine.guidance import methods
from engine.loop.messages import CommandSource, Finished, SetKnobs, Stepped, Unattended
from engine.loop.recipe import Recipe
from engine.loop.run import run
from engine.loop.settings import Settings, with_values
from engine.loop.spec import Knobs, RunSpec
from engine.loop.validation import check_combination
from engine.prior.attachments import Attachments
from engine.prior.base import Condition, Prediction, PriorInfo
from engine.prior.control.control import load_control
from engine.prior.control.entries import control_ids
from engine.prior.latent.prior import LatentPrior
from engine.prior.latent.stable_diffusion import load_latent
from tests.loop.balls import ScriptedCommands, ball_prior, of_type, quick_spec
from tests.prior.control.tiny_control import SIDE, save_tiny_control
from tests.prior.lora.lora_files import TEXT_LAYERS, UNET_LAYERS, random_lora, write_lora
from tests.prior.tiny_pipeline import save_tiny_pipeline

CONTROL = control_ids()[0]
CONTROLLED = {"control": CONTROL}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A prior, a registry with one ControlNet under the name of one that ships, and a style file."""
    root = tmp_path_factory.mktemp("outfit")
    prior = load_latent(save_tiny_pipeline(root / "pipeline"))
    save_tiny_control(root, prior.network, control_id=CONTROL)
    encoder = prior.parts.networks["text_encoder"]
    unet, text = random_lora(prior.network, UNET_LAYERS, 1), random_lora(encoder, TEXT_LAYERS, 2)
    return {
        "prior": prior,
        "registry": root,
        "style": write_lora(root / "style.safetensors", "kohya", unet, text),
        "style of the network": write_lora(root / "unet.safetensors", "kohya", unet),
    }


def settings_for(world: dict[str, Any], **values: Any) -> Settings:
    spec = {
        "start": "ball",
        "splats": 150,
        "voxels": 16,
        "render_size": SIDE,
        "refine_steps": 2,
        "prior": "tiny",
    }
    known = {"style_file": str(world[values.pop("style")])} if "style" in values else {}
    return with_values(
        Settings(quick_spec(**spec), Knobs()), {"views_per_step": 2, "anchor_weight": 0.0, **known, **values}
    )


def events_of(world: dict[str, Any], settings: Settings, commands: CommandSource | None = None) -> list[Any]:
    return list(
        run(
            settings.spec,
            settings.knobs,
            commands or Unattended(),
            lambda name: world["prior"],
            load_control=lambda name, device: load_control(name, device, world["registry"]),
        )
    )


def losses(events: list[Any]) -> list[float]:
    return [event.loss for event in of_type(events, Stepped)]


def scene_of(events: list[Any]) -> list[Tensor]:
    assert isinstance(events[-1], Finished) and not events[-1].stopped
    return list(events[-1].copy.scene.parameters().values())


@pytest.mark.parametrize("scene", ["splats", "field"])
@pytest.mark.parametrize("worn", [CONTROLLED, {"style": "style"}, {**CONTROLLED, "style": "style"}], ids=str)
def test_a_run_is_another_one_with_it_and_the_same_at_strength_zero(
    world: dict[str, Any], scene: str, worn: dict
) -> None:
    plain = events_of(world, settings_for(world, scene=scene))
    dressed = events_of(world, settings_for(world, scene=scene, **worn))
    naked = events_of(
        world, settings_for(world, scene=scene, **worn, control_strength=0.0, style_strength=0.0)
    )
    assert len(losses(dressed)) == 2 and losses(dressed) != losses(plain)
    assert losses(naked) == losses(plain)
    assert all(
        torch.equal(found, expected) for found, expected in zip(scene_of(naked), scene_of(plain), strict=True)
    )
    assert any(
        not torch.equal(found, expected)
        for found, expected in zip(scene_of(dressed), scene_of(plain), strict=True)
    )


@pytest.mark.parametrize("knob", ["control_strength", "style_strength"])
def test_both_strengths_act_while_the_run_goes(world: dict[str, Any], knob: str) -> None:
    settings = settings_for(world, **CONTROLLED, style="style", refine_steps=4)
    changed = with_values(settings, {knob: 0.1})
    commands = ScriptedCommands({2: [SetKnobs(1, changed.knobs)]})
    before, after = losses(events_of(world, settings)), losses(events_of(world, settings, commands))
    first = next(i for i, (one, other) in enumerate(zip(before, after, strict=True)) if one != other)
    assert 0 < first < 4


@pytest.mark.parametrize("method", methods())
def test_every_method_drives_a_dressed_prior(world: dict[str, Any], method: str) -> None:
    """Also those that put adapters of their own into the network: afterwards it is as it was."""
    before = {name: value.clone() for name, value in world["prior"].network.state_dict().items()}
    events = events_of(world, settings_for(world, **CONTROLLED, style="style", method=method))
    assert isinstance(events[-1], Finished) and len(losses(events)) == 2
    after = world["prior"].network.state_dict()
    assert list(after) == list(before) and all(
        torch.equal(after[name], value) for name, value in before.items()
    )


def test_the_views_that_are_judged_are_those_that_are_seen(
    world: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without gradients, from the same cameras, in every branch."""
    seen: list[Condition] = []
    predict = LatentPrior.predict

    def watched(self: LatentPrior, x_t: Tensor, t: Tensor, condition: Condition) -> Prediction:
        seen.append(condition)
        return predict(self, x_t, t, condition)

    monkeypatch.setattr(LatentPrior, "predict", watched)
    events_of(world, settings_for(world, **CONTROLLED, negative_prompt="a cup", refine_steps=1))
    assert len(seen) >= 2
    for condition in seen:
        assert len(condition.views) == len(condition.cameras) == 2 and condition.views is seen[0].views
        assert not condition.views.depth.requires_grad and condition.views.depth.max() > 1


def test_words_are_read_anew_only_when_a_strength_that_matters_moves(
    world: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    embed = LatentPrior.embed

    def watched(self: LatentPrior, prompt: str) -> Any:
        read.append(prompt)
        return embed(self, prompt)

    monkeypatch.setattr(LatentPrior, "embed", watched)
    counts = {}
    for style in ("style", "style of the network"):
        settings = settings_for(world, style=style, refine_steps=4)
        commands = ScriptedCommands({2: [SetKnobs(1, with_values(settings, {"style_strength": 0.3}).knobs)]})
        read.clear()
        events_of(world, settings, commands)
        counts[style] = len(read)
    once = counts["style of the network"]  # plain, at the start
    assert counts["style"] == 3 * once, "plain, at strength 1, at strength 0.3"


def test_a_recipe_repeats_it(world: dict[str, Any]) -> None:
    settings = settings_for(world, **CONTROLLED, style="style", control_strength=1.3, style_strength=0.4)
    again = Recipe.from_toml(Recipe(settings).to_toml()).settings
    assert again == settings and losses(events_of(world, again)) == losses(events_of(world, settings))


def test_an_outfit_leaves_the_prior_alone(world: dict[str, Any]) -> None:
    prior = world["prior"]
    dressed = Attachments().on(prior, 1.0, 1.0)
    x_t, t, told = torch.ones(1, 4, 8, 8), torch.tensor([400]), Condition(prior.embed("a mug"))
    with torch.no_grad():
        assert torch.equal(dressed.predict(x_t, t, told).eps, prior.predict(x_t, t, told).eps)
    assert dressed.network is prior.network and dressed.parts is not prior.parts


class TestRefusals:
    """Before anything is computed, with what was given and what to do."""

    DRESSY = PriorInfo("sd", "SD", "rgb", 64, 7.5, takes_controls=True, takes_styles=True)

    @pytest.mark.parametrize(("values", "info", "named"), [
        (CONTROLLED, {"takes_controls": False}, "takes no ControlNet"),
        ({"style_file": "a.safetensors"}, {"takes_styles": False}, "wears no style files"),
        ({**CONTROLLED, "scene": "canvas"}, {}, "canvas is flat"),
    ])  # fmt: skip
    def test_what_cannot_go_together(self, values: dict, info: dict, named: str) -> None:
        settings = with_values(Settings(RunSpec("a mug", start="ball"), Knobs()), values)
        with pytest.raises(InputError, match=named) as raised:
            check_combination(settings, replace(self.DRESSY, **info))
        assert raised.value.remedy

    def test_a_style_on_a_canvas_is_fine(self) -> None:
        values = {"style_file": "a.safetensors", "scene": "canvas"}
        check_combination(with_values(Settings(RunSpec("a mug", start="ball"), Knobs()), values), self.DRESSY)

    @pytest.mark.parametrize("values", [CONTROLLED, {"style_file": "a.safetensors"}])
    def test_a_prior_of_another_kind_refuses_at_once(self, values: dict) -> None:
        settings = with_values(Settings(quick_spec(), Knobs()), values)
        with pytest.raises(InputError):
            next(run(settings.spec, settings.knobs, Unattended(), ball_prior))

    @pytest.mark.parametrize(("values", "named"), [
        ({"control": "no-such"}, "one of off"), ({"style_file": "a.ckpt"}, ".safetensors"),
        ({"style_strength": 3}, "0 to 2"),
        ({"control_strength": -1}, "0 to 2"),
    ])  # fmt: skip
    def test_values_out_of_range(self, values: dict, named: str) -> None:
        with pytest.raises(InputError, match=named):
            with_values(Settings(RunSpec("a mug"), Knobs()), values)

    def test_a_style_file_that_is_not_there(self, world: dict[str, Any]) -> None:
        settings = with_values(settings_for(world), {"style_file": "nowhere.safetensors"})
        with pytest.raises(InputError, match="nowhere"):
            events_of(world, settings)
