"""Style files against diffusers' own loading, and what is said of files that do not fit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engine.errors import FileFormatError, InputError
from engine.prior.lora.lora import Lora, fitted
from engine.prior.lora.lora_files import LoraLayer, read_lora
from engine.prior.trainable_lora import Adapter
from tests.prior.lora.lora_files import LAYOUTS, RANK, TEXT_LAYERS, UNET_LAYERS, random_lora, write_lora

IDS = torch.arange(77)[None] % 30


@dataclass(frozen=True, eq=False)
class World:
    """A tiny pipeline, one LoRA for it in every layout, and the folder that it lies in."""

    folder: Path
    pipeline: StableDiffusionPipeline
    files: dict[str, Path]

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"unet": self.pipeline.unet, "text_encoder": self.pipeline.text_encoder}

    def style(self, layout: str) -> Lora:
        return load(self.files[layout], self.networks)


def load(path: Path, networks: dict[str, nn.Module]) -> Lora:
    return fitted(read_lora(path, networks["unet"].config), networks, path.name)


def fresh(folder: Path) -> StableDiffusionPipeline:
    return StableDiffusionPipeline.from_pretrained(folder, safety_checker=None, local_files_only=True)


@pytest.fixture(scope="module")
def world(tiny_pipelines: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> World:
    root, pipeline = tmp_path_factory.mktemp("styles"), fresh(tiny_pipelines["epsilon"])
    for network in (pipeline.unet, pipeline.text_encoder):
        network.requires_grad_(False)
    unet, text = (
        random_lora(pipeline.unet, UNET_LAYERS, 1),
        random_lora(pipeline.text_encoder, TEXT_LAYERS, 2),
    )
    files = {
        layout: write_lora(
            root / layout / "style.safetensors", layout, unet, None if layout == "peft" else text
        )
        for layout in LAYOUTS
    }
    return World(tiny_pipelines["epsilon"], pipeline, files)


@torch.no_grad()
def noise_of(unet: nn.Module) -> Tensor:
    rng = torch.Generator().manual_seed(0)
    asked = (
        torch.randn(2, 4, 8, 8, generator=rng),
        torch.tensor([5, 500]),
        torch.randn(2, 7, 16, generator=rng),
    )
    return unet(*asked).sample


@torch.no_grad()
def words_of(text_encoder: nn.Module) -> Tensor:
    return text_encoder(IDS).last_hidden_state


class TestReading:
    @pytest.mark.parametrize("layout", ["diffusers", "diffusers_old", "kohya"])
    def test_networks_answer_as_with_diffusers_own_loader(self, world: World, layout: str) -> None:
        style, theirs = world.style(layout), fresh(world.folder)
        theirs.load_lora_weights(world.files[layout])
        for strength in (0.7, 1.6):
            theirs.set_adapters(theirs.get_list_adapters()["unet"], [strength])
            with style.worn(strength):
                noise, words = noise_of(world.pipeline.unet), words_of(world.pipeline.text_encoder)
            torch.testing.assert_close(noise, noise_of(theirs.unet), rtol=0, atol=1e-6)
            if layout != "kohya":  # of kohya's text encoder diffusers loses the attention; see the next test
                torch.testing.assert_close(words, words_of(theirs.text_encoder), rtol=0, atol=1e-6)
        assert style.rewords and (noise - noise_of(world.pipeline.unet)).abs().max() > 0.1
        assert (words - words_of(world.pipeline.text_encoder)).abs().max() > 0.1

    @pytest.mark.parametrize("layout", ["kohya", "peft"])
    def test_the_same_matrices_are_the_same_style_in_every_layout(self, world: World, layout: str) -> None:
        """Those of the UNet in all of them; kohya's text encoder too."""
        answers = []
        for name in ("diffusers", layout):
            with world.style(name).worn(1.0):
                answers.append((noise_of(world.pipeline.unet), words_of(world.pipeline.text_encoder)))
        torch.testing.assert_close(answers[1][0], answers[0][0])
        assert world.style(layout).rewords == (layout == "kohya")
        if layout == "kohya":
            torch.testing.assert_close(answers[1][1], answers[0][1])

    def test_alpha_is_weighed_with_the_rank_as_the_file_says(self, world: World, tmp_path: Path) -> None:
        tensors = load_file(world.files["diffusers"])
        scales = {}
        for name, settings in {
            "silent": {},
            "plain": {"unet.lora_alpha": 8},
            "root": {"unet.lora_alpha": 8, "unet.use_rslora": True},
            "pattern": {"unet.lora_alpha": 8, "unet.alpha_pattern": {"to_q": 2}},
        }.items():
            save_file(
                tensors, tmp_path / f"{name}.safetensors", {"lora_adapter_metadata": json.dumps(settings)}
            )
            layers = read_lora(tmp_path / f"{name}.safetensors", world.pipeline.unet.config)
            scales[name] = {
                layer.layer.split(".")[-1]: layer.scale for layer in layers if layer.part == "unet"
            }
        assert set(scales["silent"].values()) == {1.0}
        assert set(scales["plain"].values()) == {8 / RANK} and set(scales["root"].values()) == {8 / RANK**0.5}
        assert scales["pattern"]["to_q"] == 2 / RANK and scales["pattern"]["to_k"] == 8 / RANK


