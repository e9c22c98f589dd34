"""The InstructPix2Pix-class prior against diffusers itself, on a tiny random pipeline in the Hub's layout."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionInstructPix2PixPipeline
from torch import Tensor

from engine.core.views import Views
from engine.errors import FileFormatError, InputError
from engine.guidance.sds import Sds
from engine.prior.base import Condition, Prompts, Source, TextEmbedding, guided
from engine.prior.instruct.prior import InstructPrior, load_instruct
from engine.prior.latent.stable_diffusion import load_latent
from engine.prior.sampling import ddim

T = torch.tensor([20, 500, 980])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Do not write into it."""
    tiny = importlib.import_module("tests.prior.tiny_instruct")
    return tiny.save_tiny_instruct(tmp_path_factory.mktemp("instruct") / "pipeline")


@pytest.fixture(scope="module")
def prior(folder: Path) -> InstructPrior:
    return load_instruct(folder)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def pictures(count: int) -> Tensor:
    return torch.rand(count, 16, 16, 3, generator=torch.Generator().manual_seed(4))


def source_of(prior: InstructPrior, rgb: Tensor, guidance_scale: float) -> Source:
    return Source(
        prior.encode(Views(rgb, torch.ones_like(rgb[..., :1]), torch.zeros_like(rgb[..., :1]))),
        guidance_scale,
    )


def prompts_of(prior: InstructPrior, source: Source) -> Prompts:
    return Prompts(*(Condition(prior.embed(prompt), source=source) for prompt in ("make it red", "")))


@contextmanager
def counted(prior: InstructPrior) -> Iterator[list[int]]:
    """The number of rows of each pass through the network."""
    passes: list[int] = []
    hook = prior.network.register_forward_hook(lambda _module, inputs, _output: passes.append(len(inputs[0])))
    yield passes
    hook.remove()


@pytest.mark.parametrize("image_guidance", [1.5, 2.5])
def test_sampling_is_that_of_diffusers_pipeline(
    folder: Path, prior: InstructPrior, image_guidance: float
) -> None:
    """Words, pictures, network, both guidances and schedule, end to end: the same latents from the same
    noise.
    """
    pipeline = StableDiffusionInstructPix2PixPipeline.from_pretrained(
        folder, safety_checker=None, local_files_only=True
    )
    pipeline.set_progress_bar_config(disable=True)
    start, rgb = noise(2, 4, 8, 8, seed=1), pictures(2)
    expected = pipeline(
        ["make it red"] * 2,
        image=rgb.permute(0, 3, 1, 2),
        num_inference_steps=4,
        guidance_scale=7.5,
        image_guidance_scale=image_guidance,
        latents=start,
        output_type="latent",
    ).images
    prompts = prompts_of(prior, source_of(prior, rgb, image_guidance))
    *_, found = ddim(prior, prompts, start, pipeline.scheduler.timesteps.tolist(), 7.5)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3 * expected.abs().max().item())


def test_two_branches_make_the_three_way_guidance(prior: InstructPrior) -> None:
    """Equation 3 of arXiv 2211.09800, from three calls of the network."""
    x_t, source = noise(3, 4, 8, 8), source_of(prior, pictures(3), 1.7)
    vae = prior.parts.space.vae
    shown = vae.encode(2 * pictures(3).permute(0, 3, 1, 2) - 1).latent_dist.mode()
    text, empty = (
        prior.embed("make it red").tokens.expand(3, -1, -1),
        prior.embed("").tokens.expand(3, -1, -1),
    )

    def network(picture: Tensor, words: Tensor) -> Tensor:
        return prior.network(torch.cat([x_t, picture], dim=1), T, encoder_hidden_states=words).sample

    none, picture, both = network(0 * shown, empty), network(shown, empty), network(shown, text)
    expected = none + 1.7 * (picture - none) + 7.5 * (both - picture)
    prompts = prompts_of(prior, source)
    branches = (prior.predict(x_t, T, told) for told in (prompts.empty, prompts.positive))
    torch.testing.assert_close(guided(*branches, 7.5).eps, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("image_guidance", "passes"), [(1.0, [1, 1]), (1.5, [2, 3])])
