"""Flow models in our convention: closed forms of the conversion, and tiny random pipelines against diffusers
itself.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, SanaPipeline, StableDiffusion3Pipeline
from torch import Tensor

from engine.core.noise_schedule import eps_from_flow, flow_time, rectified_flow, x0_from_flow
from engine.core.views import Views
from engine.errors import FileFormatError, MissingError
from engine.prior.analytic import AnalyticPrior, gaussian
from engine.prior.base import Condition, Prompts, guided
from engine.prior.flow.load import load_flow
from engine.prior.flow.schedule import flow_input, shift_of
from engine.prior.latent.prior import LatentPrior
from engine.prior.prediction_type import FLOW, read_output
from engine.prior.sampling import ddim

KINDS = ("sd3", "sana")
PIPELINES = {"sd3": StableDiffusion3Pipeline, "sana": SanaPipeline}
T = torch.tensor([20, 500, 999])
TIMES = [999, 700, 400, 100]
MEAN, STD = 0.7, 0.4


@pytest.fixture(scope="module")
def folders(
    save_flow: dict[str, Callable[..., Path]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("flows")
    return {kind: save_flow[kind](root / kind) for kind in KINDS}


@pytest.fixture(scope="module")
def priors(folders: dict[str, Path]) -> dict[str, LatentPrior]:
    return {kind: load_flow(folder) for kind, folder in folders.items()}


@pytest.fixture
def copied(folders: dict[str, Path], tmp_path: Path) -> Path:
    """A Stable Diffusion 3 pipeline that a test may damage."""
    return Path(shutil.copytree(folders["sd3"], tmp_path / "copy"))


def noise(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def views_of(rgb: Tensor) -> Views:
    return Views(rgb, torch.ones_like(rgb[..., :1]), torch.zeros_like(rgb[..., :1]))


def told(prior: LatentPrior, prompt: str) -> Condition:
    return Condition(prior.embed(prompt))


def edit_json(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **values}), encoding="utf-8")


class TestConversion:
    """Between a flow's time s and velocity eps - x0, and our t, eps and x0."""

    @pytest.mark.parametrize("shift", [1.0, 3.0])
    def test_the_schedule_has_the_flows_signal_to_noise(self, shift: float) -> None:
        sigmas = FlowMatchEulerDiscreteScheduler(shift=shift).sigmas.double().flip(0)
        schedule = rectified_flow(shift=shift)
        a, sig = schedule.signal_and_noise(torch.arange(1000), torch.zeros(1000, 1, dtype=torch.float64))
        torch.testing.assert_close(flow_time(a, sig).flatten(), sigmas, rtol=1e-6, atol=1e-6)
        torch.testing.assert_close(a * sigmas[:, None], sig * (1 - sigmas[:, None]), rtol=0, atol=1e-6)
        assert schedule.alphas_cumprod[-1] == 0

    def test_a_gaussians_velocity_field_is_the_gaussian_prior(self) -> None:
        """Data N(m, d^2) has E[eps - x0 | x_s] = (s - (1-s) d^2) / v (x_s - (1-s) m) - m, with v = (1-s)^2
        d^2 + s^2.
        """
        schedule = rectified_flow(shift=3.0)
        prior = AnalyticPrior({"ball": gaussian(torch.full((3, 4, 4), MEAN), STD)}, schedule)
        x_t, t = noise(3, 3, 4, 4, dtype=torch.float64), torch.tensor([20, 500, 980])
        expected = prior.predict(x_t, t, Condition(prior.embed("ball")))
        x_s, time = flow_input(schedule, x_t, t)
        s = (time / 1000).view(-1, 1, 1, 1)
        variance = (1 - s) ** 2 * STD**2 + s**2
        velocity = (s - (1 - s) * STD**2) / variance * (x_s - (1 - s) * MEAN) - MEAN
        found = read_output(velocity, x_t, t, schedule, FLOW)
        torch.testing.assert_close(found.eps, expected.eps, rtol=0, atol=1e-7)
        torch.testing.assert_close(found.x0, expected.x0, rtol=0, atol=1e-7)

    def test_pure_noise_is_no_exception(self) -> None:
        """Where a = 0 the velocity gives both: eps = x_t and x0 = x_t - velocity."""
        x_t, velocity = noise(1, 3, 4, 4), noise(1, 3, 4, 4, seed=1)
        found = read_output(velocity, x_t, torch.tensor([999]), rectified_flow(), FLOW)
        torch.testing.assert_close(found.eps, x_t)
        torch.testing.assert_close(found.x0, x_t - velocity)

    def test_true_noise_and_picture_come_back(self) -> None:
        x0, eps, schedule = noise(3, 3, 4, 4), noise(3, 3, 4, 4, seed=1), rectified_flow()
        x_t = schedule.add_noise(x0, eps, T)
        a, sig = schedule.signal_and_noise(T, x_t)
        torch.testing.assert_close(eps_from_flow(x_t, eps - x0, a, sig), eps, rtol=0, atol=1e-5)
        torch.testing.assert_close(x0_from_flow(x_t, eps - x0, a, sig), x0, rtol=0, atol=1e-5)
        s = flow_time(a, sig)
        torch.testing.assert_close(flow_input(schedule, x_t, T)[0], (1 - s) * x0 + s * eps, rtol=0, atol=1e-5)

    @pytest.mark.parametrize(
        ("config", "shift"),
        [
            ({"_class_name": "FlowMatchEulerDiscreteScheduler"}, 1.0),
            ({"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0}, 3.0),
            ({"_class_name": "DPMSolverMultistepScheduler", "use_flow_sigmas": True, "flow_shift": 2.0}, 2.0),
        ],
    )
    def test_shift_is_read_from_either_kind_of_scheduler(self, config: dict, shift: float) -> None:
        assert shift_of(config, 256) == shift

    @pytest.mark.parametrize("kind", ["exponential", "linear"])
    def test_shift_that_grows_with_the_picture_is_that_of_diffusers(self, kind: str) -> None:
        """At 1024 tokens, with the defaults: mu is 0.5 at 256 and 1.15 at 4096."""
        scheduler = FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, time_shift_type=kind)
        scheduler.set_timesteps(sigmas=[0.9, 0.5, 0.1], mu=0.63)
        shift = shift_of(dict(scheduler.config, _class_name="FlowMatchEulerDiscreteScheduler"), 1024)
        u = torch.tensor([0.9, 0.5, 0.1])
        torch.testing.assert_close(
            shift * u / (1 + (shift - 1) * u), scheduler.sigmas[:-1], rtol=1e-5, atol=1e-6
        )

    @pytest.mark.parametrize(
        ("config", "message"),
        [
            ({"_class_name": "DDIMScheduler"}, "use_flow_sigmas"),
            ({"_class_name": "FlowMatchEulerDiscreteScheduler", "invert_sigmas": True}, "other way"),
            ({"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 0}, "positive"),
        ],
    )
    def test_what_is_no_flow_is_refused(self, copied: Path, config: dict, message: str) -> None:
        (copied / "scheduler" / "scheduler_config.json").write_text(json.dumps(config), encoding="utf-8")
        with pytest.raises(
            FileFormatError, match=rf"scheduler_config\.json describes no rectified flow.*{message}"
        ):
            load_flow(copied)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("guidance_scale", [1.0, 5.0])
def test_sampling_is_diffusers_euler_path(
    folders: dict[str, Path], priors: dict[str, LatentPrior], kind: str, guidance_scale: float
) -> None:
    """Words, network, times, guidance: DDIM in our convention arrives where the flow's Euler steps do, from
    the same noise.
    """
    pipeline = PIPELINES[kind].from_pretrained(folders[kind], local_files_only=True)
    pipeline.scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0)
    pipeline.set_progress_bar_config(disable=True)
    start, side = noise(2, 4, 8, 8, seed=1), priors[kind].info.resolution
    size = {"height": side, "width": side}
    binning = {"use_resolution_binning": False} if kind == "sana" else {}
    steps = {"sigmas": [(time + 1) / 1000 for time in TIMES], "num_inference_steps": len(TIMES)}
    expected = pipeline(
        ["a red mug"] * 2,
        guidance_scale=guidance_scale,
        latents=start,
        output_type="latent",
        **size,
        **steps,
        **binning,
    )
    prior = priors[kind]
    *_, found = ddim(prior, Prompts(told(prior, "a red mug"), told(prior, "")), start, TIMES, guidance_scale)
    torch.testing.assert_close(
        found, expected.images, rtol=1e-3, atol=1e-3 * expected.images.abs().max().item()
    )


@pytest.mark.parametrize("kind", KINDS)
def test_guidance_of_the_velocity_is_guidance_of_both_readings(
    priors: dict[str, LatentPrior], kind: str
) -> None:
    prior, x_t = priors[kind], noise(3, 4, 8, 8)
    empty, mug = (prior.predict(x_t, T, told(prior, prompt)) for prompt in ("", "a mug"))
    both = guided(empty, mug, 5.0)
    velocity = torch.lerp(empty.eps - empty.x0, mug.eps - mug.x0, 5.0)
    torch.testing.assert_close(both.eps - both.x0, velocity, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(prior.schedule.add_noise(both.x0, both.eps, T), x_t, rtol=0, atol=1e-4)
    assert (mug.x0 - empty.x0).abs().max() > 1e-4


@pytest.mark.parametrize("kind", KINDS)
def test_encode_takes_away_the_shift_and_scales(priors: dict[str, LatentPrior], kind: str) -> None:
    prior, side = priors[kind], priors[kind].info.resolution
    rgb = torch.rand(2, side, side, 3, generator=torch.Generator().manual_seed(2))
    vae, pictures = prior.parts.networks["vae"], 2 * rgb.permute(0, 3, 1, 2) - 1
    if kind == "sd3":
        expected = (vae.encode(pictures).latent_dist.mean - 0.0609) * 1.5305
    else:
        expected = vae.encode(pictures).latent * 0.41407
    x = prior.encode(views_of(rgb))
    torch.testing.assert_close(x, expected, rtol=1e-4, atol=1e-5)
    through = vae.decode(x / vae.config.scaling_factor + prior.parts.space.shift).sample / 2 + 0.5
    torch.testing.assert_close(
        prior.decode(x).rgb, through.clamp(0, 1).permute(0, 2, 3, 1), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_reach_the_picture_and_the_words(priors: dict[str, LatentPrior], kind: str) -> None:
    prior, rgb = (
        priors[kind],
        torch.rand(2, 16, 16, 3, generator=torch.Generator().manual_seed(3)).requires_grad_(),
    )
    text = prior.embed("a mug")
    text.tokens.requires_grad_()
    x_t = prior.schedule.add_noise(prior.encode(views_of(rgb)), noise(2, 4, 8, 8), T[:2])
    prior.predict(x_t, T[:2], Condition(text)).x0.square().sum().backward()
    assert rgb.grad.abs().max() > 0 and rgb.grad.isfinite().all() and text.tokens.grad.abs().max() > 0
    assert not any(
        weight.requires_grad for network in prior.parts.networks.values() for weight in network.parameters()
    )


@pytest.mark.parametrize("kind", KINDS)
def test_views_worked_off_in_turn_are_the_same_views(priors: dict[str, LatentPrior], kind: str) -> None:
    prior, x_t = priors[kind], noise(3, 4, 8, 8)
    at_once = prior.predict(x_t, T, told(prior, "a mug"))
    most, prior.max_views_per_call = prior.max_views_per_call, 1
    chunked = prior.predict(x_t, T, told(prior, "a mug"))
    prior.max_views_per_call = most
    torch.testing.assert_close(chunked.x0, at_once.x0, rtol=1e-4, atol=1e-5)


class TestWithoutT5:
    def test_left_out_or_not_there_its_tokens_are_zeros(
        self, copied: Path, save_flow: dict[str, Callable[..., Path]], tmp_path: Path
    ) -> None:
        with_t5 = load_flow(copied).embed("a mug")
        shutil.rmtree(copied / "text_encoder_3")
        shutil.rmtree(copied / "tokenizer_3")
        left_out = load_flow(copied, leave_out=("text_encoder_3", "tokenizer_3"))
        text, absent = left_out.embed("a mug"), load_flow(save_flow["sd3"](tmp_path / "no-t5", t5=False))
        assert text.tokens.shape == with_t5.tokens.shape == absent.embed("a mug").tokens.shape == (1, 333, 48)
        assert not text.tokens[:, 77:].any() and with_t5.tokens[:, 77:].any()
        torch.testing.assert_close(text.tokens[:, :77], with_t5.tokens[:, :77])
        assert set(left_out.parts.networks) == {"denoiser", "vae", "text_encoder", "text_encoder_2"}

    def test_what_is_not_there_must_be_said(self, copied: Path) -> None:
        shutil.rmtree(copied / "text_encoder_3")
        with pytest.raises(MissingError, match=r"text_encoder_3/\*\.safetensors"):
            load_flow(copied)

    def test_clip_reads_less(self, priors: dict[str, LatentPrior], copied: Path) -> None:
        long = " ".join(["a"] * 100)
        assert priors["sd3"].unread(long) == ""
        short_sighted = load_flow(copied, leave_out=("text_encoder_3", "tokenizer_3"))
        assert len(short_sighted.unread(long).split()) == 25  # 77 tokens less a start and an end leave 75


class TestDamage:
    @pytest.mark.parametrize(
        "name", ["transformer/config.json", "text_encoder_3/model-00002-of-00007.safetensors"]
    )
    def test_a_file_is_missing(self, copied: Path, name: str) -> None:
        (copied / name).unlink()
        with pytest.raises(MissingError, match=name.split("/")[0]):
            load_flow(copied)

    def test_a_shard_was_cut_short(self, copied: Path) -> None:
        shard = copied / "text_encoder_3" / "model-00002-of-00007.safetensors"
        shard.write_bytes(shard.read_bytes()[:100])
        with pytest.raises(FileFormatError, match=r"text_encoder_3 in .* cannot be read"):
            load_flow(copied)

    def test_it_is_another_kind_of_pipeline(self, tiny_pipelines: dict[str, Path]) -> None:
        with pytest.raises(
            FileFormatError, match=r"StableDiffusionPipeline.*StableDiffusion3Pipeline or SanaPipeline"
        ):
            load_flow(tiny_pipelines["epsilon"])

    def test_a_part_is_of_another_class(self, copied: Path) -> None:
        edit_json(copied / "model_index.json", transformer=["diffusers", "FluxTransformer2DModel"])
        with pytest.raises(FileFormatError, match="FluxTransformer2DModel"):
            load_flow(copied)

    def test_it_is_an_editing_model(self, save_flow: dict[str, Callable[..., Path]], tmp_path: Path) -> None:
        with pytest.raises(FileFormatError, match="8 channels"):
            load_flow(save_flow["sd3"](tmp_path / "editing", in_channels=8))