class TestWearing:
    def test_at_strength_zero_the_networks_are_plain_to_the_bit(self, world: World) -> None:
        plain = noise_of(world.pipeline.unet), words_of(world.pipeline.text_encoder)
        with world.style("diffusers").worn(0.0):
            worn = noise_of(world.pipeline.unet), words_of(world.pipeline.text_encoder)
        assert torch.equal(worn[0], plain[0]) and torch.equal(worn[1], plain[1])

    def test_nothing_is_left_behind_even_after_an_error(self, world: World) -> None:
        plain, names = noise_of(world.pipeline.unet), list(world.pipeline.unet.state_dict())
        with pytest.raises(RuntimeError, match="stop"), world.style("kohya").worn(1.0):
            raise RuntimeError("stop")
        assert (
            torch.equal(noise_of(world.pipeline.unet), plain)
            and list(world.pipeline.unet.state_dict()) == names
        )

    def test_two_runs_with_two_styles_share_one_network(self, world: World) -> None:
        """One pauses and the other goes on: neither sees the other's style."""
        one, other = world.style("diffusers"), world.style("diffusers_old")
        with one.worn(1.0):
            first = noise_of(world.pipeline.unet)
        with other.worn(1.0):
            second = noise_of(world.pipeline.unet)
        with one.worn(1.0):
            assert torch.equal(noise_of(world.pipeline.unet), first)
        assert not torch.allclose(first, second)

    def test_a_new_adapter_on_top_of_a_style_changes_nothing(self, world: World) -> None:
        """VSD and LODS begin from the styled prior: the first push is that of the guidance alone."""
        unet, style = world.pipeline.unet, world.style("diffusers")
        adapter = Adapter(unet, 4, torch.Generator().manual_seed(0))
        with style.worn(1.0):
            styled = noise_of(unet)
            with adapter.active():
                assert torch.equal(noise_of(unet), styled)

    def test_what_an_adapter_learned_and_a_style_add_up_and_leave_each_other_alone(
        self, world: World
    ) -> None:
        """In a network of one layer the changes are W x + B A x + strength * up(down(x)), whoever comes
        first.
        """
        layer = nn.Sequential(nn.Linear(3, 3, bias=False)).requires_grad_(False)
        adapter = Adapter(layer, 2, torch.Generator().manual_seed(0))
        nn.init.constant_(adapter.up["0"].weight, 0.5)
        rng = torch.Generator().manual_seed(1)
        x, down, up = (torch.randn(*shape, generator=rng) for shape in ((4, 3), (2, 3), (3, 2)))
        style = fitted([layer_of("0", down, up)], {"unet": layer}, "a style")
        plain = layer(x)
        with adapter.active():
            learned = layer(x)
            with style.worn(0.5):
                both = layer(x)
        with style.worn(0.5), adapter.active():
            assert torch.equal(layer(x), both)
        torch.testing.assert_close(both - learned, 0.5 * x @ down.T @ up.T)
        assert (learned - plain).abs().max() > 0.1 and torch.equal(layer(x), plain)
        assert set(adapter.state_dict()) == {"down.0.weight", "up.0.weight"}

    def test_gradients_pass_through_it_and_reach_the_adapter_alone(self, world: World) -> None:
        unet, style = world.pipeline.unet, world.style("kohya")
        adapter = Adapter(unet, 4, torch.Generator().manual_seed(0))
        x = torch.ones(1, 4, 8, 8, requires_grad=True)
        with style.worn(1.0), adapter.active():
            unet(x, 10, torch.ones(1, 7, 16)).sample.square().sum().backward()
        assert x.grad.abs().max() > 0 and any(
            layer.weight.grad.abs().max() > 0 for layer in adapter.up.values()
        )
        assert not any(change.down.requires_grad or change.up.requires_grad for change in style.changes)
        assert not any(parameter.requires_grad for parameter in unet.parameters())

    def test_half_precision_layers_get_it_in_half_precision(self, world: World) -> None:
        layer = nn.Sequential(nn.Linear(3, 3)).to(torch.bfloat16)
        style = fitted([layer_of("0", torch.ones(2, 3), torch.ones(3, 2))], {"unet": layer}, "a style")
        with style.worn(1.0):
            assert layer(torch.ones(1, 3, dtype=torch.bfloat16)).dtype == torch.bfloat16

    def test_it_lies_where_the_networks_compute_and_not_where_they_wait(self) -> None:
        layer = nn.Sequential(nn.Linear(3, 3))
        layers = [layer_of("0", torch.ones(2, 3), torch.ones(3, 2))]
        (change,) = fitted(layers, {"unet": layer}, "a style", torch.device("meta")).changes
        assert (change.down.device.type, change.up.device.type) == ("meta", "meta")


def layer_of(name: str, down: Tensor, up: Tensor) -> LoraLayer:
    return LoraLayer("unet", name, down, up, 1.0)


