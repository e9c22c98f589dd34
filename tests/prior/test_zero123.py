"""The Zero123-class prior against the published computation, on tiny random pipelines in both published
layouts.
"""

from __future__ import annotations

import importlib
import json
import math
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from diffusers import DDIMScheduler
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.core.cameras import Cameras, orbit_cameras
from engine.core.views import Views
from engine.errors import FileFormatError, InputError, MissingError
from engine.guidance.lods import Lods
from engine.guidance.sds import Sds
from engine.prior.base import CleanViews, Condition, Prompts, TextEmbedding
from engine.prior.capabilities import known_info
from engine.prior.entries import read_entry
from engine.prior.latent.stable_diffusion import load_latent
from engine.prior.memory_savings import recast
from engine.prior.registry import fetch, find_entry, installed, load_prior
from engine.prior.sampling import ddim
from engine.prior.zero123.load import load_zero123
from engine.prior.zero123.prior import Zero123Prior, camera_difference, nearest

KINDS = ("Zero123Pipeline", "Zero1to3StableDiffusionPipeline")
T = torch.tensor([20, 500, 980])


@pytest.fixture(scope="module")
def tiny() -> ModuleType:
    return importlib.import_module("tests.prior.tiny_sight")


@pytest.fixture(scope="module")
def folders(tiny: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Do not write into them."""
    return {kind: tiny.save_tiny_zero123(tmp_path_factory.mktemp("zero123") / kind, kind) for kind in KINDS}


@pytest.fixture(scope="module")
def prior(folders: dict[str, Path]) -> Zero123Prior:
    return load_zero123(folders[KINDS[0]])


@pytest.fixture
def copied(folders: dict[str, Path], tmp_path: Path) -> Path:
    """A pipeline that a test may damage."""
    return Path(shutil.copytree(folders[KINDS[0]], tmp_path / "copy"))


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def orbit(*angles: tuple[float, float], distance: float = 2.0) -> Cameras:
    azimuths, elevations = zip(*angles, strict=True)
    return orbit_cameras(azimuths, elevations, distance, 49.1, 16)


def pictures(count: int, seed: int = 4) -> Views:
    """Discs of random colours on nothing, premultiplied."""
    axis = torch.linspace(-1, 1, 16)
    alpha = ((axis[:, None] ** 2 + axis**2) < 0.6).float()[None, ..., None].expand(count, -1, -1, -1)
    rgb = alpha * torch.rand(count, 16, 16, 3, generator=torch.Generator().manual_seed(seed))
    return Views(rgb, alpha, torch.zeros_like(alpha))


VIEWS = orbit((90, 20), (-30, 5), (180, 50))
GIVEN = orbit((0, 5))


def told(prior: Zero123Prior, clean: CleanViews | None, cameras: Cameras | None = VIEWS) -> Condition:
    return Condition(prior.embed(""), cameras, clean)


def published_eps(
    prior: Zero123Prior, folder: Path, x_t: Tensor, t: Tensor, white: Tensor, angles: list
) -> tuple[Tensor, Tensor]:
    """The unconditional and the conditional noise, as the published pipeline computes them from one picture
    over white.
    """
    vae = prior.parts.space.vae
    embedding = prior.eye.encoder(prior.eye.prepare(white)).image_embeds[:, None]
    way = [
        (math.radians(5 - el), math.sin(math.radians(az)), math.cos(math.radians(az)), 0.0)
        for az, el in angles
    ]
    tokens = torch.cat([embedding.expand(len(way), -1, -1), torch.tensor(way)[:, None]], dim=-1)
    (path,) = [path for path in folder.glob("c*_projection/*.safetensors")]
    weight, bias = (
        next(v for name, v in load_file(path).items() if name.endswith(end)) for end in ("weight", "bias")
    )
    tokens = tokens @ weight.T + bias
    latents = vae.encode(2 * white.permute(0, 3, 1, 2) - 1).latent_dist.mode().expand(len(way), -1, -1, -1)

    def network(picture: Tensor, words: Tensor) -> Tensor:
        return prior.network(torch.cat([x_t, picture], dim=1), t, encoder_hidden_states=words).sample

    return network(0 * latents, 0 * tokens), network(latents, tokens)


@pytest.mark.parametrize("kind", KINDS)
def test_sampling_is_that_of_the_published_pipeline(folders: dict[str, Path], kind: str) -> None:
    """Picture, camera, projection, network, guidance and schedule, end to end: the same latents from the same
    noise.
    """
    prior, views = load_zero123(folders[kind]), pictures(1)
    scheduler = DDIMScheduler.from_pretrained(folders[kind] / "scheduler")
    scheduler.set_timesteps(4)
    white = views.rgb + 1 - views.alpha
    expected = start = noise(3, 4, 8, 8, seed=1)
    for time in scheduler.timesteps:
        branches = published_eps(
            prior, folders[kind], expected, time.expand(3), white, [(90, 20), (-30, 5), (180, 50)]
        )
        guided = branches[0] + 3.0 * (branches[1] - branches[0])
        expected = scheduler.step(guided, time, expected).prev_sample
    clean = prior.clean_views(views, GIVEN)
    prompts = Prompts(told(prior, clean), told(prior, None))
    *_, found = ddim(prior, prompts, start, scheduler.timesteps.tolist(), 3.0)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3 * expected.abs().max().item())


class TestCamera:
    def test_an_example_by_hand(self) -> None:
        """From 5 degrees high at the front to 20 degrees high at the side: the polar angle shrinks by 15
        degrees.
        """
        found = camera_difference(orbit((90, 20)), orbit((0, 5)))[0].double()
        assert found.tolist() == pytest.approx([-math.radians(15), 1, 0, 0], abs=1e-5)

    def test_stable_zero123_is_told_the_height_of_the_picture(self) -> None:
        found = camera_difference(orbit((90, 20), distance=3.0), orbit((0, 5)), stable=True)[0].double()
        assert found.tolist() == pytest.approx([-math.radians(15), 1, 0, math.radians(85)], abs=1e-5)

    @pytest.mark.parametrize("turn", [0.0, 77.0, 360.0, -720.0])
    def test_only_the_difference_of_azimuths_counts(self, turn: float) -> None:
        there, here = orbit((40 + turn, 30), distance=2.5), orbit((-20 + turn, -10))
        found = camera_difference(there, here)[0].double()
        turned = math.radians(60)
        assert found.tolist() == pytest.approx(
            [-math.radians(40), math.sin(turned), math.cos(turned), 0.5], abs=1e-5
        )

    def test_the_same_camera_is_no_way(self) -> None:
        assert camera_difference(VIEWS, VIEWS).double() == pytest.approx(
            torch.tensor([[0, 0, 1, 0]] * 3).double().numpy(), abs=1e-5
        )

    def test_the_nearest_picture_is_by_angle(self) -> None:
        given = orbit((0, 0), (100, 0), (-100, 60))
        assert nearest(orbit((10, 0), (95, 20), (-100, 30), (150, 0)), given).tolist() == [0, 1, 2, 1]


class TestPredicting:
    def test_each_view_is_drawn_from_the_picture_that_is_nearest(self, prior: Zero123Prior) -> None:
        x_t, views = noise(3, 4, 8, 8), pictures(2)
        cameras = orbit((0, 5), (170, 5))
        clean = prior.clean_views(views, cameras)
        found = prior.predict(x_t, T, told(prior, clean)).eps
        single = [CleanViews(clean.x[[i]], cameras[[i]], clean.tokens[[i]]) for i in (0, 1)]
        for view, chosen in enumerate((1, 0, 1)):
            alone = Condition(prior.embed(""), VIEWS[[view]], single[chosen])
            expected = prior.predict(x_t[[view]], T[[view]], alone).eps
            torch.testing.assert_close(found[[view]], expected, rtol=1e-4, atol=1e-5)
            other = Condition(prior.embed(""), VIEWS[[view]], single[1 - chosen])
            assert not torch.allclose(expected, prior.predict(x_t[[view]], T[[view]], other).eps, atol=1e-4)

    def test_without_a_picture_the_camera_says_nothing(self, prior: Zero123Prior) -> None:
        x_t = noise(3, 4, 8, 8)
        assert torch.equal(
            prior.predict(x_t, T, told(prior, None)).eps, prior.predict(x_t, T, told(prior, None, None)).eps
        )
        with pytest.raises(InputError, match="from where"):
            prior.predict(x_t, T, told(prior, prior.clean_views(pictures(1), GIVEN), None))

    def test_the_camera_and_the_picture_matter(self, prior: Zero123Prior) -> None:
        x_t, clean = noise(3, 4, 8, 8), prior.clean_views(pictures(1), GIVEN)
        here = prior.predict(x_t, T, told(prior, clean)).eps
        assert not torch.allclose(
            here, prior.predict(x_t, T, told(prior, clean, VIEWS[[1, 2, 0]])).eps, atol=1e-5
        )
        other = prior.clean_views(pictures(1, seed=9), GIVEN)
        assert not torch.allclose(here, prior.predict(x_t, T, told(prior, other)).eps, atol=1e-4)

    def test_stable_zero123_answers_otherwise_from_another_height_of_the_picture(
        self, folders: dict[str, Path]
    ) -> None:
        """Moving both cameras up changes no difference; what is left is the fourth number."""
        x_t = noise(1, 4, 8, 8)
        for stable in (False, True):
            prior = load_zero123(folders[KINDS[0]], stable=stable)
            answers = [
                prior.predict(
                    x_t,
                    T[:1],
                    told(prior, prior.clean_views(pictures(1), orbit((0, low))), orbit((60, low + 20))),
                ).eps
                for low in (0.0, 30.0)
            ]
            assert torch.allclose(*answers, atol=1e-5) != stable

    def test_views_worked_off_in_turn_are_the_same_views(
        self, folders: dict[str, Path], prior: Zero123Prior
    ) -> None:
        chunked, x_t = load_zero123(folders[KINDS[0]], max_views_per_call=2), noise(3, 4, 8, 8)
        clean = prior.clean_views(pictures(1), GIVEN)
        expected = prior.predict(x_t, T, told(prior, clean)).eps
        torch.testing.assert_close(
            chunked.predict(x_t, T, told(prior, clean)).eps, expected, rtol=1e-4, atol=1e-5
        )

    def test_gradients_arrive_and_the_parts_recombine(self, prior: Zero123Prior) -> None:
        x_t, tokens = noise(3, 4, 8, 8).requires_grad_(), torch.zeros(1, 1, 16).requires_grad_()
        clean = prior.clean_views(pictures(1), GIVEN)
        found = prior.predict(x_t, T, Condition(TextEmbedding(tokens), VIEWS, clean))
        torch.testing.assert_close(prior.schedule.add_noise(found.x0, found.eps, T), x_t, rtol=0, atol=1e-3)
        found.eps.square().sum().backward()
        assert x_t.grad.abs().max() > 0 and tokens.grad.abs().max() > 0
        assert not any(
            weight.requires_grad
            for network in prior.parts.networks.values()
            for weight in network.parameters()
        )

    def test_words_change_nothing(self, prior: Zero123Prior) -> None:
        assert (
            torch.equal(prior.embed("a mug").tokens, prior.embed("").tokens)
            and not prior.embed("").tokens.any()
        )

    @pytest.mark.parametrize(
        "method", [Sds(guidance_scale=3.0), Lods(guidance_scale=3.0)], ids=["sds", "lods"]
    )
    def test_guidance_methods_push_off_from_no_picture(self, prior: Zero123Prior, method: Any) -> None:
        clean, rng = prior.clean_views(pictures(1), GIVEN), torch.Generator().manual_seed(0)
        prompts = Prompts(told(prior, clean), told(prior, None))
        x = noise(3, 4, 8, 8).requires_grad_()
        out = method.loss(x, T, prompts, prior, method.init(prior, prompts, rng), rng)
        out.loss.backward()
        assert x.grad.isfinite().all() and x.grad.abs().max() > 0

    def test_half_precision_answers_nearly_the_same(
        self, folders: dict[str, Path], prior: Zero123Prior
    ) -> None:
        half, x_t = load_zero123(folders[KINDS[0]]), noise(3, 4, 8, 8)
        recast(half, "bf16")
        expected = prior.predict(x_t, T, told(prior, prior.clean_views(pictures(1), GIVEN))).eps
        found = half.predict(x_t, T, told(half, half.clean_views(pictures(1), GIVEN))).eps
        assert found.dtype == torch.float32 and half.eye.encoder.dtype == torch.bfloat16
        assert (found - expected).abs().mean() < 0.05 * expected.abs().mean()


class TestFolder:
    def test_what_it_says_of_itself_and_what_is_known_before(self, prior: Zero123Prior) -> None:
        info = prior.info
        assert (
            info.needs_images
            and info.takes_images
            and info.takes_cameras
            and not info.joint_views
            and not info.reads_words
        )
        for name in ("zero123-xl", "stable-zero123"):
            known = known_info(find_entry(name))
            flags = {field for field, value in vars(info).items() if isinstance(value, bool) and value}
            assert {
                field for field, value in vars(known).items() if isinstance(value, bool) and value
            } == flags
        assert "non-commercial" in find_entry("stable-zero123").licence

    def test_one_without_a_feature_extractor_prepares_as_clip_does(
        self, copied: Path, tiny: ModuleType
    ) -> None:
        tiny.change_index(copied, feature_extractor=[None, None])
        assert load_zero123(copied).eye.prepare.side == 224

    @pytest.mark.parametrize("part", ["image_encoder", "clip_camera_projection", "unet"])
    def test_weights_are_missing(self, copied: Path, part: str) -> None:
        next((copied / part).glob("*.safetensors")).unlink()
        with pytest.raises(MissingError, match=rf"{part}/\*\.safetensors"):
            load_zero123(copied)

    def test_the_layer_for_the_camera_has_another_size(self, copied: Path) -> None:
        path = next((copied / "clip_camera_projection").glob("*.safetensors"))
        save_file({**load_file(path), "proj.bias": torch.zeros(3)}, path, metadata={"format": "pt"})
        with pytest.raises(FileFormatError, match=r"one layer from 20 to 16"):
            load_zero123(copied)

    def test_weights_were_cut_short(self, copied: Path) -> None:
        path = next((copied / "image_encoder").glob("*.safetensors"))
        path.write_bytes(path.read_bytes()[:3000])
        with pytest.raises(FileFormatError, match=r"image_encoder in .* cannot be read"):
            load_zero123(copied)

    def test_other_kinds_of_pipeline(self, copied: Path, tiny_pipelines: dict[str, Path]) -> None:
        with pytest.raises(FileFormatError, match=r"holds a StableDiffusionPipeline"):
            load_zero123(tiny_pipelines["epsilon"])
        with pytest.raises(FileFormatError, match="Zero123Pipeline"):
            load_latent(copied)
        shutil.rmtree(copied / "unet")
        shutil.copytree(tiny_pipelines["epsilon"] / "unet", copied / "unet")
        with pytest.raises(FileFormatError, match="takes 4 channels; Zero123's takes 8"):
            load_zero123(copied)

    def test_it_is_fetched_with_all_parts_and_loaded_by_name(
        self, folders: dict[str, Path], tmp_path: Path, fake_hub: Any
    ) -> None:
        entry = {
            "id": "tiny",
            "title": "Tiny",
            "family": "stable-zero123",
            "source": "somebody/tiny",
            "revision": "main",
        }
        entry |= {
            "unpinned": True,
            "size_mb": 1,
            "licence": "CC0",
            "resolution": 16,
            "default_guidance_scale": 3.0,
        }
        lines = [f"{name} = {json.dumps(value)}" for name, value in entry.items()]
        (tmp_path / "tiny.toml").write_text("\n".join(lines), encoding="utf-8")
        with pytest.raises(MissingError, match="--fetch tiny"):
            load_prior("tiny", "cpu", tmp_path)
        fake_hub.repositories["somebody/tiny"] = folders[KINDS[0]]
        place = fetch(read_entry(tmp_path / "tiny.toml"))
        assert installed(read_entry(tmp_path / "tiny.toml")) and (place / "feature_extractor").exists()
        prior = load_prior("tiny", "cpu", tmp_path)
        assert (
            isinstance(prior, Zero123Prior)
            and prior.projection.stable
            and prior.info.default_guidance_scale == 3.0
        )
