"""ControlNets on tiny Stable Diffusion and SDXL pipelines: diffusers' answers, the stated cost, and what is
refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import (
    ControlNetModel,
    DDIMScheduler,
    StableDiffusionControlNetPipeline,
    StableDiffusionXLControlNetPipeline,
    UNet2DConditionModel,
)
from torch import Tensor, nn

from engine.errors import FileFormatError, InputError, MissingError, PresetError
from engine.prior.analytic import AnalyticPrior, gaussian
from engine.prior.attachments import Attachments, attachments_for
from engine.prior.base import Condition, Prompts
from engine.prior.control.control import Control, check_base, load_control
from engine.prior.control.entries import (
    CONTROLS_FOLDER,
    control_ids,
    fetch_control,
    find_control,
    list_controls,
    local_folder,
    read_control,
)
from engine.prior.control.pictures import depth_picture
from engine.prior.entries import COMMIT
from engine.prior.latent.prior import LatentPrior
from engine.prior.latent.sdxl import load_sdxl
from engine.prior.latent.stable_diffusion import load_latent
from engine.prior.sampling import ddim
from tests.prior.control.tiny_control import save_tiny_control, seen, write_entry

CPU = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class World:
    """A prior, the folder that it came from, and a registry with a ControlNet for it."""

    pipeline: Path
    prior: LatentPrior
    registry: Path
    pipeline_class: type

    @property
    def control(self) -> Control:
        return load_control("tiny", CPU, self.registry)

    def dressed(self, strength: float = 0.7, **changes: Any) -> LatentPrior:
        return replace(Attachments(self.control), **changes).on(self.prior, strength, 1.0)


@pytest.fixture(scope="module")
def worlds(
    tiny_pipelines: dict[str, Path], save_sdxl: Callable[..., Path], tmp_path_factory: Any
) -> dict[str, World]:
    root = tmp_path_factory.mktemp("controls")
    sdxl = save_sdxl(root / "sdxl-pipeline")
    plain, large = load_latent(tiny_pipelines["epsilon"]), load_sdxl(sdxl)
    for name in ("sd", "sdxl"):
        (root / name).mkdir()
    return {
        "sd": World(
            tiny_pipelines["epsilon"],
            plain,
            save_tiny_control(root / "sd", plain.network),
            StableDiffusionControlNetPipeline,
        ),
        "sdxl": World(
            sdxl, large, save_tiny_control(root / "sdxl", large.network), StableDiffusionXLControlNetPipeline
        ),
    }


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@contextmanager
def counted(*networks: nn.Module) -> Iterator[list[int]]:
    """How many views each of the networks is called with, in the order of the calls: (network's place,
    views).
    """
    calls: list[tuple[int, int]] = []
    hooks = [
        network.register_forward_pre_hook(
            lambda _module, args, place=place: calls.append((place, len(args[0])))
        )
        for place, network in enumerate(networks)
    ]
    yield calls
    for hook in hooks:
        hook.remove()


@pytest.mark.parametrize("name", ["sd", "sdxl"])
def test_sampling_is_that_of_diffusers_pipeline(worlds: dict[str, World], name: str) -> None:
    """Words, guidance, ControlNet and its strength, end to end: the same latents from the same noise and
    picture.
    """
    world = worlds[name]
    control = ControlNetModel.from_pretrained(world.registry / "tiny-files", local_files_only=True)
    pipeline = world.pipeline_class.from_pretrained(world.pipeline, controlnet=control, local_files_only=True)
    pipeline.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config, clip_sample=False)
    pipeline.set_progress_bar_config(disable=True)
    told = seen(world.prior.embed("a red mug"))
    picture, start = depth_picture(told.views, told.cameras).permute(0, 3, 1, 2), noise(2, 4, 8, 8, seed=1)
    expected = pipeline(
        ["a red mug"] * 2, image=picture, num_inference_steps=3, guidance_scale=5.0, latents=start,
            output_type="latent",
        controlnet_conditioning_scale=0.7, height=16, width=16,
    ).images  # fmt: skip
    prompts = Prompts(told, told.with_text(world.prior.embed("")))
    *_, found = ddim(world.dressed(0.7), prompts, start, pipeline.scheduler.timesteps.tolist(), 5.0)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3 * expected.abs().max().item())
    *_, plain = ddim(world.prior, prompts, start, pipeline.scheduler.timesteps.tolist(), 5.0)
    assert (found - plain).abs().max() > 0.05 * plain.abs().max()


class TestStrength:
    x_t, t = noise(2, 4, 8, 8), torch.tensor([100, 700])

    def eps(self, prior: LatentPrior, condition: Condition) -> Tensor:
        with torch.no_grad():
            return prior.predict(self.x_t, self.t, condition).eps

    @pytest.mark.parametrize("name", ["sd", "sdxl"])
    def test_zero_is_the_plain_prior_to_the_bit_and_costs_nothing(
        self, worlds: dict[str, World], name: str
    ) -> None:
        world = worlds[name]
        told, control = seen(world.prior.embed("a mug")), world.control
        with counted(world.prior.network, control.network) as calls:
            found = self.eps(world.dressed(0.0, control=control), told)
        assert torch.equal(found, self.eps(world.prior, told)) and calls == [(0, 2)]

    def test_it_grows_with_the_strength_and_leaves_the_prior_as_it_was(
        self, worlds: dict[str, World]
    ) -> None:
        world = worlds["sd"]
        told = seen(world.prior.embed("a mug"))
        plain = self.eps(world.prior, told)
        changes = [
            float((self.eps(world.dressed(strength), told) - plain).norm()) for strength in (0.1, 0.4, 1.0)
        ]
        assert 0 < changes[0] < changes[1] < changes[2]
        assert torch.equal(self.eps(world.prior, told), plain)

    def test_what_is_seen_matters(self, worlds: dict[str, World]) -> None:
        world = worlds["sd"]
        told, dressed = seen(world.prior.embed("a mug")), world.dressed()
        other = replace(
            told, views=replace(told.views, depth=told.views.depth.flip(2), alpha=told.views.alpha.flip(2))
        )
        assert (self.eps(dressed, other) - self.eps(dressed, told)).abs().max() > 1e-4

    def test_a_network_of_normals_is_shown_normals(self, worlds: dict[str, World], tmp_path: Path) -> None:
        world = worlds["sd"]
        registry = save_tiny_control(tmp_path, world.prior.network, sees="normal")
        told = seen(world.prior.embed("a mug"))
        pictures = [
            load_control("tiny", CPU, folder).pictures(told, 16) for folder in (registry, world.registry)
        ]
        assert (pictures[0][:, 2] >= 0.5).all() and torch.equal(pictures[1][:, 0], pictures[1][:, 2])


class TestCost:
    """One call of the ControlNet for each call of the UNet, and the UNet is called as often as without."""

    def test_one_call_each(self, worlds: dict[str, World]) -> None:
        world, control = worlds["sd"], worlds["sd"].control
        with torch.no_grad(), counted(world.prior.network, control.network) as calls:
            world.dressed(control=control).predict(
                noise(2, 4, 8, 8), torch.tensor([1, 500]), seen(world.prior.embed("a"))
            )
        assert calls == [(1, 2), (0, 2)]

    def test_views_in_turn_are_shown_their_own_pictures(self, worlds: dict[str, World]) -> None:
        world, control = worlds["sd"], worlds["sd"].control
        told, x_t, t = (
            seen(world.prior.embed("a mug"), 5),
            noise(5, 4, 8, 8),
            torch.tensor([1, 200, 400, 600, 800]),
        )
        chunked = world.dressed(control=control)
        chunked.max_views_per_call = 2
        with torch.no_grad(), counted(world.prior.network, control.network) as calls:
            found = chunked.predict(x_t, t, told).eps
        assert calls == [(1, 2), (0, 2), (1, 2), (0, 2), (1, 1), (0, 1)]
        with torch.no_grad():
            torch.testing.assert_close(found, world.dressed().predict(x_t, t, told).eps, rtol=1e-4, atol=1e-5)

    def test_gradients_reach_picture_and_words_but_no_weight(self, worlds: dict[str, World]) -> None:
        world, control = worlds["sd"], worlds["sd"].control
        text = world.prior.embed("a mug")
        tokens, x_t = text.tokens.clone().requires_grad_(), noise(2, 4, 8, 8).requires_grad_()
        told = seen(replace(text, tokens=tokens))
        world.dressed(control=control).predict(
            x_t, torch.tensor([1, 500]), told
        ).eps.square().sum().backward()
        assert tokens.grad.abs().max() > 0 and x_t.grad.abs().max() > 0
        assert (
            not any(weight.requires_grad for weight in control.network.parameters())
            and not control.network.training
        )


class TestRefusals:
    def test_a_network_for_another_width_of_words(self, worlds: dict[str, World]) -> None:
        sd, sdxl = worlds["sd"], worlds["sdxl"]
        with pytest.raises(
            InputError, match=r"words that are 40 wide, and those of .* are 16 wide"
        ) as raised:
            attachments_for(sd.prior, "tiny", "", lambda name, device: sdxl.control)
        assert "a tiny model" in raised.value.what and raised.value.remedy

    def test_a_network_with_other_blocks(self, worlds: dict[str, World]) -> None:
        wider = UNet2DConditionModel(**{**worlds["sd"].prior.network.config, "block_out_channels": (8, 24)})
        with pytest.raises(InputError, match="block_out_channels"):
            check_base(worlds["sd"].control, wider, "Another")

    def test_a_prior_without_a_unet(self, worlds: dict[str, World]) -> None:
        prior = AnalyticPrior({"": gaussian(torch.zeros(3, 8, 8))})
        for asked in (("tiny", ""), ("off", "a.safetensors")):
            with pytest.raises(InputError, match="no UNet") as raised:
                attachments_for(prior, *asked, lambda name, device: pytest.fail("it was loaded"))
            assert asked[0 if asked[0] != "off" else 1] in raised.value.what

    def test_nothing_asked_for_is_no_outfit(self, worlds: dict[str, World]) -> None:
        assert attachments_for(worlds["sd"].prior, "off", "", load_control) is None

    def test_nothing_is_shown(self, worlds: dict[str, World]) -> None:
        world = worlds["sd"]
        with pytest.raises(InputError, match="the depth of a shape, and there is none"):
            world.dressed().predict(noise(1, 4, 8, 8), torch.tensor([9]), Condition(world.prior.embed("a")))

    def test_an_unknown_name_lists_the_known(self) -> None:
        with pytest.raises(InputError, match="no-such") as raised:
            load_control("no-such", CPU)
        assert "off, " in raised.value.remedy and "sd15-depth" in raised.value.remedy

    def test_it_is_not_here(self, cache: Path) -> None:
        with pytest.raises(MissingError, match="723 MB to fetch; licence") as raised:
            load_control("sd15-depth", CPU)
        assert raised.value.remedy.endswith("--fetch sd15-depth")

    def test_another_kind_of_network(self, worlds: dict[str, World], tmp_path: Path) -> None:
        registry = save_tiny_control(tmp_path, worlds["sd"].prior.network)
        path = tmp_path / "tiny-files" / "config.json"
        config = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**config, "_class_name": "ControlNetUnionModel"}), encoding="utf-8")
        with pytest.raises(FileFormatError, match="ControlNetUnionModel"):
            load_control("tiny", CPU, registry)

    def test_weights_that_were_cut_short(self, worlds: dict[str, World], tmp_path: Path) -> None:
        registry = save_tiny_control(tmp_path, worlds["sd"].prior.network)
        weights = next((tmp_path / "tiny-files").glob("*.safetensors"))
        weights.write_bytes(weights.read_bytes()[:4000])
        with pytest.raises(FileFormatError, match="tiny-files"):
            load_control("tiny", CPU, registry)


class TestEntries:
    def test_those_that_ship_say_what_a_person_needs_to_decide(self) -> None:
        entries = list_controls()
        assert {entry.sees for entry in entries} == {"depth", "normal"} and len(entries) == len(
            control_ids()
        ) >= 4
        for entry in entries:
            assert entry.title and entry.base and entry.licence and entry.size_mb > 500
            assert (
                entry.unpinned != bool(COMMIT.fullmatch(entry.revision)) and entry.folder == CONTROLS_FOLDER
            )

    @pytest.mark.parametrize(("values", "message"), [
        ({"sees": "canny"}, "depth, normal"), ({"id": "off"}, "switches ControlNets "
                                                              "off"), ({"source": "a/b"}, "revision"),
        ({"colour": "red"}, "unknown colour"), ({"base": None}, "lacks base"),
    ])  # fmt: skip
    def test_faults_are_named_with_the_file(
        self, tmp_path: Path, values: dict[str, Any], message: str
    ) -> None:
        write_entry(tmp_path, **{"source": "./files", **values})
        with pytest.raises(PresetError, match=message) as raised:
            read_control(next(tmp_path.glob("*.toml")))
        assert str(tmp_path) in raised.value.what


COMMIT_OF_FAKE_HUB = "0123456789abcdef0123456789abcdef01234567"
HUB = {"source": "somebody/control", "revision": COMMIT_OF_FAKE_HUB, "size_mb": 1}


class TestFetching:
    def test_half_precision_is_preferred_and_then_it_is_here(
        self, worlds: dict[str, World], tmp_path: Path, fake_hub: Any
    ) -> None:
        save_tiny_control(tmp_path, worlds["sd"].prior.network)
        files = tmp_path / "tiny-files"
        full = files / "diffusion_pytorch_model.safetensors"
        (files / "diffusion_pytorch_model.fp16.safetensors").write_bytes(full.read_bytes())
        fake_hub.repositories["somebody/control"] = files
        entry = find_control("tiny", write_entry(tmp_path, **HUB))
        assert local_folder(entry) is None
        place = fetch_control(entry)
        assert local_folder(entry) == place and not (place / full.name).exists()
        fake_hub.requests.clear()
        assert fetch_control(entry) == place and fake_hub.requests == []
        assert load_control("tiny", CPU, tmp_path).network.dtype == torch.float32

    def test_a_mirror_helps_where_a_repository_is_gone(
        self, worlds: dict[str, World], tmp_path: Path, fake_hub: Any
    ) -> None:
        save_tiny_control(tmp_path, worlds["sd"].prior.network)
        fake_hub.repositories["other/control"] = tmp_path / "tiny-files"
        entry = find_control(
            "tiny", write_entry(tmp_path, **HUB, mirrors=[f"other/control@{COMMIT_OF_FAKE_HUB}"])
        )
        assert fetch_control(entry) == local_folder(entry)

    def test_everybody_refuses(self, tmp_path: Path, fake_hub: Any) -> None:
        (tmp_path / "empty").mkdir()
        (tmp_path / "empty" / "config.json").write_text("{}", encoding="utf-8")
        fake_hub.repositories["other/control"] = tmp_path / "empty"
        entry = find_control(
            "tiny", write_entry(tmp_path, **HUB, mirrors=[f"other/control@{COMMIT_OF_FAKE_HUB}"])
        )
        with pytest.raises(MissingError, match=r"somebody/control .* other/control has no safetensors"):
            fetch_control(entry)

    def test_a_folder_of_ones_own_that_is_incomplete(self, tmp_path: Path) -> None:
        entry = find_control("tiny", write_entry(tmp_path, source="./nowhere"))
        with pytest.raises(MissingError, match="nowhere"):
            fetch_control(entry)
