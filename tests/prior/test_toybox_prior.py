"""Toybox behind the `Prior` protocol, and its folder: on a tiny network with random weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import DDIMScheduler

from engine.core.cameras import Cameras, orbit_cameras
from engine.core.views import Views
from engine.errors import FileFormatError, MissingError
from engine.prior.base import CleanViews, Condition, TextEmbedding
from engine.prior.toybox import ToyboxPipeline
from engine.prior.toybox.info import DISTANCE, FOV_DEG, WEIGHTS
from engine.prior.toybox.network import ToyboxDenoiser
from engine.prior.toybox.pipeline_files import save_prior
from engine.prior.toybox.prior import ToyboxPrior, load_toybox
from engine.prior.toybox.schedule import shifted_cosine
from engine.prior.toybox.tokeniser import Tokeniser, build_tokenizer

SIZES = {"width": 32, "depth": 1, "heads": 2, "fine": 8, "middle": 16, "last": 8, "words": 16, "length": 8}


def save_tiny(folder: Path, seed: int = 0) -> None:
    torch.manual_seed(seed)
    net = ToyboxDenoiser(**SIZES)
    weights = {name: value + 0.1 * torch.randn_like(value) for name, value in net.state_dict().items()}
    save_prior(
        folder,
        SIZES,
        weights,
        Tokeniser(build_tokenizer(["red", "blue", "mug"]), SIZES["length"]),
        shifted_cosine(),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("toybox")
    save_tiny(path)
    return path


@pytest.fixture(scope="module")
def prior(folder: Path) -> ToyboxPrior:
    return load_toybox(folder)


def cameras(count: int) -> Cameras:
    return orbit_cameras([360.0 / count * i for i in range(count)], 15.0, DISTANCE, FOV_DEG, 128)


def pictures(count: int, size: int) -> Views:
    alpha = torch.rand(count, size, size, 1)
    return Views(torch.rand(count, size, size, 3) * alpha, alpha, torch.zeros_like(alpha))


def test_pictures_survive_the_way_there_and_back(prior: ToyboxPrior) -> None:
    views = pictures(2, 64)
    x = prior.encode(views)
    assert x.shape == (2, 4, 64, 64) and x.abs().max() <= 1
    again = prior.decode(x)
    torch.testing.assert_close(again.rgb, views.rgb, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(again.alpha, views.alpha, atol=1e-6, rtol=1e-5)


def test_empty_space_is_grey_without_alpha(prior: ToyboxPrior) -> None:
    nothing = torch.zeros(1, 64, 64, 3)
    x = prior.encode(Views(nothing, nothing[..., :1], nothing[..., :1]))
    assert (x[:, :3] == 0).all() and (x[:, 3] == -1).all()


def test_larger_pictures_are_averaged(prior: ToyboxPrior) -> None:
    views = pictures(1, 128)
    mean = views.alpha.view(1, 64, 2, 64, 2).mean((2, 4))
    torch.testing.assert_close((prior.encode(views)[:, 3] + 1) / 2, mean, atol=1e-6, rtol=1e-5)


def test_what_is_decoded_is_a_picture(prior: ToyboxPrior) -> None:
    views = prior.decode(3 * torch.randn(2, 4, 64, 64))
    assert views.alpha.min() >= 0 and views.alpha.max() <= 1
    assert (views.rgb >= 0).all() and (views.rgb <= views.alpha).all()


def test_both_readings_of_a_prediction_agree(prior: ToyboxPrior) -> None:
    x_t, t = torch.randn(4, 4, 64, 64), torch.tensor([10, 300, 700, 999])
    prediction = prior.predict(x_t, t, Condition(prior.embed("a red mug"), cameras(4)))
    assert prediction.x0.abs().max() <= 1
    torch.testing.assert_close(
        prior.schedule.add_noise(prediction.x0, prediction.eps, t), x_t, atol=1e-4, rtol=1e-4
    )


@pytest.mark.parametrize("count", [1, 4, 8])
def test_any_number_of_views_and_no_cameras_at_all(prior: ToyboxPrior, count: int) -> None:
    x_t, t = torch.randn(count, 4, 64, 64), torch.full((count,), 500)
    text = prior.embed("")
    told, untold = (prior.predict(x_t, t, Condition(text, c)).x0 for c in (cameras(count), None))
    assert told.shape == untold.shape == x_t.shape and not torch.allclose(told, untold)


def test_given_views_are_seen_and_not_predicted(prior: ToyboxPrior) -> None:
    x_t, t, text = torch.randn(2, 4, 64, 64), torch.full((2,), 800), prior.embed("a blue mug")
    given = [CleanViews(torch.full((1, 4, 64, 64), level), cameras(3)[2:]) for level in (-1.0, 1.0)]
    none, dark, bright = (
        prior.predict(x_t, t, Condition(text, cameras(3)[:2], view)).x0 for view in (None, *given)
    )
    assert dark.shape == x_t.shape
    assert not torch.allclose(none, dark) and not torch.allclose(dark, bright)


def test_gradients_reach_the_picture_and_the_words(prior: ToyboxPrior) -> None:
    x_t, embedding = torch.randn(2, 4, 64, 64, requires_grad=True), prior.embed("a red mug")
    tokens = embedding.tokens.clone().requires_grad_()
    text = TextEmbedding(tokens, embedding.mask, embedding.pooled)
    prior.predict(x_t, torch.tensor([400, 400]), Condition(text, cameras(2))).x0.square().sum().backward()
    assert x_t.grad.abs().sum() > 0 and tokens.grad[0, :3].abs().sum() > 0
    assert not any(p.requires_grad for p in prior.net.parameters())


def test_words_it_does_not_know(prior: ToyboxPrior) -> None:
    assert prior.unknown_words("a shiny red mug") == ("shiny",)
    assert prior.info.vocabulary == {"red", "blue", "mug"}
    assert prior.embed("").mask.sum() == 1 and prior.embed("a red mug").mask.sum() == 3


def test_its_facts_come_from_the_folder(folder: Path, prior: ToyboxPrior) -> None:
    text = (folder / "prior.toml").read_text(encoding="utf-8")
    assert (prior.info.channels, prior.info.resolution, prior.info.default_guidance_scale) == (
        "rgba",
        64,
        2.5,
    )
    assert prior.info.joint_views and prior.info.takes_cameras and prior.info.takes_images
    assert 'title = "Toybox"' in text and "time_range = [0.02, 0.98]" in text


def test_half_precision_on_disk_moves_no_weight_far(folder: Path, prior: ToyboxPrior) -> None:
    torch.manual_seed(0)
    net = ToyboxDenoiser(**SIZES)
    for name, value in net.state_dict().items():
        torch.testing.assert_close(
            prior.net.state_dict()[name], value + 0.1 * torch.randn_like(value), atol=1e-4, rtol=1e-3
        )


def test_diffusers_reads_the_same_folder(folder: Path, prior: ToyboxPrior) -> None:
    pipeline = ToyboxPipeline.from_pretrained(folder)
    assert (
        isinstance(pipeline.scheduler, DDIMScheduler)
        and pipeline.scheduler.config.prediction_type == "sample"
    )
    for name, value in pipeline.unet.state_dict().items():
        assert torch.equal(value, prior.net.state_dict()[name]), name
    theirs = pipeline.scheduler.alphas_cumprod.double()
    torch.testing.assert_close(theirs, prior.schedule.alphas_cumprod, atol=1e-5, rtol=1e-3)
    torch.testing.assert_close(
        prior.schedule.alphas_cumprod, shifted_cosine().alphas_cumprod, atol=1e-4, rtol=1e-2
    )
    pictures = pipeline("a red mug", num_inference_steps=2, generator=torch.Generator().manual_seed(0))
    assert [picture.size for picture in pictures] == [(64, 64)] * 4 and {
        picture.mode for picture in pictures
    } == {"RGBA"}


def test_saving_again_replaces_the_model_and_keeps_the_rest(tmp_path: Path) -> None:
    save_tiny(tmp_path, seed=0)
    (tmp_path / "README.md").write_text("card", encoding="utf-8")
    first = load_toybox(tmp_path).net.state_dict()["blocks.0.qkv.weight"]
    save_tiny(tmp_path, seed=1)
    assert not torch.equal(load_toybox(tmp_path).net.state_dict()["blocks.0.qkv.weight"], first)
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == "card"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".partial")]


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    save_tiny(tmp_path)
    (tmp_path / "unet" / WEIGHTS).unlink()
    with pytest.raises(MissingError, match="unet"):
        load_toybox(tmp_path)


@pytest.mark.parametrize(
    "name", [f"unet/{WEIGHTS}", "unet/config.json", "tokenizer/tokenizer.json", "prior.toml"]
)
def test_damage_is_named(tmp_path: Path, name: str) -> None:
    save_tiny(tmp_path)
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(FileFormatError):
        load_toybox(tmp_path)


def test_the_schedule_is_the_cosine_moved_to_more_noise() -> None:
    abar = shifted_cosine().alphas_cumprod
    plain = shifted_cosine(log_snr_shift=0.0).alphas_cumprod
    snr = abar / (1 - abar)
    torch.testing.assert_close(snr * 4, plain / (1 - plain))
    u = (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000
    torch.testing.assert_close(plain, torch.cos(torch.pi / 2 * u) ** 2)


def test_diffusers_saves_and_loads_the_denoiser_again(folder: Path, tmp_path: Path) -> None:
    pipeline = ToyboxPipeline.from_pretrained(folder)
    pipeline.save_pretrained(tmp_path)
    again = ToyboxPipeline.from_pretrained(tmp_path)
    assert {name: again.unet.config[name] for name in SIZES} == SIZES
    for name, value in pipeline.unet.state_dict().items():
        torch.testing.assert_close(again.unet.state_dict()[name], value)
