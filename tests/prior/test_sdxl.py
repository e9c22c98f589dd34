"""The SDXL prior against diffusers itself, on a tiny random pipeline in the Hub's layout."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffusers import DDIMScheduler, StableDiffusionXLPipeline
from safetensors.torch import load_file, save_file

from engine.core.views import Views
from engine.errors import FileFormatError, MissingError
from engine.prior.base import Condition, Prompts
from engine.prior.latent.loading import dtype_for
from engine.prior.latent.prior import LatentPrior
from engine.prior.latent.sdxl import load_sdxl
from engine.prior.latent.unet import PictureSize
from engine.prior.sampling import ddim

T = torch.tensor([20, 500, 980])


@pytest.fixture(scope="module")
def folder(save_sdxl: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_sdxl(tmp_path_factory.mktemp("sdxl") / "tiny")


@pytest.fixture(scope="module")
def prior(folder: Path) -> LatentPrior:
    return load_sdxl(folder)


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    """A pipeline that a test may damage."""
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def views_of(rgb: torch.Tensor) -> Views:
    return Views(rgb, torch.ones_like(rgb[..., :1]), torch.zeros_like(rgb[..., :1]))


def told(prior: LatentPrior, prompt: str) -> Condition:
    return Condition(prior.embed(prompt))


def edit_json(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **values}), encoding="utf-8")


@pytest.mark.parametrize("negative", [None, "a blurry cup"])
def test_sampling_is_that_of_diffusers_pipeline(
    folder: Path, prior: LatentPrior, negative: str | None
) -> None:
    """Two readings of the words, sizes, network, guidance and schedule, end to end: the same latents from the
    same noise.
    """
    pipeline = StableDiffusionXLPipeline.from_pretrained(folder, local_files_only=True, add_watermarker=False)
    pipeline.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config, clip_sample=False)
    pipeline.set_progress_bar_config(disable=True)
    start = noise(2, 4, 8, 8, seed=1)
    expected = pipeline(
        ["a red mug"] * 2,
        negative_prompt=None if negative is None else [negative] * 2,
        num_inference_steps=4,
        guidance_scale=7.5,
        latents=start,
        output_type="latent",
        height=16,
        width=16,
    ).images
    prompts = Prompts(told(prior, "a red mug"), told(prior, ""), told(prior, negative) if negative else None)
    *_, found = ddim(prior, prompts, start, pipeline.scheduler.timesteps.tolist(), 7.5)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3 * expected.abs().max().item())


def test_the_empty_prompt_is_zeros_only_where_the_index_says_so(copied: Path, prior: LatentPrior) -> None:
    zeros = prior.embed("")
    assert zeros.tokens.shape == (1, 77, 40) and zeros.pooled.shape == (1, 20)
    assert not zeros.tokens.any() and not zeros.pooled.any()
    edit_json(copied / "model_index.json", force_zeros_for_empty_prompt=False)
    assert load_sdxl(copied).embed("").tokens.abs().max() > 0.1


def test_each_encoder_reads_with_its_own_padding(prior: LatentPrior) -> None:
    """The two published tokenizers fill short prompts with different tokens."""
    words = prior.parts.words
    ids = [
        tower.tokenizer("a mug", padding="max_length", max_length=9).input_ids
        for tower in (words.first, words.second)
    ]
    assert ids[0][:6] == ids[1][:6] and ids[0][-1] != ids[1][-1]


def test_the_network_is_told_the_size_of_the_picture(prior: LatentPrior) -> None:
    assert PictureSize((1, 2), (3, 4), (5, 6)).numbers == (1, 2, 3, 4, 5, 6)
    assert prior.parts.denoiser.added(prior.embed("a"))["time_ids"].tolist() == [[16, 16, 0, 0, 16, 16]]


def test_predictions_recombine_and_work_in_turn(folder: Path, prior: LatentPrior) -> None:
    x_t, chunked = noise(3, 4, 8, 8), load_sdxl(folder, max_views_per_call=1)
    found = prior.predict(x_t, T, told(prior, "a mug"))
    torch.testing.assert_close(prior.schedule.add_noise(found.x0, found.eps, T), x_t, rtol=0, atol=2e-5)
    torch.testing.assert_close(
        chunked.predict(x_t, T, told(chunked, "a mug")).eps, found.eps, rtol=1e-4, atol=1e-5
    )


def test_scale_of_the_latents_is_the_configs(prior: LatentPrior) -> None:
    rgb = torch.rand(1, 16, 16, 3, generator=torch.Generator().manual_seed(2))
    mean = prior.parts.networks["vae"].encode(2 * rgb.permute(0, 3, 1, 2) - 1).latent_dist.mean
    torch.testing.assert_close(prior.encode(views_of(rgb)), 0.13025 * mean)


def test_gradients_reach_the_picture_through_noise_and_network(prior: LatentPrior) -> None:
    rgb = torch.rand(2, 16, 16, 3, generator=torch.Generator().manual_seed(3)).requires_grad_()
    x = prior.encode(views_of(rgb))
    x_t = prior.schedule.add_noise(x, noise(2, 4, 8, 8), T[:2])
    prior.predict(x_t, T[:2], told(prior, "a mug")).x0.square().sum().backward()
    assert rgb.grad.abs().max() > 0 and rgb.grad.isfinite().all()
    assert not any(
        weight.requires_grad for network in prior.parts.networks.values() for weight in network.parameters()
    )


def test_only_a_vae_that_would_overflow_stays_in_full_precision(
    copied: Path, save_sdxl: Callable[..., Path], tmp_path: Path
) -> None:
    """The published VAE and the repaired one differ in ``force_upcast``."""
    repaired, gpu = save_sdxl(tmp_path / "repaired", force_upcast=False), torch.device("cuda")
    assert (dtype_for(copied, "vae", gpu), dtype_for(repaired, "vae", gpu)) == (torch.float32, torch.float16)
    assert dtype_for(copied, "unet", gpu) == torch.float16


class TestDamage:
    @pytest.mark.parametrize(
        "name", ["text_encoder_2/model.safetensors", "unet/config.json", "tokenizer_2/tokenizer_config.json"]
    )
    def test_a_file_is_missing(self, copied: Path, name: str) -> None:
        part = copied / Path(name).parent
        for path in part.iterdir() if "tokenizer" in name else [copied / name]:
            path.unlink()
        with pytest.raises(MissingError, match=name.split("/")[0]):
            load_sdxl(copied)

    def test_weights_were_cut_short(self, copied: Path) -> None:
        weights = copied / "text_encoder_2" / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:5000])
        with pytest.raises(FileFormatError, match=r"text_encoder_2 in .* cannot be read"):
            load_sdxl(copied)

    def test_weights_lack_a_tensor(self, copied: Path) -> None:
        path = copied / "text_encoder_2" / "model.safetensors"
        tensors = load_file(path)
        del tensors["text_projection.weight"]
        save_file(tensors, path, metadata={"format": "pt"})
        with pytest.raises(FileFormatError, match=r"weights of text_encoder_2 .* lack 1 tensors"):
            load_sdxl(copied)

    def test_it_is_another_kind_of_pipeline(self, tiny_pipelines: dict[str, Path]) -> None:
        with pytest.raises(
            FileFormatError, match=r"StableDiffusionPipeline with .*no text_encoder_2"
        ) as raised:
            load_sdxl(tiny_pipelines["epsilon"])
        assert "XL" in raised.value.remedy

    def test_it_is_a_refiner(self, save_sdxl: Callable[..., Path], tmp_path: Path) -> None:
        with pytest.raises(FileFormatError, match="told 40 numbers"):
            load_sdxl(save_sdxl(tmp_path / "refiner", time_ids=5))

    def test_it_is_an_inpainting_model(self, save_sdxl: Callable[..., Path], tmp_path: Path) -> None:
        with pytest.raises(FileFormatError, match="9 channels"):
            load_sdxl(save_sdxl(tmp_path / "inpainting", in_channels=9))
