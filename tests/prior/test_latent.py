"""The Stable-Diffusion-class prior against diffusers itself, on tiny random pipelines in the Hub's layout."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffusers import DDIMScheduler, EulerDiscreteScheduler, StableDiffusionPipeline
from safetensors.torch import load_file, save_file

from engine.core.views import Views
from engine.errors import FileFormatError, MissingError
from engine.prior.base import Condition, Prompts, TextEmbedding, guided
from engine.prior.latent.loading import dtype_for, schedule_from
from engine.prior.latent.prior import LatentPrior
from engine.prior.latent.stable_diffusion import load_latent
from engine.prior.sampling import ddim

KINDS = ("epsilon", "v_prediction", "sample")
T = torch.tensor([20, 500, 980])


@pytest.fixture(scope="module")
def priors(tiny_pipelines: dict[str, Path]) -> dict[str, LatentPrior]:
    return {kind: load_latent(folder) for kind, folder in tiny_pipelines.items()}


@pytest.fixture
def copied(tiny_pipelines: dict[str, Path], tmp_path: Path) -> Path:
    """A pipeline that a test may damage."""
    return Path(shutil.copytree(tiny_pipelines["epsilon"], tmp_path / "copy"))


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def views_of(rgb: torch.Tensor) -> Views:
    return Views(rgb, torch.ones_like(rgb[..., :1]), torch.zeros_like(rgb[..., :1]))


def told(prior: LatentPrior, prompt: str) -> Condition:
    return Condition(prior.embed(prompt))


@pytest.mark.parametrize("kind", KINDS)
def test_noise_and_clean_picture_recombine_to_the_input(priors: dict[str, LatentPrior], kind: str) -> None:
    prior, x_t = priors[kind], noise(3, 4, 8, 8)
    prediction = prior.predict(x_t, T, told(prior, "a mug"))
    torch.testing.assert_close(
        prior.schedule.add_noise(prediction.x0, prediction.eps, T), x_t, rtol=0, atol=2e-5
    )


@pytest.mark.filterwarnings(
    "ignore:__array__ implementation:DeprecationWarning"
)  # diffusers hands numpy a tensor
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheduler_class", [DDIMScheduler, EulerDiscreteScheduler])
def test_clean_picture_is_that_of_diffusers_schedulers(
    tiny_pipelines: dict[str, Path], priors: dict[str, LatentPrior], kind: str, scheduler_class: type
) -> None:
    prior, x_t = priors[kind], noise(3, 4, 8, 8)
    found = prior.predict(x_t, T, told(prior, "a mug")).x0
    output = prior.network(x_t, T, encoder_hidden_states=prior.embed("a mug").tokens.expand(3, -1, -1)).sample
    a, _ = prior.schedule.signal_and_noise(T, x_t)
    for i, t in enumerate(T):
        scheduler = scheduler_class.from_pretrained(
            tiny_pipelines[kind], subfolder="scheduler", steps_offset=0
        )
        scheduler.set_timesteps(1000)
        variance_exploding = scheduler_class is EulerDiscreteScheduler  # its samples are x_t / a
        sample = x_t[i] / a[i] if variance_exploding else x_t[i]
        its_time = scheduler.timesteps[scheduler.timesteps == t][0]
        expected = scheduler.step(output[i], its_time, sample).pred_original_sample
        scale = expected.abs().max().item()
        torch.testing.assert_close(
            found[i], expected, rtol=0, atol=(2e-3 if variance_exploding else 2e-5) * scale
        )


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("negative", ["", "a blurry cup"])
def test_sampling_is_that_of_diffusers_pipeline(
    tiny_pipelines: dict[str, Path], priors: dict[str, LatentPrior], kind: str, negative: str
) -> None:
    """Words, network, guidance 7.5 and schedule, end to end: the same latents from the same noise."""
    pipeline = StableDiffusionPipeline.from_pretrained(
        tiny_pipelines[kind], safety_checker=None, local_files_only=True
    )
    pipeline.set_progress_bar_config(disable=True)
    start = noise(2, 4, 8, 8, seed=1)
    expected = pipeline(
        ["a red mug"] * 2,
        negative_prompt=[negative] * 2,
        num_inference_steps=4,
        guidance_scale=7.5,
        latents=start,
        output_type="latent",
    ).images
    prior = priors[kind]
    prompts = Prompts(told(prior, "a red mug"), told(prior, ""), told(prior, negative) if negative else None)
    *_, found = ddim(prior, prompts, start, pipeline.scheduler.timesteps.tolist(), 7.5)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3 * expected.abs().max().item())


def test_guidance_is_diffusers_formula(priors: dict[str, LatentPrior]) -> None:
    prior, x_t = priors["epsilon"], noise(3, 4, 8, 8)
    empty, mug = prior.predict(x_t, T, told(prior, "")), prior.predict(x_t, T, told(prior, "a mug"))
    expected = empty.eps + 7.5 * (mug.eps - empty.eps)
    torch.testing.assert_close(guided(empty, mug, 7.5).eps, expected, rtol=0, atol=1e-5)
    assert (mug.eps - empty.eps).abs().max() > 1e-3


@pytest.mark.parametrize(
    "settings",
    [
        {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012},
        {"beta_schedule": "linear"},
        {"beta_schedule": "squaredcos_cap_v2", "num_train_timesteps": 50},
        {"trained_betas": [0.01, 0.02, 0.05, 0.2]},
        {
            "beta_schedule": "scaled_linear",
            "beta_start": 0.00085,
            "beta_end": 0.012,
            "rescale_betas_zero_snr": True,
        },
    ],
)
def test_schedule_is_that_of_diffusers(settings: dict) -> None:
    steps = {"num_train_timesteps": len(settings["trained_betas"])} if "trained_betas" in settings else {}
    expected = DDIMScheduler(**settings, **steps).alphas_cumprod.double()
    torch.testing.assert_close(schedule_from(settings).alphas_cumprod, expected, rtol=2e-5, atol=1e-6)


def test_encode_is_the_scaled_mean_of_the_vae_and_decode_goes_back(priors: dict[str, LatentPrior]) -> None:
    prior, rgb = priors["epsilon"], torch.rand(2, 16, 16, 3, generator=torch.Generator().manual_seed(2))
    x = prior.encode(views_of(rgb))
    vae = prior.parts.networks["vae"]
    with torch.no_grad():
        mean = vae.encode(2 * rgb.permute(0, 3, 1, 2) - 1).latent_dist.mean
        expected = (vae.decode(mean).sample / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1)
    torch.testing.assert_close(x, 0.18215 * mean)
    torch.testing.assert_close(prior.decode(x).rgb, expected, rtol=1e-4, atol=1e-5)
    assert prior.decode(x).alpha.min() == 1 and prior.decode(x).depth.shape == (2, 16, 16, 1)


@pytest.mark.parametrize("size", [8, 16, 40])
def test_derivative_of_encode_by_finite_differences(tiny_pipelines: dict[str, Path], size: int) -> None:
    prior = load_latent(tiny_pipelines["epsilon"])
    prior.parts.networks["vae"].double()
    rgb = torch.rand(
        1, size, size, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(3)
    ).requires_grad_()
    direction, step = noise(1, size, size, 3, seed=4).double(), 1e-5
    (along,) = torch.autograd.grad(prior.encode(views_of(rgb)).square().sum(), rgb)
    with torch.no_grad():
        ahead, behind = (
            prior.encode(views_of(rgb + sign * step * direction)).square().sum() for sign in (1, -1)
        )
    assert ((ahead - behind) / (2 * step)).item() == pytest.approx((along * direction).sum().item(), rel=1e-5)


def test_gradients_reach_the_noised_picture_and_the_words_but_no_weight(
    priors: dict[str, LatentPrior],
) -> None:
    prior, x_t = priors["v_prediction"], noise(3, 4, 8, 8).requires_grad_()
    tokens = prior.embed("a mug").tokens.clone().requires_grad_()
    prediction = prior.predict(x_t, T, Condition(TextEmbedding(tokens)))
    prediction.eps.square().sum().backward()
    assert x_t.grad.abs().max() > 0 and tokens.grad.abs().max() > 0
    networks = prior.parts.networks.values()
    assert not any(weight.requires_grad for network in networks for weight in network.parameters())
    assert not any(network.training for network in networks)


def test_views_worked_off_in_turn_are_the_same_views(
    tiny_pipelines: dict[str, Path], priors: dict[str, LatentPrior]
) -> None:
    at_once, chunked = priors["epsilon"], load_latent(tiny_pipelines["epsilon"], max_views_per_call=2)
    rgb = torch.rand(5, 16, 16, 3, generator=torch.Generator().manual_seed(5))
    x_t, t = noise(5, 4, 8, 8), torch.tensor([1, 200, 400, 600, 800])
    text = TextEmbedding(torch.cat([at_once.embed(prompt).tokens for prompt in ("a", "b", "c", "d", "e")]))
    torch.testing.assert_close(chunked.encode(views_of(rgb)), at_once.encode(views_of(rgb)))
    torch.testing.assert_close(
        chunked.predict(x_t, t, Condition(text)).eps, at_once.predict(x_t, t, Condition(text)).eps
    )


def test_a_prompt_too_long_is_cut_and_the_log_says_so(
    priors: dict[str, LatentPrior], caplog: pytest.LogCaptureFixture
) -> None:
    prior, long = priors["epsilon"], " ".join(["a"] * 80)
    assert prior.unread("a red mug") == ""
    assert prior.unread(long).split() == ["a"] * 5  # 77 tokens less a start and an end leave 75
    with caplog.at_level(logging.WARNING):
        assert prior.embed(long).tokens.shape == (1, 77, 16)
    assert "too long" in caplog.text and "a a a a a" in caplog.text


def test_size_comes_from_the_model_and_precision_from_the_device(
    tiny_pipelines: dict[str, Path], copied: Path
) -> None:
    prior = load_latent(copied)
    assert prior.info.resolution == 16 and prior.info.channels == "rgb" and not prior.info.takes_cameras
    assert prior.network.dtype == torch.float32 and prior.device.type == "cpu"
    config = copied / "vae" / "config.json"
    edit_json(config, force_upcast=False)
    assert (
        dtype_for(copied, "vae", torch.device("cuda"))
        == dtype_for(copied, "unet", torch.device("cuda"))
        == torch.float16
    )
    edit_json(config, force_upcast=True)
    assert (
        dtype_for(copied, "vae", torch.device("cuda"))
        == dtype_for(copied, "unet", torch.device("cpu"))
        == torch.float32
    )


def test_half_precision_weights_alone_are_found(copied: Path, priors: dict[str, LatentPrior]) -> None:
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
    prior, x_t = load_latent(copied), noise(3, 4, 8, 8)
    expected = priors["epsilon"].predict(x_t, T, told(prior, "a mug")).eps
    torch.testing.assert_close(prior.predict(x_t, T, told(prior, "a mug")).eps, expected, rtol=0, atol=1e-2)


def edit_json(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **values}), encoding="utf-8")


@pytest.mark.gpu
def test_half_precision_on_a_gpu_agrees_with_the_cpu(
    tiny_pipelines: dict[str, Path], priors: dict[str, LatentPrior]
) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    here, there = priors["v_prediction"], load_latent(tiny_pipelines["v_prediction"], "cuda")
    x_t, rgb = noise(3, 4, 8, 8), torch.rand(2, 16, 16, 3, generator=torch.Generator().manual_seed(6))
    expected, found = (
        prior.predict(x_t.to(prior.device), T, told(prior, "a mug")) for prior in (here, there)
    )
    assert there.network.dtype == torch.float16 and found.x0.dtype == torch.float32
    torch.testing.assert_close(found.x0.cpu(), expected.x0, rtol=0, atol=2e-2)
    torch.testing.assert_close(
        there.encode(views_of(rgb.cuda())).cpu(), here.encode(views_of(rgb)), rtol=0, atol=1e-2
    )


class TestDamage:
    """What is wrong with a folder is said with its path and a remedy, before anything runs."""

    @pytest.mark.parametrize(
        "name", ["model_index.json", "unet/diffusion_pytorch_model.safetensors", "vae/config.json"]
    )
    def test_a_file_is_missing(self, copied: Path, name: str) -> None:
        (copied / name).unlink()
        with pytest.raises(MissingError, match=name.split("/")[0]) as raised:
            load_latent(copied)
        assert "Fetch" in raised.value.remedy

    def test_there_is_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(MissingError, match=r"model_index\.json"):
            load_latent(tmp_path / "nowhere")

    def test_weights_were_cut_short(self, copied: Path) -> None:
        weights = copied / "unet" / "diffusion_pytorch_model.safetensors"
        weights.write_bytes(weights.read_bytes()[:5000])
        with pytest.raises(FileFormatError, match=r"unet in .* cannot be read") as raised:
            load_latent(copied)
        assert "Delete" in raised.value.remedy

    def test_weights_are_a_pointer_instead_of_a_file(self, copied: Path) -> None:
        pointer = "version https://git-lfs.github.com/spec/v1\n"
        (copied / "text_encoder" / "model.safetensors").write_text(pointer, encoding="utf-8")
        with pytest.raises(FileFormatError, match="text_encoder"):
            load_latent(copied)

    @pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
    def test_weights_lack_a_tensor(self, copied: Path, part: str) -> None:
        """Libraries would fill in random numbers and go on."""
        path = next((copied / part).glob("*.safetensors"))
        tensors = load_file(path)
        del tensors[next(name for name in tensors if name.endswith("bias"))]
        save_file(tensors, path, metadata={"format": "pt"})
        with pytest.raises(FileFormatError, match=f"weights of {part} .* lack 1 tensors"):
            load_latent(copied)

    def test_it_is_another_kind_of_pipeline(self, copied: Path) -> None:
        edit_json(copied / "model_index.json", _class_name="StableDiffusionXLPipeline")
        with pytest.raises(FileFormatError, match="StableDiffusionXLPipeline"):
            load_latent(copied)

    def test_a_part_is_of_another_class(self, copied: Path) -> None:
        edit_json(copied / "model_index.json", vae=["diffusers", "AutoencoderTiny"])
        with pytest.raises(FileFormatError, match="AutoencoderTiny"):
            load_latent(copied)

    def test_it_is_an_inpainting_model(self, save_pipeline: Callable[..., Path], tmp_path: Path) -> None:
        with pytest.raises(FileFormatError, match="9 channels"):
            load_latent(save_pipeline(tmp_path / "inpainting", in_channels=9))

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"prediction_type": "flow"}, "prediction_type 'flow'"),
            ({"beta_schedule": "sigmoid"}, "sigmoid"),
            ({"trained_betas": [-0.5, 0.1]}, "alphas_cumprod"),
        ],
    )
    def test_the_scheduler_is_unknown(self, copied: Path, values: dict, message: str) -> None:
        edit_json(copied / "scheduler" / "scheduler_config.json", **values)
        with pytest.raises(FileFormatError, match=message):
            load_latent(copied)

    def test_the_index_is_no_json(self, copied: Path) -> None:
        (copied / "model_index.json").write_text("{ not json", encoding="utf-8")
        with pytest.raises(FileFormatError, match="not readable JSON"):
            load_latent(copied)

    def test_pictures_would_not_be_square(self, copied: Path) -> None:
        edit_json(copied / "unet" / "config.json", sample_size=[8, 16])
        with pytest.raises(FileFormatError, match="sample_size"):
            load_latent(copied)
