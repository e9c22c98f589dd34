"""The ImageDream-class prior against an independent twin, on a tiny pipeline in the Hub's layout."""

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
from torch import Tensor

from engine.core.cameras import Cameras, orbit_cameras
from engine.core.views import Views
from engine.errors import FileFormatError, InputError, MissingError
from engine.prior.base import CleanViews, Condition
from engine.prior.capabilities import known_info
from engine.prior.imagedream.prior import ImageDreamPrior, camera_numbers, load_imagedream
from engine.prior.memory_savings import footprint_of, networks_of
from engine.prior.mvdream.prior import load_mvdream
from engine.prior.registry import find_entry

T = torch.full((4,), 500)


@pytest.fixture(scope="module")
def tiny() -> ModuleType:
    return importlib.import_module("tests.prior.tiny_imagedream")


@pytest.fixture(scope="module")
def folder(tiny: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Do not write into it."""
    return tiny.save_tiny_imagedream(tmp_path_factory.mktemp("imagedream") / "pipeline")


@pytest.fixture(scope="module")
def prior(folder: Path) -> ImageDreamPrior:
    return load_imagedream(folder)


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    """A pipeline that a test may damage."""
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def orbit(front: float = 0.0) -> Cameras:
    return orbit_cameras([front + 90 * i for i in range(4)], 15.0, 3.0, 40.0, 16)


def seen_by(prior: ImageDreamPrior, front: float = 0.0, seed: int = 4) -> CleanViews:
    rgb = torch.rand(1, 16, 16, 3, generator=torch.Generator().manual_seed(seed))
    views = Views(rgb, torch.ones_like(rgb[..., :1]), torch.zeros_like(rgb[..., :1]))
    return prior.clean_views(views, orbit_cameras([front], 10.0, 3.0, 40.0, 16))


class TestNetwork:
    @pytest.mark.parametrize("seen", [True, False], ids=["picture", "none"])
    def test_it_answers_as_the_published_network(
        self, tiny: ModuleType, prior: ImageDreamPrior, seen: bool
    ) -> None:
        x_t, cameras, text = noise(4, 4, 8, 8), orbit(), prior.embed("a mug")
        clean = seen_by(prior)
        patches, picture = (clean.tokens, clean.x) if seen else (0 * clean.tokens, 0 * clean.x)
        expected = tiny.published_twin().see(
            x_t, T, text.tokens, camera_numbers(cameras, 0.0).float(), patches, picture
        )
        found = prior.predict(x_t, T, Condition(text, cameras, clean if seen else None)).eps
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)

    def test_the_picture_is_seen_by_patch_and_by_vae(self, prior: ImageDreamPrior) -> None:
        clean, rgb = seen_by(prior), torch.rand(1, 16, 16, 3, generator=torch.Generator().manual_seed(4))
        hidden = prior.eye.encoder(prior.eye.prepare(rgb), output_hidden_states=True).hidden_states[-2]
        torch.testing.assert_close(clean.tokens, hidden)
        vae = prior.parts.space.vae
        latents = vae.encode(2 * rgb.permute(0, 3, 1, 2) - 1).latent_dist.mode() * vae.config.scaling_factor
        torch.testing.assert_close(clean.x, latents)

    @pytest.mark.parametrize("part", ["x", "tokens"])
    def test_both_ways_of_seeing_matter(self, prior: ImageDreamPrior, part: str) -> None:
        x_t, clean, other = noise(4, 4, 8, 8), seen_by(prior), seen_by(prior, seed=9)
        swapped = CleanViews(
            **{"x": clean.x, "cameras": clean.cameras, "tokens": clean.tokens, part: getattr(other, part)}
        )
        answers = [
            prior.predict(x_t, T, Condition(prior.embed(""), orbit(), seen)).eps for seen in (clean, swapped)
        ]
        assert not torch.allclose(*answers, atol=1e-5)

    def test_turning_everything_changes_nothing(self, prior: ImageDreamPrior) -> None:
        """The picture shows the front, wherever that is in our world."""
        x_t, text = noise(4, 4, 8, 8), prior.embed("")
        here = prior.predict(x_t, T, Condition(text, orbit(), seen_by(prior))).eps
        there = prior.predict(x_t, T, Condition(text, orbit(130), seen_by(prior, 130))).eps
        torch.testing.assert_close(here, there, rtol=1e-3, atol=1e-5)
        assert not torch.allclose(
            here, prior.predict(x_t, T, Condition(text, orbit(130), seen_by(prior))).eps, atol=1e-5
        )

    def test_eight_views_are_two_objects_of_four(self, prior: ImageDreamPrior) -> None:
        x_t, text, clean, (low, high) = (
            noise(8, 4, 8, 8),
            prior.embed(""),
            seen_by(prior),
            (orbit(), orbit(45)),
        )
        both = Cameras(torch.cat([low.c2w, high.c2w]), torch.cat([low.K, high.K]), 16, 16)
        apart = [
            prior.predict(x, T, Condition(text, at, clean)).eps for x, at in ((x_t[:4], low), (x_t[4:], high))
        ]
        torch.testing.assert_close(
            prior.predict(x_t, T.repeat(2), Condition(text, both, clean)).eps, torch.cat(apart)
        )

    def test_gradients_arrive_and_cameras_are_needed(self, prior: ImageDreamPrior) -> None:
        x_t, clean = noise(4, 4, 8, 8).requires_grad_(), seen_by(prior)
        prior.predict(x_t, T, Condition(prior.embed(""), orbit(), clean)).eps.square().sum().backward()
        assert x_t.grad.abs().max() > 0 and not any(
            weight.requires_grad for weight in prior.network.parameters()
        )
        with pytest.raises(InputError, match="from where"):
            prior.predict(x_t.detach(), T, Condition(prior.embed(""), None, clean))


class TestCameras:
    @pytest.mark.parametrize(
        ("azimuth", "elevation", "front"), [(0, 0, 0), (90, 15, 0), (70, 30, 100), (-150, -5, 60)]
    )
    def test_angles_beside_the_picture(self, azimuth: float, elevation: float, front: float) -> None:
        """OpenGL axes at the angle from +x, on the unit sphere, +z up."""
        turned, height = np.radians([azimuth - front, elevation])
        position = np.array(
            [np.cos(height) * np.cos(turned), np.cos(height) * np.sin(turned), np.sin(height)]
        )
        right = np.cross(-position, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        c2w = np.eye(4)
        c2w[:3] = np.stack([right, np.cross(right, -position), position, position], axis=1)
        found = camera_numbers(orbit_cameras([azimuth], float(elevation), 2.2, 40.0, 16), front)[0].numpy()
        np.testing.assert_allclose(found, c2w.reshape(16), atol=1e-6)


class TestFolder:
    def test_what_it_says_of_itself_and_what_is_known_before(self, prior: ImageDreamPrior) -> None:
        info, known = prior.info, known_info(find_entry("imagedream"))
        assert info.needs_images and info.joint_views and info.orbit_views == 4 and info.reads_words
        assert known.needs_images and known.joint_views and known.takes_cameras and known.reads_words
        assert info.worded("a mug") == "a mug, 3d asset" and info.worded("") == ""

    def test_all_its_networks_are_counted(self, prior: ImageDreamPrior) -> None:
        assert set(networks_of(prior)) == {"denoiser", "vae", "text_encoder", "image_encoder"}
        assert footprint_of(prior).weights == 4 * sum(
            p.numel() for n in networks_of(prior).values() for p in n.parameters()
        )

    def test_weights_lack_a_tensor(self, copied: Path) -> None:
        path = copied / "unet" / "diffusion_pytorch_model.safetensors"
        tensors = load_file(path)
        del tensors["image_embed.latents"]
        save_file(tensors, path, metadata={"format": "pt"})
        with pytest.raises(FileFormatError, match=r"lack 1 tensors, among them image_embed\.latents"):
            load_imagedream(copied)

    def test_the_image_encoder_is_missing(self, copied: Path) -> None:
        shutil.rmtree(copied / "image_encoder")
        with pytest.raises(MissingError, match=r"image_encoder/\*\.safetensors"):
            load_imagedream(copied)

    @pytest.mark.parametrize(
        ("change", "message"), [({"ip_dim": 0}, "sees no picture"), ({"ip_weight": 0.5}, "ip_weight 0.5")]
    )
    def test_other_networks_of_the_same_class_are_refused(
        self, copied: Path, change: dict, message: str
    ) -> None:
        config = copied / "unet" / "config.json"
        config.write_text(
            json.dumps({**json.loads(config.read_text(encoding="utf-8")), **change}), encoding="utf-8"
        )
        with pytest.raises(FileFormatError, match=message):
            load_imagedream(copied)

    def test_text_and_picture_models_are_told_apart(self, folder: Path, tmp_path: Path) -> None:
        with pytest.raises(FileFormatError, match="ip_dim 3"):
            load_mvdream(folder)
        text = importlib.import_module("tests.prior.tiny_mvdream").save_tiny_mvdream(tmp_path / "text")
        with pytest.raises(FileFormatError, match="no image_encoder"):
            load_imagedream(text)
