"""The MVDream-class prior: names, network and cameras against independent twins, on a tiny pipeline in the
Hub's layout.
"""

from __future__ import annotations

import importlib
import json
import shutil
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.core.cameras import Cameras, orbit_cameras
from engine.core.views import Views
from engine.errors import FileFormatError, InputError, MissingError
from engine.prior.base import Condition, TextEmbedding
from engine.prior.latent.stable_diffusion import load_latent
from engine.prior.mvdream.names import diffusers_name, unet_config
from engine.prior.mvdream.prior import MvdreamPrior, camera_numbers, load_mvdream
from engine.prior.trainable_lora import adapter_on

T = torch.full((4,), 500)


@pytest.fixture(scope="module")
def tiny() -> ModuleType:
    return importlib.import_module("tests.prior.tiny_mvdream")


@pytest.fixture(scope="module")
def folder(tiny: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Do not write into it."""
    return tiny.save_tiny_mvdream(tmp_path_factory.mktemp("mvdream") / "pipeline")


@pytest.fixture(scope="module")
def prior(folder: Path) -> MvdreamPrior:
    return load_mvdream(folder)


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    """A pipeline that a test may damage."""
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def orbit(count: int = 4, azimuth: float = 0.0, elevation: float = 15.0, distance: float = 3.0) -> Cameras:
    return orbit_cameras([azimuth + 360 * i / count for i in range(count)], elevation, distance, 40.0, 16)


def told(prior: MvdreamPrior, prompt: str, cameras: Cameras) -> Condition:
    return Condition(prior.embed(prompt), cameras)


class TestNetwork:
    def test_it_answers_as_the_published_network(self, tiny: ModuleType, prior: MvdreamPrior) -> None:
        x_t, cameras, text = noise(4, 4, 8, 8), orbit(), prior.embed("a mug")
        expected = tiny.published_twin()(
            x_t, T, text.tokens.expand(4, -1, -1), camera_numbers(cameras).float()
        )
        torch.testing.assert_close(
            prior.predict(x_t, T, Condition(text, cameras)).eps, expected, rtol=1e-4, atol=1e-5
        )

    def test_the_views_see_each_other(self, tiny: ModuleType, prior: MvdreamPrior) -> None:
        x_t, cameras = noise(4, 4, 8, 8), orbit()
        condition = told(prior, "a mug", cameras)
        together = prior.predict(x_t, T, condition).eps
        other = torch.cat([x_t[:3], noise(1, 4, 8, 8, seed=9)])
        assert not torch.allclose(prior.predict(other, T, condition).eps[:3], together[:3], atol=1e-5)
        alone = tiny.published_twin()(
            x_t, T, condition.text.tokens.expand(4, -1, -1), camera_numbers(cameras).float(), joint=False
        )
        assert not torch.allclose(together, alone, atol=1e-5)

    def test_their_order_does_not_matter(self, prior: MvdreamPrior) -> None:
        x_t, order = noise(4, 4, 8, 8), torch.tensor([2, 0, 3, 1])
        cameras, text = orbit(), prior.embed("a mug")
        straight = prior.predict(x_t, T, Condition(text, cameras)).eps
        shuffled = prior.predict(x_t[order], T, Condition(text, cameras[order])).eps
        torch.testing.assert_close(shuffled, straight[order], rtol=1e-4, atol=1e-5)

    def test_eight_views_are_two_objects_of_four(self, prior: MvdreamPrior) -> None:
        x_t, t, text = noise(8, 4, 8, 8), T.repeat(2), prior.embed("a mug")
        low, high = orbit(elevation=5.0), orbit(elevation=25.0, azimuth=30.0)
        both = Cameras(torch.cat([low.c2w, high.c2w]), torch.cat([low.K, high.K]), 16, 16)
        found = prior.predict(x_t, t, Condition(text, both)).eps
        apart = [
            prior.predict(part, T, Condition(text, cameras)).eps
            for part, cameras in ((x_t[:4], low), (x_t[4:], high))
        ]
        torch.testing.assert_close(found, torch.cat(apart))

    @pytest.mark.parametrize("count", [1, 2, 4, 6])
    def test_any_number_of_views_has_an_answer(self, prior: MvdreamPrior, count: int) -> None:
        prediction = prior.predict(
            noise(count, 4, 8, 8), torch.full((count,), 300), told(prior, "", orbit(count))
        )
        assert prediction.eps.shape == prediction.x0.shape == (count, 4, 8, 8)

    def test_the_camera_matters_and_is_needed(self, prior: MvdreamPrior) -> None:
        x_t = noise(4, 4, 8, 8)
        here, there = (
            prior.predict(x_t, T, told(prior, "a mug", orbit(azimuth=angle))).eps for angle in (0.0, 45.0)
        )
        assert not torch.allclose(here, there, atol=1e-5)
        with pytest.raises(InputError, match="from where"):
            prior.predict(x_t, T, Condition(prior.embed("a mug")))

    def test_noise_and_clean_picture_recombine_and_gradients_arrive(self, prior: MvdreamPrior) -> None:
        x_t, tokens = noise(4, 4, 8, 8).requires_grad_(), prior.embed("a mug").tokens.clone().requires_grad_()
        found = prior.predict(x_t, T, Condition(TextEmbedding(tokens), orbit()))
        torch.testing.assert_close(prior.schedule.add_noise(found.x0, found.eps, T), x_t, rtol=0, atol=2e-5)
        found.eps.square().sum().backward()
        assert x_t.grad.abs().max() > 0 and tokens.grad.abs().max() > 0
        assert not any(weight.requires_grad for weight in prior.network.parameters())

    def test_slices_of_attention_and_adapters_keep_the_views_together(
        self, folder: Path, prior: MvdreamPrior
    ) -> None:
        other, x_t = load_mvdream(folder), noise(4, 4, 8, 8)
        expected = prior.predict(x_t, T, told(prior, "a mug", orbit())).eps
        other.network.set_attention_slice("max")
        torch.testing.assert_close(
            other.predict(x_t, T, told(other, "a mug", orbit())).eps, expected, rtol=1e-4, atol=1e-5
        )
        adapter = adapter_on(other, 2, torch.Generator().manual_seed(0))
        with adapter.active():
            torch.testing.assert_close(
                other.predict(x_t, T, told(other, "a mug", orbit())).eps, expected, rtol=1e-4, atol=1e-5
            )

    def test_pictures_and_words_go_the_way_of_stable_diffusion(
        self, prior: MvdreamPrior, tiny_pipelines: dict[str, Path]
    ) -> None:
        plain = load_latent(tiny_pipelines["epsilon"])
        rgb = torch.rand(2, 16, 16, 3, generator=torch.Generator().manual_seed(2))
        views = Views(rgb, torch.ones_like(rgb[..., :1]), torch.zeros_like(rgb[..., :1]))
        torch.testing.assert_close(prior.encode(views), plain.encode(views))
        torch.testing.assert_close(
            prior.decode(prior.encode(views)).rgb, plain.decode(plain.encode(views)).rgb
        )
        torch.testing.assert_close(prior.embed("a mug").tokens, plain.embed("a mug").tokens)

    def test_what_it_says_of_itself(self, prior: MvdreamPrior) -> None:
        info = prior.info
        assert info.takes_cameras and info.joint_views and info.orbit_views == 4 and not info.wants_view_words
        assert (info.resolution, info.channels) == (16, "rgb")
        assert info.distance * np.tan(np.radians(info.fov_deg / 2)) == pytest.approx(1.0)
        assert info.worded("a mug") == "a mug, 3d asset" == info.worded("a mug, 3d asset")


class TestNames:
    def test_every_published_tensor_has_a_place_of_its_own(
        self, tiny: ModuleType, prior: MvdreamPrior
    ) -> None:
        published = tiny.published_twin().state_dict()
        renamed = {
            diffusers_name(name, tiny.CONFIG["num_res_blocks"]): value.shape
            for name, value in published.items()
        }
        assert renamed == {name: value.shape for name, value in prior.network.state_dict().items()}

    @pytest.mark.parametrize(
        ("published", "ours"),
        [
            ("time_embed.2.weight", "time_embedding.linear_2.weight"),
            ("camera_embed.0.bias", "class_embedding.linear_1.bias"),
            ("input_blocks.0.0.weight", "conv_in.weight"),
            (
                "input_blocks.2.1.transformer_blocks.0.attn1.to_q.weight",
                "down_blocks.0.attentions.1.transformer_blocks.0.attn1.to_q.weight",
            ),
            ("input_blocks.6.0.op.bias", "down_blocks.1.downsamplers.0.conv.bias"),
            ("input_blocks.11.0.out_layers.3.weight", "down_blocks.3.resnets.1.conv2.weight"),
            ("middle_block.1.proj_in.weight", "mid_block.attentions.0.proj_in.weight"),
            ("output_blocks.2.1.conv.weight", "up_blocks.0.upsamplers.0.conv.weight"),
            ("output_blocks.5.2.conv.weight", "up_blocks.1.upsamplers.0.conv.weight"),
            ("output_blocks.11.0.skip_connection.weight", "up_blocks.3.resnets.2.conv_shortcut.weight"),
            ("out.2.bias", "conv_out.bias"),
        ],
    )
    def test_some_by_hand_for_two_blocks_a_level(self, published: str, ours: str) -> None:
        assert diffusers_name(published, blocks=2) == ours

    @pytest.mark.parametrize(
        "name",
        [
            "image_embed.latents",
            "time_embed.1.weight",
            "middle_block.7.x.y",
            "input_blocks.a.0.b",
            "out.1.bias",
        ],
    )
    def test_strange_names_are_refused(self, name: str) -> None:
        with pytest.raises(ValueError, match="no tensor of this network"):
            diffusers_name(name, blocks=2)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"ip_dim": 16}, "ip_dim 16"),
            ({"resblock_updown": True}, "another network"),
            ({"camera_dim": None}, "lacks camera_dim"),
        ],
    )
    def test_other_networks_of_the_same_class_are_refused(
        self, tiny: ModuleType, change: dict, message: str
    ) -> None:
        config = {name: value for name, value in {**tiny.CONFIG, **change}.items() if value is not None}
        with pytest.raises(ValueError, match=message):
            unet_config(config)


class TestCameras:
    @staticmethod
    def published(azimuth_deg: float, elevation_deg: float) -> np.ndarray:
        """MVDream's camera at these angles from its own definition: OpenGL axes, y up, then turned to
        Blender's z up.
        """
        azimuth, elevation = np.radians([azimuth_deg, elevation_deg])
        position = np.array(
            [np.cos(elevation) * np.sin(azimuth), np.sin(elevation), np.cos(elevation) * np.cos(azimuth)]
        )
        right = np.cross(-position, [0.0, 1.0, 0.0])
        right /= np.linalg.norm(right)
        c2w = np.eye(4)
        c2w[:3] = np.stack([right, np.cross(right, -position), position, position], axis=1)
        to_blender = np.array([[1, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1.0]])
        return (to_blender @ c2w).reshape(16)

    @pytest.mark.parametrize("distance", [0.7, 3.0])
    @pytest.mark.parametrize(("azimuth", "elevation"), [(0, 0), (90, 15), (-40, 30), (200, -20)])
    def test_the_published_azimuth_is_a_quarter_turn_ahead(
        self, azimuth: float, elevation: float, distance: float
    ) -> None:
        found = camera_numbers(orbit_cameras([azimuth], elevation, distance, 40.0, 16))[0].numpy()
        np.testing.assert_allclose(found, self.published(azimuth + 90, elevation), atol=1e-6)

    def test_our_front_is_the_view_that_it_draws_as_the_front(self) -> None:
        """Of the published four views from azimuth 0, the second: azimuth 90, from +x."""
        numbers = camera_numbers(orbit_cameras([0.0], 0.0, 2.0, 40.0, 16))[0].view(4, 4)
        torch.testing.assert_close(
            numbers[:3, 3].double(), torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
        )
        np.testing.assert_allclose(numbers.reshape(16).numpy(), self.published(90.0, 0.0), atol=1e-6)


class TestFolder:
    def test_published_code_is_not_run(self, copied: Path) -> None:
        (copied / "unet" / "mv_unet.py").write_text("import nowhere", encoding="utf-8")
        load_mvdream(copied)

    def test_half_precision_alone_is_found(self, copied: Path, prior: MvdreamPrior) -> None:
        for path in copied.glob("*/*.safetensors"):
            half = {
                name: tensor.half() if tensor.is_floating_point() else tensor
                for name, tensor in load_file(path).items()
            }
            save_file(
                half,
                path.with_name(path.name.replace(".safetensors", ".fp16.safetensors")),
                metadata={"format": "pt"},
            )
            path.unlink()
        found, x_t = load_mvdream(copied), noise(4, 4, 8, 8)
        assert found.network.dtype == torch.float32
        expected = prior.predict(x_t, T, told(prior, "a mug", orbit())).eps
        torch.testing.assert_close(
            found.predict(x_t, T, told(found, "a mug", orbit())).eps, expected, rtol=0, atol=2e-2
        )

    def test_weights_lack_a_tensor(self, copied: Path) -> None:
        path = copied / "unet" / "diffusion_pytorch_model.safetensors"
        tensors = load_file(path)
        del tensors["camera_embed.0.bias"]
        save_file(tensors, path, metadata={"format": "pt"})
        with pytest.raises(
            FileFormatError,
            match=r"weights of unet .* lack 1 tensors, among them class_embedding\.linear_1\.bias",
        ):
            load_mvdream(copied)

    def test_weights_have_another_size(self, copied: Path) -> None:
        path = copied / "unet" / "diffusion_pytorch_model.safetensors"
        save_file({**load_file(path), "camera_embed.0.bias": torch.zeros(3)}, path, metadata={"format": "pt"})
        with pytest.raises(FileFormatError, match="unet"):
            load_mvdream(copied)

    def test_weights_are_of_imagedream(self, copied: Path) -> None:
        config = copied / "unet" / "config.json"
        config.write_text(
            json.dumps({**json.loads(config.read_text(encoding="utf-8")), "ip_dim": 16}), encoding="utf-8"
        )
        with pytest.raises(FileFormatError, match="ip_dim 16"):
            load_mvdream(copied)

    def test_weights_were_cut_short(self, copied: Path) -> None:
        weights = copied / "unet" / "diffusion_pytorch_model.safetensors"
        weights.write_bytes(weights.read_bytes()[:5000])
        with pytest.raises(FileFormatError, match=r"unet in .* cannot be read"):
            load_mvdream(copied)

    def test_a_file_is_missing(self, copied: Path) -> None:
        (copied / "unet" / "diffusion_pytorch_model.safetensors").unlink()
        with pytest.raises(MissingError, match="unet"):
            load_mvdream(copied)

    def test_it_is_another_kind_of_pipeline(self, tiny_pipelines: dict[str, Path]) -> None:
        with pytest.raises(FileFormatError, match="StableDiffusionPipeline"):
            load_mvdream(tiny_pipelines["epsilon"])