class TestRefusals:
    """Each says which file, what is wrong with it, and what to do."""

    def test_there_is_no_file(self, world: World, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"nowhere\.safetensors cannot be read") as raised:
            load(tmp_path / "nowhere.safetensors", world.networks)
        assert raised.value.remedy

    @pytest.mark.parametrize("protocol", ["zip", "bare"])
    def test_a_pickle_is_not_opened_whatever_it_is_called(
        self, world: World, tmp_path: Path, protocol: str
    ) -> None:
        path = tmp_path / "style.safetensors"
        torch.save({"lora": torch.ones(2)}, path, _use_new_zipfile_serialization=protocol == "zip")
        with pytest.raises(InputError, match="pickle") as raised:
            load(path, world.networks)
        assert "safetensors" in raised.value.remedy

    @pytest.mark.parametrize("content", [b"", b"not tensors at all", "cut"])
    def test_it_is_no_safetensors_file_or_was_cut_short(
        self, world: World, tmp_path: Path, content: bytes | str
    ) -> None:
        path = tmp_path / "style.safetensors"
        path.write_bytes(world.files["kohya"].read_bytes()[:3000] if content == "cut" else content)
        with pytest.raises(FileFormatError, match="no safetensors file, or it was cut short"):
            load(path, world.networks)

    @pytest.mark.parametrize(("names", "message"), [
        (["unet.conv_in.weight"], "no pairs of LoRA matrices"),
        (["unet.conv_in.lora_A.weight"], "no pairs of LoRA matrices"),
        (["lora_unet_x.hada_w1_a", "lora_unet_x.hada_w1_b"], "LoHa"),
        (["lora_unet_x.lokr_w1"], "LoKr"),
        (["lora_unet_x.dora_scale"], "DoRA"),
        (["lora_unet_x.diff"], "kohya's names"),
    ])  # fmt: skip
    def test_it_holds_no_lora(self, world: World, tmp_path: Path, names: list[str], message: str) -> None:
        path = tmp_path / "style.safetensors"
        save_file({name: torch.ones(2, 2) for name in names}, path)
        with pytest.raises(FileFormatError, match=message):
            load(path, world.networks)

    def test_a_lora_of_a_wider_model_names_the_first_layer_and_its_base(
        self, world: World, tmp_path: Path
    ) -> None:
        """The layers are called the same; what cross-attention reads is wider."""
        wider = UNet2DConditionModel(
            sample_size=8, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
                cross_attention_dim=1024,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
                up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            attention_head_dim=2,
        )  # fmt: skip
        path = write_lora(tmp_path / "wide.safetensors", "kohya", random_lora(wider, ("to_k", "to_v"), 0))
        with pytest.raises(InputError) as raised:
            load(path, world.networks)
        assert "wide.safetensors" in raised.value.what and "attn2.to_k" in raised.value.what
        assert "16 x 1024" in raised.value.what and "16 x 16" in raised.value.what
        assert "Stable Diffusion 2.x" in raised.value.what and raised.value.remedy

    @pytest.mark.parametrize(("name", "message"), [
        ("unet.down_blocks.7.attentions.0.to_q", "does not have; it does not tell"),
        ("text_encoder_2.text_model.encoder.layers.0.self_attn.q_proj", "text_encoder_2"),
        ("transformer.single_transformer_blocks.0.attn.to_q", "Flux or Stable Diffusion 3"),
        ("unet.mid_block", "does not have"),
    ])  # fmt: skip
    def test_layers_that_this_prior_does_not_have(
        self, world: World, tmp_path: Path, name: str, message: str
    ) -> None:
        path = tmp_path / "style.safetensors"
        save_file(
            {f"{name}.lora_A.weight": torch.ones(2, 8), f"{name}.lora_B.weight": torch.ones(8, 2)}, path
        )
        with pytest.raises(InputError, match=message):
            load(path, world.networks)

    def test_matrices_that_do_not_go_together(self, world: World, tmp_path: Path) -> None:
        name = "unet.up_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
        save_file(
            {f"{name}.lora_A.weight": torch.ones(2, 16), f"{name}.lora_B.weight": torch.ones(16, 3)},
            tmp_path / "s.safetensors",
        )
        with pytest.raises(InputError, match="does not fit"):
            load(tmp_path / "s.safetensors", world.networks)


def test_a_linear_layer_takes_the_matrices_of_a_one_by_one_convolution_and_the_other_way_round() -> None:
    x, rng = torch.randn(1, 3, 1, 1), torch.Generator().manual_seed(0)
    down, up = torch.randn(2, 3, generator=rng), torch.randn(5, 2, generator=rng)
    linear, conv = nn.Sequential(nn.Linear(3, 5)), nn.Sequential(nn.Conv2d(3, 5, 1))
    conv[0].load_state_dict({"weight": linear[0].weight[..., None, None], "bias": linear[0].bias})
    style_of_linear = fitted(
        [layer_of("0", down[..., None, None], up[..., None, None])], {"unet": linear}, "a style"
    )
    style_of_conv = fitted([layer_of("0", down, up)], {"unet": conv}, "a style")
    with style_of_linear.worn(1.0), style_of_conv.worn(1.0):
        torch.testing.assert_close(conv(x).flatten(1), linear(x.flatten(1)))