def test_passes_of_the_network(prior: InstructPrior, image_guidance: float, passes: list[int]) -> None:
    prompts = prompts_of(prior, source_of(prior, pictures(3), image_guidance))
    for told, expected in zip((prompts.empty, prompts.positive), passes, strict=True):
        with counted(prior) as seen:
            prior.predict(noise(3, 4, 8, 8), T, told)
        assert seen == [3] * expected
    with counted(prior) as seen:
        x = noise(2, 4, 8, 8)
        told = prompts_of(prior, source_of(prior, pictures(2), image_guidance))
        Sds().loss(x, torch.tensor([300, 700]), told, prior, None, torch.Generator().manual_seed(0))
    assert len(seen) == sum(passes)


def test_a_learned_empty_prompt_is_not_taken_for_the_empty_one(prior: InstructPrior) -> None:
    """It starts as the empty prompt, and its gradient is that of the words alone."""
    x_t, source = noise(3, 4, 8, 8), source_of(prior, pictures(3), 2.0)
    learned = prior.embed("").tokens.clone().requires_grad_()
    found = prior.predict(x_t, T, Condition(TextEmbedding(learned), source=source)).eps
    torch.testing.assert_close(found, prior.predict(x_t, T, Condition(prior.embed(""), source=source)).eps)
    by_source = torch.autograd.grad(found.square().sum(), learned)[0]
    plain = prior.predict(
        x_t, T, Condition(TextEmbedding(learned), source=replace(source, guidance_scale=1.0))
    ).eps
    by_words = torch.autograd.grad(plain, learned, grad_outputs=2 * found.detach())[0]
    torch.testing.assert_close(by_source, by_words, rtol=1e-3, atol=1e-4)


def test_the_picture_matters_and_is_needed(prior: InstructPrior) -> None:
    x_t, text = noise(3, 4, 8, 8), prior.embed("make it red")
    bright, dark = (source_of(prior, level * torch.ones(3, 16, 16, 3), 1.5) for level in (1.0, 0.0))
    predictions = [prior.predict(x_t, T, Condition(text, source=source)).eps for source in (bright, dark)]
    assert not torch.allclose(*predictions, atol=1e-4)
    with pytest.raises(InputError, match=r"was given none.*start = \"file\""):
        prior.predict(x_t, T, Condition(text))


def test_views_worked_off_in_turn_are_the_same_views(folder: Path, prior: InstructPrior) -> None:
    chunked, x_t, t = (
        load_instruct(folder, max_views_per_call=2),
        noise(5, 4, 8, 8),
        torch.tensor([1, 200, 400, 600, 800]),
    )
    told = Condition(prior.embed("a"), source=source_of(prior, pictures(5), 1.5))
    torch.testing.assert_close(
        chunked.predict(x_t, t, told).eps, prior.predict(x_t, t, told).eps, rtol=1e-4, atol=1e-5
    )


def test_what_it_says_of_itself(prior: InstructPrior) -> None:
    info = prior.info
    assert (
        info.takes_source and not info.wants_view_words and not info.takes_cameras and info.resolution == 16
    )


def test_a_plain_model_is_refused_and_this_one_by_the_plain_loader(
    folder: Path, tiny_pipelines: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(FileFormatError, match=r"holds a StableDiffusionPipeline"):
        load_instruct(tiny_pipelines["epsilon"])
    with pytest.raises(FileFormatError, match=r"StableDiffusionInstructPix2PixPipeline"):
        load_latent(folder)
    plain = importlib.import_module("tests.prior.tiny_pipeline").save_tiny_pipeline(tmp_path / "plain")
    index = json.loads((plain / "model_index.json").read_text(encoding="utf-8"))
    named = json.dumps({**index, "_class_name": "StableDiffusionInstructPix2PixPipeline"})
    (plain / "model_index.json").write_text(named, encoding="utf-8")
    with pytest.raises(FileFormatError, match="takes 4 channels; one that edits takes 8"):
        load_instruct(plain)
